import { parseMetrics } from "../../load-tests/runner/metrics-text.ts";
import { orSkip } from "./engines.ts";
import { temporaryFolder } from "./folders.ts";
import { findProgram, freePort, startServer, untilReady } from "./servers.ts";

/** Whether the exporter of an engine has this metric, and not a process of Proximal. */
export const isOfExporter = (metric: string): boolean => /^(pg|redis)_/.test(metric) && metric !== "redis_connections";

export interface Exporter {
  /** Labels that each metric has, of those it has any series of. */
  scrape(): Promise<Map<string, Set<string>>>;
  stop(): Promise<void>;
}

const programs = { postgres: "prometheus-postgres-exporter", redis: "prometheus-redis-exporter" } as const;

/** An exporter of Debian before an engine; null, with the reason printed, where it is not installed. */
export async function startExporter(engine: keyof typeof programs, url: string): Promise<Exporter | null> {
  const program = findProgram(programs[engine]);
  if (program === null) return orSkip({ skip: `${programs[engine]} is not installed (Debian package of that name)` });
  const address = `127.0.0.1:${await freePort()}`;
  const given = {
    postgres: { args: [`--web.listen-address=${address}`], env: { DATA_SOURCE_NAME: `${url}?sslmode=disable` } },
    redis: { args: [`-web.listen-address=${address}`, `-redis.addr=${url}`], env: {} },
  }[engine];
  const folder = temporaryFolder();
  const server = startServer(program, given.args, folder, "SIGTERM", { cwd: folder, env: given.env });
  const text = async (): Promise<string> => (await fetch(`http://${address}/metrics`)).text();
  await untilReady(server, async () => void (await text()));
  return {
    async scrape() {
      const labelsOf = new Map<string, Set<string>>();
      for (const { name, labels } of parseMetrics(await text())) {
        labelsOf.set(name, new Set([...(labelsOf.get(name) ?? []), ...Object.keys(labels)]));
      }
      return labelsOf;
    },
    stop: server.stop,
  };
}
