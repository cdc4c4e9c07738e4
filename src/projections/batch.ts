import type { StoredEvent } from "../domain/stored-event.ts";
import { categoryOf, idOf } from "../domain/streams.ts";
import { contextCategories } from "./context.ts";
import type { Counters } from "./counters.ts";
import type { LearnerEntry } from "./learner-rows.ts";
import { partitionOf } from "./partition.ts";

/** A learner of a batch. */
export interface BatchLearner {
  readonly learnerId: string;
  readonly stream: string;
  /** Their first event of the batch. */
  readonly first: StoredEvent;
  /** Index in `steps` of their last event. */
  lastStep: number;
  /** null until read; and again when the stream was parked on the way. */
  entry: LearnerEntry | null;
  /** Folded on in this batch. */
  touched: boolean;
}

/** Learners' events, and between them what changes the context. */
export interface Step {
  readonly event: StoredEvent;
  /** null: an event of the catalogue or the model. */
  readonly learner: BatchLearner | null;
}

export interface Batch {
  readonly steps: readonly Step[];
  readonly learners: readonly BatchLearner[];
}

const contextStreams: ReadonlySet<string> = new Set(contextCategories);

/** What of these events concerns a partition. Parked learners' events wait. */
export function planBatch(
  events: readonly StoredEvent[],
  partition: number,
  partitions: number,
  parked: Counters["parked"],
): Batch {
  const steps: Step[] = [];
  const learners = new Map<string, BatchLearner>();
  for (const event of events) {
    const category = categoryOf(event.stream);
    if (contextStreams.has(category)) steps.push({ event, learner: null });
    if (category !== "learner") continue;
    const waiting = parked.get(event.stream);
    if (waiting !== undefined && (event.revision >= waiting.revision || event.position >= waiting.position)) continue;
    let learner = learners.get(event.stream);
    if (learner === undefined) {
      const learnerId = idOf(event.stream);
      if (partitionOf(learnerId, partitions) !== partition) continue;
      learner = { learnerId, stream: event.stream, first: event, lastStep: 0, entry: null, touched: false };
      learners.set(event.stream, learner);
    }
    learner.lastStep = steps.length;
    steps.push({ event, learner });
  }
  return { steps, learners: [...learners.values()] };
}
