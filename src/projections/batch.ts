import type { StoredEvent } from "../domain/stored-event.ts";
import { categoryOf, idOf, learnerStream, modelStream } from "../domain/streams.ts";
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

/** Nearly all that is read: asked without taking the name apart, which made three strings of each event. */
const isLearners = ({ stream }: StoredEvent): boolean => stream.startsWith(learnerPrefix);
const learnerPrefix = learnerStream("");

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
    if (!isLearners(event)) {
      if (contextStreams.has(categoryOf(event.stream))) steps.push({ event, learner: null });
      continue;
    }
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

/** Cuts of a page: where it would take more, it is left in one piece. */
const cutsMax = 8;

/** Events cut after changes of the catalogue, so that of each part only the end may hold some: as {@link groupsOf} needs them. */
export function cutAtCatalogue(events: readonly StoredEvent[]): (readonly StoredEvent[])[] {
  const parts: (readonly StoredEvent[])[] = [];
  let from = 0;
  for (let at = 1; at < events.length; at += 1) {
    if (!changesCatalogue(events[at - 1]) || changesCatalogue(events[at])) continue;
    if (parts.length === cutsMax) return [events];
    parts.push(events.slice(from, at));
    from = at;
  }
  parts.push(from === 0 ? events : events.slice(from));
  return parts;
}

const changesCatalogue = (event: StoredEvent | undefined): boolean =>
  event !== undefined &&
  !isLearners(event) &&
  event.stream !== modelStream &&
  contextStreams.has(categoryOf(event.stream));

/** A batch taken apart: learners do not depend on each other, only on what changes the context before their events. */
export interface Groups {
  /** Models published while the learners' events came in. */
  readonly models: readonly StoredEvent[];
  readonly groups: readonly Batch[];
  /** What changes the context after the last event of a learner. */
  readonly after: readonly StoredEvent[];
}

/** Groups of so many learners; null where the catalogue changes between learners' events. */
export function groupsOf({ steps, learners }: Batch, size: number): Groups | null {
  const end = steps.findLastIndex((step) => step.learner !== null) + 1;
  const groups: { steps: Step[]; learners: BatchLearner[] }[] = [];
  const stepsOf = new Map<BatchLearner, Step[]>();
  for (let from = 0; from < learners.length; from += size) {
    const group = { steps: [] as Step[], learners: learners.slice(from, from + size) };
    for (const learner of group.learners) stepsOf.set(learner, group.steps);
    groups.push(group);
  }
  const models: StoredEvent[] = [];
  for (const step of steps.slice(0, end)) {
    if (step.learner !== null) stepsOf.get(step.learner)?.push(step);
    else if (changesCatalogue(step.event)) return null;
    else models.push(step.event);
  }
  return { models, groups, after: steps.slice(end).map(({ event }) => event) };
}

/** The events after `after` up to `to`: what was handled before is not handled again. */
export function between(events: readonly StoredEvent[], after: number, to: number): readonly StoredEvent[] {
  const inside = (event: StoredEvent): boolean => event.position > after && event.position <= to;
  return events.every(inside) ? events : events.filter(inside);
}
