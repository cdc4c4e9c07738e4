import { newLearnerState } from "../../domain/learner/learner-state.ts";
import { idOf } from "../../domain/streams.ts";
import type { Feed } from "../../ports/feed.ts";
import type { Row } from "../../ports/read-models.ts";
import { type Counters, createCounters } from "../../projections/counters.ts";
import { countersKeptBefore, type KeptCountersDeps, positionOf } from "../../projections/counters-kept.ts";
import { foldStream, type LearnerFoldDeps } from "../../projections/learner-fold.ts";
import { partitionOf } from "../../projections/partition.ts";
import { createTurns } from "../../projections/turns.ts";

export interface PastCountersDeps extends LearnerFoldDeps, Omit<KeptCountersDeps, "model" | "feed"> {
  readonly feed: Feed;
}

export interface PastCountersOptions {
  readonly position: number;
  /** Events folded at the most; more is {@link TooMuchHistory}. */
  readonly eventsMax: number;
  readonly signal?: AbortSignal;
  /** Events folded so far, of so many. */
  onProgress?(done: number, total: number): void;
}

/** What is asked for would take more events than may be folded for one answer. */
export class TooMuchHistory extends Error {
  override readonly name = "TooMuchHistory";
}

/** Learners that go on after the counters kept: their events are counted from `from` on, and folded from their first. */
interface Tail {
  readonly stream: string;
  /** Revision of the first event that is not counted yet. */
  readonly revision: number;
  events: number;
}

const pageSize = 2_000;
/** Learners' streams read at once. */
const streamsAtOnce = 8;

/**
 * What was counted up to a position, whatever partitions there were: the last counters kept before it, and the events since
 * then, each learner's folded from the start, since what an answer adds depends on the learner's state.
 */
export async function countersAt(deps: PastCountersDeps, options: PastCountersOptions): Promise<Counters> {
  const { position } = options;
  const kept = await countersKeptBefore(deps, position);
  const counters = createCounters({ version: 0, fields: new Map() });
  for (const { fields } of kept?.partitions ?? []) counters.add(fields);
  const tails = await tailsOf(deps, kept?.partitions ?? [], options);
  const total = tails.reduce((sum, tail) => sum + costOf(tail), 0);
  let done = 0;
  const waiting = tails[Symbol.iterator]();
  const one = async (): Promise<void> => {
    for (const tail of waiting) {
      options.signal?.throwIfAborted();
      await count(deps, tail, position, counters);
      done += costOf(tail);
      options.onProgress?.(done, total);
    }
  };
  await Promise.all(Array.from({ length: streamsAtOnce }, one));
  return counters;
}

const costOf = ({ revision, events }: Tail): number => revision - 1 + events;

/** Whose events come after what each partition has counted. Rejects as soon as they are too many. */
async function tailsOf(
  { feed }: PastCountersDeps,
  partitions: readonly Row[],
  { position: to, eventsMax, signal }: PastCountersOptions,
): Promise<Tail[]> {
  const counted = partitions.map(positionOf);
  const tails = new Map<string, Tail>();
  const turns = createTurns();
  let cost = 0;
  for (let position = counted.length === 0 ? 0 : Math.min(...counted); position < to; ) {
    signal?.throwIfAborted();
    const page = await feed.read(position, pageSize, { categories: ["learner"] });
    for (const { stream, revision, position: at } of page.events) {
      if (at > to) return [...tails.values()];
      if (at <= (counted[partitionOf(idOf(stream), Math.max(1, counted.length))] ?? 0)) continue;
      const tail = tails.get(stream) ?? { stream, revision, events: 0 };
      cost += tail.events === 0 ? revision : 1;
      tail.events += 1;
      tails.set(stream, tail);
      if (cost > eventsMax) throw new TooMuchHistory(`more than ${eventsMax.toLocaleString("en-US")} events to fold`);
    }
    if (page.atHead) break;
    position = page.position;
    if (turns.due()) await turns.take();
  }
  return [...tails.values()];
}

/** A stream that cannot be folded on counts as far as it can, as in the projector, which parks it. */
async function count(deps: PastCountersDeps, tail: Tail, position: number, counters: Counters): Promise<void> {
  await foldStream(deps, {
    stream: tail.stream,
    state: newLearnerState(deps.model),
    toRevision: Number.POSITIVE_INFINITY,
    toPosition: position,
    onTransition(transition, { revision }) {
      if (revision >= tail.revision) counters.count(transition);
    },
  });
}
