import { missingPrometheus, type Prometheus, startPrometheus } from "../../infra/prometheus/start.ts";
import { orSkip } from "./engines.ts";
import { temporaryFolder } from "./folders.ts";
import { onProcessEnd } from "./process-end.ts";
import { findProgram } from "./servers.ts";

export type PrometheusServer = Prometheus;

export interface PrometheusOptions {
  /** host:port of what is scraped, at /metrics, with the rules of infra/prometheus. */
  readonly targets: readonly string[];
  /** Between two scrapes. */
  readonly everySeconds?: number;
}

/** Prometheus scrapes so often here, and goes through its rules. */
export const scrapeSeconds = 1;

/** Whether there is a Prometheus here; prints why not, as other engines do. */
export function prometheusProgram(): string | null {
  return findProgram("prometheus") ?? orSkip({ skip: missingPrometheus });
}

/** A Prometheus on a free port of 127.0.0.1, to be stopped by the caller; it ends with this process at the latest. */
export async function runPrometheus({
  targets,
  everySeconds = scrapeSeconds,
}: PrometheusOptions): Promise<PrometheusServer> {
  const scraped = targets.map((target) => ({ target, role: "" }));
  const server = await startPrometheus({ targets: scraped, folder: temporaryFolder(), everySeconds });
  const forget = onProcessEnd(() => process.kill(server.pid, "SIGKILL"));
  return {
    ...server,
    stop: () => {
      forget();
      return server.stop();
    },
  };
}
