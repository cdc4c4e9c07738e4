import { z } from "zod";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import type { Blobs } from "../../ports/blobs.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EventStore } from "../../ports/event-store.ts";
import type { Feed } from "../../ports/feed.ts";
import type { Log } from "../../ports/log.ts";
import { createContext } from "../../projections/context.ts";
import { keepCounters } from "../../projections/counters-kept.ts";
import { countersKey } from "../../projections/rows.ts";
import { type ReplayKind, ReplayRefused } from "../replays/replay-kind.ts";
import { countersAt } from "./past-counters.ts";
import { createPlaces, NoSuchPlace } from "./place.ts";

const inputSchema = z.strictObject({ at: z.string().max(40).describe("A time or a position of the log") });
export type CountersInput = z.infer<typeof inputSchema>;

export interface CountersKindDeps {
  readonly feed: Feed;
  readonly eventStore: Pick<EventStore, "readStream">;
  readonly blobs: Blobs;
  readonly model: LearnerModel;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Counts what learners did up to a place, however many events that takes, and keeps it: questions about that time, and about
 * later ones, are answered from there.
 */
export function countersKind(deps: CountersKindDeps): ReplayKind<CountersInput> {
  return {
    kind: "counters",
    input: inputSchema,
    async run({ at }, { signal, progress }) {
      const { position } = await createPlaces(deps.feed, deps.clock.now)
        .find(at)
        .catch((error: unknown) => {
          throw error instanceof NoSuchPlace ? new ReplayRefused(`at ${error.message}`) : error;
        });
      const context = createContext(deps);
      await context.moveTo(position);
      const counting = { ...deps, store: deps.eventStore, context };
      const options = { position, eventsMax: Number.POSITIVE_INFINITY, signal, onProgress: progress };
      const counters = await countersAt(counting, options);
      const write = counters.write(countersKey("", 0), { position, learnersPosition: position });
      await keepCounters(deps, [{ version: write.to, fields: write.set }]);
      return { position, items: counters.popularity.size };
    },
  };
}
