import { setTimeout as sleep } from "node:timers/promises";
import { createMemoryReadModels } from "../../src/adapters/read-models/memory.ts";
import type { LearnerModel } from "../../src/domain/learner-model/learner-model.ts";
import type { StoredEvent } from "../../src/domain/stored-event.ts";
import type { Feed } from "../../src/ports/feed.ts";
import { newView, switchView } from "../../src/projections/live-view.ts";
import { createPipeline } from "../../src/projections/pipeline.ts";
import { namespaceOf } from "../../src/projections/rows.ts";
import { createLiveViewReader } from "../../src/queries/live-view.ts";
import { createCatalogueFollower } from "../../src/workers/catalogue-follower.ts";
import { createModelFollower } from "../../src/workers/model-follower.ts";
import type { History } from "./learning-history.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
export const testListSize = 12;

/** The start of a log, as long as it is let grow. */
function growing({ log }: Pick<History, "log">) {
  let end = 0;
  const within = <E extends StoredEvent>(events: readonly E[]): E[] => events.filter(({ position }) => position <= end);
  const feed: Feed = {
    async read(after, limit, filter) {
      const page = await log.read(after, limit, filter);
      const position = Math.max(after, Math.min(page.position, end));
      return { events: within(page.events), position, atHead: position >= end };
    },
    waitForMore: (_after, _timeoutMs, signal) => sleep(2, undefined, { signal }).catch(() => undefined),
    head: async () => end,
    behind: (after, filter) => log.behind(after, filter),
  };
  const store = {
    ...log,
    async readStream(stream: string, options: Parameters<typeof log.readStream>[1]) {
      // Backwards from the end of what there is yet.
      const all = within(await log.readStream(stream, { limit: 100_000 }));
      const { from, limit, direction = "forwards" } = options;
      if (direction === "forwards") return all.slice((from ?? 1) - 1, (from ?? 1) - 1 + limit);
      return all
        .slice(0, from ?? all.length)
        .reverse()
        .slice(0, limit);
    },
  };
  return {
    feed,
    store,
    grow(to: number) {
      end = to;
    },
  };
}

/**
 * A live service (rows by the projector's pipelines, catalogue and model by their followers) on the beginning of a log
 * that is there as a whole, with a clock that is set.
 */
export async function liveOn(history: Pick<History, "log" | "blobs">, model: LearnerModel, partitions = 1) {
  const { feed, store, grow } = growing(history);
  let now = 0;
  const clock = { now: () => now };
  const readModels = createMemoryReadModels();
  const deps = { feed, store, blobs: history.blobs, readModels, model, clock, log: silent };
  const namespace = namespaceOf(1, model.name, partitions);
  await switchView(readModels, newView(1, model, partitions), 0);
  const options = { namespace, partitions, listSize: testListSize, learnersInMemory: 8, popularTickMs: 0 };
  const pipelines = Array.from({ length: partitions }, (_, partition) =>
    createPipeline(deps, { ...options, partition }),
  );
  for (const pipeline of pipelines) await pipeline.load();
  const catalogue = createCatalogueFollower({ feed, log: silent, pauseMs: 1 });
  const follower = createModelFollower({ feed, blobs: history.blobs, model, log: silent });
  let position = 0;
  return {
    readModels,
    store,
    catalogue,
    model: follower,
    clock,
    liveView: createLiveViewReader(readModels, clock),
    /** Everything up to a position is there, projected, and known; the clock shows this. */
    async at(to: number, time: number) {
      grow(to);
      now = time;
      while (position < to) {
        const page = await feed.read(position, 50);
        for (const pipeline of pipelines) await pipeline.handle(page);
        position = page.position;
      }
      // Partition 0 merges what all have counted.
      for (const pipeline of pipelines.toReversed()) await pipeline.between();
      await Promise.all([catalogue.catchUp(), follower.catchUp()]);
    },
    stop: () => Promise.all([catalogue.stop(), follower.stop()]),
  };
}
