import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { Gauge, type Registry } from "prom-client";
import { z } from "zod";
import type { JobQueue } from "../../ports/job-queue.ts";
import type { ReplayCounts, ReplayStore } from "../../ports/replay-store.ts";
import type { ReplayKind } from "../../queries/replays/replay-kind.ts";
import { createReplays, type Replays } from "../../queries/replays/replays.ts";
import type { Breakers } from "../breakers.ts";
import type { Engines } from "../compose.ts";
import { openJobs, replaysQueue } from "../compose-stream.ts";
import type { Config } from "../config.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { Job } from "../start-jobs.ts";
import type { Patience } from "../wait-for-engine.ts";
import { runReplayInProcess } from "./replay-process.ts";

const jobName = "replay";
const inputSchema = z.object({ replayId: z.uuid() });

type Announce = (replayId: string) => Promise<unknown>;

export interface ReplayQueue extends Pick<JobQueue, "counts"> {
  readonly announce: Announce;
}

/**
 * The queue that says which replays are there to be worked on; a process that `works` takes them from it. Null where this
 * process can tell nobody: those that work look by themselves.
 */
export async function openReplayQueue(
  config: Config,
  works: boolean,
  life: Lifecycle,
  log: Logger,
  patience: Patience,
  breakers: Breakers,
): Promise<ReplayQueue | null> {
  if (!works && config.jobsRedisUrl === undefined) return null;
  const queue = await openJobs(config, replaysQueue(config), life, log, patience, breakers);
  queue.define(jobName, {
    input: inputSchema,
    // What failed is due again, and announced again: the store says when.
    attempts: 1,
    async run({ replayId }, { signal }) {
      await runReplayInProcess(config, replayId, signal);
    },
  });
  if (works) queue.start();
  return {
    announce: (replayId) => queue.enqueue(jobName, { replayId }, { key: replayId }),
    counts: queue.counts,
  };
}

const dayMs = 86_400_000;

/** How analysts ask for replays, from a server and from the command line. */
export function replaysOf(
  config: Config,
  { replays: store }: Pick<Engines, "replays">,
  kinds: readonly ReplayKind<unknown>[],
  announce: Announce | null,
  log: Logger,
): Replays {
  const retentionMs = config.replayRetentionDays === 0 ? null : config.replayRetentionDays * dayMs;
  return createReplays({ store, kinds, announce, retentionMs, clock: { now: Date.now }, log, randomId: randomUUID });
}

const lookEveryMs = 5_000;
const announcedMax = 100;
const sweepEveryMs = 3_600_000;
const sweptMax = 20;

/**
 * Announces what is due: what was asked where nobody could be told, whose announcement was lost, whose worker died, what is tried
 * again. And removes what ended long ago.
 */
export function replayJobs(
  { replayRetentionDays }: Config,
  store: ReplayStore,
  announce: Announce,
  log: Logger,
): Job[] {
  const look: Job = {
    name: "announce-replays",
    definition: {
      input: z.object({}),
      async run() {
        const due = await store.due(Date.now(), announcedMax);
        for (const id of due) await announce(id);
        return { due: due.length };
      },
    },
    everyMs: lookEveryMs,
  };
  const sweep: Job = {
    name: "remove-old-replays",
    definition: {
      input: z.object({}),
      async run(_input, { signal }) {
        const before = Date.now() - replayRetentionDays * dayMs;
        let removed = 0;
        for (let some = sweptMax; some === sweptMax; removed += some) {
          signal.throwIfAborted();
          some = await store.removeEndedBefore(before, sweptMax);
        }
        if (removed > 0) log.info({ removed }, "old replays removed");
        return { removed };
      },
    },
    everyMs: sweepEveryMs,
  };
  return replayRetentionDays === 0 ? [look] : [look, sweep];
}

/** Replays of the whole deployment, read when scraped; absent while their store does not answer. */
export function registerReplayMetrics(registry: Registry, store: Pick<ReplayStore, "counts">): void {
  let reading: Promise<ReplayCounts | null> | null = null;
  /** The gauges of one scrape share what was read. */
  function read(): Promise<ReplayCounts | null> {
    reading ??= store
      .counts(Date.now())
      .catch(() => null)
      .finally(() => {
        reading = null;
      });
    return reading;
  }
  const gauge = (name: string, help: string, show: (gauge: Gauge<"state">, counts: ReplayCounts) => void) =>
    new Gauge({
      ...{ name, help, registers: [registry], labelNames: name === "replays" ? (["state"] as const) : [] },
      async collect() {
        this.reset();
        const counts = await read();
        if (counts !== null) show(this, counts);
      },
    });
  gauge("replays", "Replays that are kept, by state", (shown, { byState }) => {
    for (const [state, n] of Object.entries(byState)) shown.set({ state }, n);
  });
  gauge(
    "replays_oldest_queued_seconds",
    "How long the oldest replay that waits has waited",
    (shown, { oldestQueuedMs }) => shown.set((oldestQueuedMs ?? 0) / 1000),
  );
  gauge("replay_files_bytes", "Files kept with replays", (shown, { fileBytes }) => shown.set(fileBytes));
}
