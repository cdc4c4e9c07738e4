import { availableParallelism } from "node:os";
import type { ReadModels } from "../../ports/read-models.ts";
import { createSlowest, type FillOptions, type RangeCounters, writeRangeCounters } from "../../projections/fill.ts";
import { learnerMemoryBytes } from "../../projections/learner-memory.ts";
import type { Fill } from "../../projections/rebuild.ts";
import type { Config } from "../config.ts";
import type { FillMessage, FillOrder } from "./fill-worker.ts";
import { runThread } from "./run-thread.ts";

/** More would wait for the engines. */
const threadsMax = 8;

/**
 * Fills rows in as many threads as the machine has cores, each on connections of its own and with learners of its own: a
 * partition's are divided further where there are fewer partitions than threads. Needs engines that several can open.
 */
export function fillInThreads(
  config: Config,
  readModels: ReadModels,
  threads: number = Math.min(threadsMax, availableParallelism()),
): Fill {
  return async ({ signal, ...options }) => {
    const { partitions } = options.view;
    const ranges = partitions * Math.ceil(threads / partitions);
    const slowest = createSlowest(threads, options);
    const { onProgress: _, ...fill } = options;
    const failed = new AbortController();
    const ending = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
    const run = (thread: number): Promise<[number, RangeCounters][]> => {
      const mine = Array.from({ length: ranges }, (_, range) => range).filter((range) => range % threads === thread);
      const share = {
        ...fill,
        learnersInMemory: Math.ceil(fill.learnersInMemory / threads),
        heapBytes: learnerMemoryBytes.fill / threads,
      };
      return fillInThread({ config, fill: share, mine, ranges }, slowest(thread), ending).catch((error: unknown) => {
        failed.abort(error);
        throw error;
      });
    };
    const ends = await Promise.allSettled(Array.from({ length: threads }, (_, thread) => run(thread)));
    if (ends.some(({ status }) => status === "rejected")) throw ending.reason;
    const counted = new Map(ends.flatMap((end) => (end.status === "fulfilled" ? end.value : [])));
    for (let partition = 0; partition < partitions; partition += 1) {
      const own = [...counted].filter(([range]) => range % partitions === partition).map(([, fields]) => fields);
      await writeRangeCounters({ readModels }, options, partition, own);
    }
  };
}

/** Resolves with what each range counted; the thread has ended either way. */
async function fillInThread(
  order: FillOrder,
  onProgress: NonNullable<FillOptions["onProgress"]>,
  signal: AbortSignal,
): Promise<[number, RangeCounters][]> {
  const last = await runThread<FillMessage>("fill-worker", {
    ...{ order, signal },
    // A page of events and what is folded from it dies young, if it is given the time.
    resourceLimits: { maxYoungGenerationSizeMb: 192 },
    onMessage(message) {
      if ("position" in message) onProgress(message.position, message.events);
    },
  });
  if (last !== null && "counted" in last) return last.counted.map(([range, fields]) => [range, asBuffers(fields)]);
  signal.throwIfAborted();
  throw new Error("a thread that filled rows ended early");
}

/** What comes from another thread are plain arrays. */
const asBuffers = (fields: ReadonlyMap<string, Uint8Array>): RangeCounters =>
  new Map(Array.from(fields, ([name, bytes]) => [name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)]));
