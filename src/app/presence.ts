import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { performance } from "node:perf_hooks";
import type { Registry } from "prom-client";
import type { ProcessReport } from "../domain/scaling/process-report.ts";
import type { Log } from "../ports/log.ts";
import type { Presence } from "../ports/presence.ts";
import type { Config } from "./config.ts";
import type { Projecting } from "./followers.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { version } from "./version.ts";

export interface Reporting {
  readonly role: Config["role"];
  readonly presence: Presence;
  readonly projector: (Projecting & { parked(): readonly unknown[] }) | null;
  /** null: embedded, nothing waits. */
  readonly postgres: { poolState(): { readonly waiting: number } } | null;
  /** Where requests are counted. */
  readonly registry: () => Registry | null;
  readonly log: Log;
}

const everyMs = 5_000;
/** Three reports may be missed: a busy process is no gone one. */
const forMs = 3 * everyMs + 1_000;

/** Says every few seconds that this process is there and what it is busy with, until the stop. Trouble with that stops nobody. */
export async function reportPresence(reporting: Reporting, life: Lifecycle): Promise<void> {
  const { presence, log } = reporting;
  const id = randomUUID();
  const read = createReader(reporting);
  let telling: Promise<void> | null = null;
  let failing = false;

  async function tell(): Promise<void> {
    try {
      await presence.report(id, await read(), forMs);
      failing = false;
    } catch (err) {
      if (!failing) log.warn({ err }, "could not report that this process is there: plans count one worker less");
      failing = true;
    }
  }
  /** One at a time: where the engine hangs the next ones are left out. */
  const beat = (): void => {
    telling ??= tell().finally(() => {
      telling = null;
    });
  };

  await life.acquire(
    "presence",
    () => {
      beat();
      return setInterval(beat, everyMs).unref();
    },
    async (timer) => {
      clearInterval(timer);
      await telling;
      await presence.leave(id).catch(() => undefined);
    },
  );
}

/** What is said of the time since it was last asked. */
function createReader({ role, projector, postgres, registry }: Reporting): () => Promise<ProcessReport> {
  const startedAt = new Date().toISOString();
  let busy = performance.eventLoopUtilization();
  let counted = { at: performance.now(), requests: 0 };
  return async () => {
    const since = performance.eventLoopUtilization(busy);
    busy = performance.eventLoopUtilization();
    const now = { at: performance.now(), requests: await requestsOf(registry()) };
    const seconds = (now.at - counted.at) / 1000;
    const requestsPerSecond = seconds > 0 ? Math.max(0, now.requests - counted.requests) / seconds : 0;
    counted = now;
    return {
      ...{ role, host: hostname(), pid: process.pid, version: version(), startedAt, requestsPerSecond },
      busyShare: Math.min(1, since.utilization),
      partitions: projector === null ? [] : projector.status().map(({ partition }) => partition),
      ...{ parked: projector?.parked().length ?? 0, poolWaiting: postgres?.poolState().waiting ?? 0 },
    };
  };
}

/** All requests that this process answered: the count of their histogram. */
async function requestsOf(registry: Registry | null): Promise<number> {
  const histogram = await registry?.getSingleMetric("http_server_request_duration_seconds")?.get();
  let requests = 0;
  for (const value of histogram?.values ?? []) {
    if ("metricName" in value && String(value.metricName).endsWith("_count")) requests += value.value;
  }
  return requests;
}
