import { decodeEvent } from "../domain/decode-event.ts";
import type { ModelPublished } from "../domain/events.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import type { StoredEvent } from "../domain/stored-event.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Feed, FeedPage } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";
import type { ModelReader } from "../ports/model-reader.ts";
import { type RunningProjection, runProjection } from "../projections/run-projection.ts";
import { weightsKind } from "./publish-weights.ts";
import { unhurried } from "./unhurried.ts";

export interface ModelFollower extends ModelReader {
  /** Resolves when every version that stands in the log now is known; starts the follower if need be. */
  catchUp(): Promise<void>;
  /** Idempotent. */
  start(): void;
  /** Idempotent. */
  stop(): Promise<void>;
}

/**
 * Keeps the newest published weights of one model in memory. Versions of other models are passed over, and so are
 * versions whose weights are missing or damaged (the log says so): the ones before them serve on.
 */
export function createModelFollower(deps: {
  readonly feed: Feed;
  readonly blobs: Blobs;
  readonly model: LearnerModel;
  readonly log: Log;
  /** First pause after an error, milliseconds. */
  readonly retryMs?: number;
}): ModelFollower {
  const { feed, blobs, model, log } = deps;
  let current: { readonly version: number; readonly weights: unknown } = { version: 0, weights: model.newWeights() };
  let position = 0;
  let loop: RunningProjection | null = null;
  let stopped: Promise<void> | null = null;

  /** Only the newest of a page is worth loading. */
  async function handle(page: FeedPage): Promise<number> {
    for (const stored of page.events.toReversed()) {
      const event = publicationIn(stored, log);
      if (event === null || event.model !== model.name || !(await use(event))) continue;
      break;
    }
    position = page.position;
    return position;
  }

  async function use({ version, weights: name }: ModelPublished): Promise<boolean> {
    const bytes = await blobs.get(weightsKind, name);
    try {
      if (bytes === null) throw new Error("no such weights");
      current = { version, weights: model.decodeWeights(bytes) };
      return true;
    } catch (err) {
      log.error({ err, version, weights: name }, "weights of a published model cannot be used, passed over");
      return false;
    }
  }

  function start(): void {
    if (loop !== null || stopped !== null) return;
    loop = runProjection({
      name: "model-follower",
      feed: unhurried(feed),
      filter: { categories: ["model"], types: ["ModelPublished"] },
      batchSize: 100,
      load: async () => position,
      handle,
      log,
      ...(deps.retryMs === undefined ? {} : { retryMs: deps.retryMs }),
    });
  }

  return {
    model,
    current: () => current,
    catchUp() {
      start();
      return loop?.caughtUp() ?? Promise.reject(new Error("the model follower was stopped"));
    },
    start,
    stop: () => (stopped ??= loop?.stop() ?? Promise.resolve()),
  };
}

/** Null for what cannot be read. */
function publicationIn(stored: StoredEvent, log: Log): ModelPublished | null {
  try {
    const event = decodeEvent(stored);
    return event.type === "ModelPublished" ? event.data : null;
  } catch (err) {
    log.error({ err, position: stored.position }, "published model cannot be read, passed over");
    return null;
  }
}
