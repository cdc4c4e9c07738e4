import { parentPort, workerData } from "node:worker_threads";
import { learnerModels } from "../../domain/learner-model/models.ts";
import { createSlowest, type FillOptions, fillRange } from "../../projections/fill.ts";
import { learnerMemoryBytes } from "../../projections/learner-memory.ts";
import { createReadAhead } from "../../projections/read-ahead.ts";
import { openEngines } from "../compose.ts";
import { openReadModels } from "../compose-rows.ts";
import type { Config } from "../config.ts";
import { createLifecycle } from "../lifecycle.ts";
import { createLogger } from "../observability/logging.ts";
import { noPatience } from "../wait-for-engine.ts";

/** What a thread of fill-threads.ts is given. */
export interface FillOrder {
  readonly config: Config;
  readonly fill: Omit<FillOptions, "onProgress" | "signal">;
  /** The ranges of this thread, of so many. */
  readonly mine: readonly number[];
  readonly ranges: number;
}

/** Progress, and at the end what each range counted. */
export type FillMessage =
  | { readonly position: number; readonly events: number }
  | { readonly counted: readonly (readonly [range: number, fields: ReadonlyMap<string, Uint8Array>])[] };

if (parentPort === null) throw new Error("fill-worker.ts runs as a worker thread");
const port = parentPort;
const tell = (message: FillMessage): void => port.postMessage(message);

const { config, fill, mine, ranges } = workerData as FillOrder;
const log = createLogger(config, process.stderr);
const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
try {
  const { eventStore: store, feed, blobs } = await openEngines(config, life);
  const { readModels } = await openReadModels(config, life, feed, log, noPatience);
  const model = learnerModels[config.model];
  const deps = { feed: createReadAhead(feed), store, blobs, readModels, model, clock: { now: Date.now }, log };
  const slowest = createSlowest(mine.length, { onProgress: (position, events) => tell({ position, events }) });
  const learnersInMemory = Math.ceil(fill.learnersInMemory / mine.length);
  const heapBytes = (fill.heapBytes ?? learnerMemoryBytes.fill) / mine.length;
  const counted = await Promise.all(
    mine.map(async (range, at) => {
      const own = { ...fill, learnersInMemory, heapBytes, onProgress: slowest(at) };
      return [range, await fillRange(deps, { range, ranges }, own)] as const;
    }),
  );
  tell({ counted });
} finally {
  await life.stop();
}
