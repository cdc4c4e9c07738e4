import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll } from "vitest";
import { z } from "zod";
import { orSkip } from "./engines.ts";
import { temporaryFolder } from "./folders.ts";
import { findProgram, freePort, startServer, untilReady } from "./servers.ts";

export interface PrometheusOptions {
  /** host:port of what is scraped, at /metrics. */
  readonly targets: readonly string[];
  /** Files of rules. */
  readonly rules?: readonly string[];
}

export interface PrometheusServer {
  readonly url: string;
  /** The answer of an expression now, one sample for each series. */
  query(expr: string): Promise<readonly Sample[]>;
  /** Labels of all series of a metric. */
  series(metric: string): Promise<readonly Labels[]>;
  /** Targets that were scraped, and did not answer well. */
  unhealthy(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** Prometheus scrapes so often here, and goes through its rules. */
export const scrapeSeconds = 1;

const vectorSchema = z.object({
  data: z.object({
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});
const seriesSchema = z.object({ data: z.array(z.record(z.string(), z.string())) });
const targetsSchema = z.object({
  data: z.object({
    activeTargets: z.array(z.object({ scrapeUrl: z.string(), health: z.string(), lastError: z.string() })),
  }),
});

/** Whether there is a Prometheus here; prints why not, as other engines do. */
export function prometheusProgram(): string | null {
  const program = findProgram("prometheus");
  return program ?? orSkip({ skip: "Prometheus is not installed (no prometheus in PATH)" });
}

/** A Prometheus for this file alone on a free port of 127.0.0.1, stopped after its last test; null, with a printed reason, where there is none. */
export async function privatePrometheus({ targets, rules = [] }: PrometheusOptions): Promise<PrometheusServer | null> {
  const program = prometheusProgram();
  if (program === null) return null;
  const folder = temporaryFolder();
  const port = await freePort();
  const config = {
    global: { scrape_interval: `${scrapeSeconds}s`, evaluation_interval: `${scrapeSeconds}s` },
    rule_files: rules,
    scrape_configs: [{ job_name: "proximal", static_configs: [{ targets }] }],
  };
  // JSON is YAML.
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config));
  const address = `127.0.0.1:${port}`;
  const server = startServer(
    program,
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${address}`,
    ],
    folder,
    "SIGTERM",
    { cwd: folder },
  );
  const url = `http://${address}`;
  await untilReady(server, async () => {
    const ready = await fetch(`${url}/-/ready`);
    if (!ready.ok) throw new Error(`not ready: ${ready.status}`);
  });
  afterAll(() => server.stop());

  async function ask(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(`${JSON.stringify(parameters)}: ${JSON.stringify(body)}`);
    return body;
  }

  return {
    url,
    async query(expr) {
      const { data } = vectorSchema.parse(await ask("query", { query: expr }));
      return data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
    },
    series: async (metric) => seriesSchema.parse(await ask("series", { "match[]": metric })).data,
    async unhealthy() {
      const { data } = targetsSchema.parse(await ask("targets"));
      return data.activeTargets
        .filter(({ health }) => health !== "up")
        .map((one) => `${one.scrapeUrl} ${one.lastError}`);
    },
    stop: server.stop,
  };
}
