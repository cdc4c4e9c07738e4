import { afterAll } from "vitest";
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

/** A Prometheus for this file alone on a free port of 127.0.0.1, stopped after its last test; null, with a printed reason, where there is none. */
export async function privatePrometheus(options: PrometheusOptions): Promise<PrometheusServer | null> {
  if (prometheusProgram() === null) return null;
  const server = await runPrometheus(options);
  afterAll(server.stop);
  return server;
}

/** The same, to be stopped by the caller; it ends with this process at the latest. */
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
