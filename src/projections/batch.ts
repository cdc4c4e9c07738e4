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

/** Cuts a page for {@link groupsOf}: more runs than this, and it is left in one piece. */
const runsMax = 8;

/** Events cut after what changes the context, so that of each part only the end may: as they are where that is many parts. */
export function cutAtContext(events: readonly StoredEvent[]): (readonly StoredEvent[])[] {
  const parts: (readonly StoredEvent[])[] = [];
  let from = 0;
  for (let at = 1; at < events.length; at += 1) {
    if (!changesContext(events[at - 1]) || changesContext(events[at])) continue;
    parts.push(events.slice(from, at));
    if (parts.length === runsMax) return [events];
    from = at;
  }
  parts.push(from === 0 ? events : events.slice(from));
  return parts;
}

const changesContext = (event: StoredEvent | undefined): boolean =>
  event !== undefined && contextStreams.has(categoryOf(event.stream));

/**
 * The same as batches of so many learners, what changes the context after them: learners do not depend on each other. In
 * one piece where a learner has events after such a change.
 */
export function groupsOf(batch: Batch, learners: number): readonly Batch[] {
  const firstOfContext = batch.steps.findIndex((step) => step.learner === null);
  const end = firstOfContext < 0 ? batch.steps.length : firstOfContext;
  if (batch.steps.slice(end).some((step) => step.learner !== null)) return [batch];
  const groups: { steps: Step[]; learners: BatchLearner[] }[] = [];
  const groupOf = new Map<BatchLearner, Step[]>();
  for (let from = 0; from < batch.learners.length; from += learners) {
    const group = { steps: [] as Step[], learners: batch.learners.slice(from, from + learners) };
    for (const learner of group.learners) groupOf.set(learner, group.steps);
    groups.push(group);
  }
  for (const step of batch.steps.slice(0, end)) if (step.learner !== null) groupOf.get(step.learner)?.push(step);
  return end < batch.steps.length ? [...groups, { steps: batch.steps.slice(end), learners: [] }] : groups;
}
