import { decodeEvent } from "../../domain/decode-event.ts";
import type { EventOf, Policy } from "../../domain/events.ts";
import { selectItems } from "../../domain/item-selection/select.ts";
import { evolveLearner, type LearnerState, newLearnerState } from "../../domain/learner/learner-state.ts";
import { bankOfLearner, selectForLearner, selectionInput } from "../../domain/learner/select-for-learner.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { type StoredEvent, UnreadableEvent } from "../../domain/stored-event.ts";
import { categoryOf, idOf } from "../../domain/streams.ts";
import type { Blobs } from "../../ports/blobs.ts";
import type { Feed } from "../../ports/feed.ts";
import type { Log } from "../../ports/log.ts";
import { type Context, contextCategories, createContext, projected } from "../../projections/context.ts";
import { partitionOf } from "../../projections/partition.ts";
import { createTurns } from "../../projections/turns.ts";
import { countChoice, countDue, countMastery } from "./compare-lists.ts";
import type { PolicyChange, WhatIfInput } from "./input.ts";
import {
  keepMost,
  type LearnerChange,
  newTally,
  noteLearner,
  type PartTally,
  partsCount,
  type Tally,
} from "./tally.ts";
import { type Variant, variantOf } from "./variant.ts";
import { inOrder, type TrainedWeights } from "./weights-in-order.ts";

export interface RangeDeps {
  readonly feed: Feed;
  readonly blobs: Blobs;
  readonly model: LearnerModel;
  readonly log: Log;
}

/** A part of the learners: those whose hash modulo `ranges` is `range`. */
export interface Range {
  readonly range: number;
  readonly ranges: number;
}

export interface RangePlan {
  /** Choices after the one position, up to the other; learners are folded from their first event all the same. */
  readonly from: number;
  readonly to: number;
  readonly input: Pick<WhatIfInput, "track" | "every" | "count">;
  readonly change: PolicyChange | null;
  /** Where the model changes: which, and its weights; null weights: those it published in this log. */
  readonly otherModel: { readonly model: LearnerModel; readonly trained: readonly TrainedWeights[] | null } | null;
  /** null: all. */
  readonly learnerIds: ReadonlySet<string> | null;
}

export interface RangeResult {
  readonly tally: Tally;
  /** Each learner with a choice that was looked at. */
  readonly learners: readonly LearnerChange[];
}

/** A learner on both ways; on one where states come out the same. */
interface Learner {
  readonly learnerId: string;
  before: LearnerState;
  /** The same object as `before` where they are folded once. */
  after: LearnerState;
  /** Answers in the slice, in the track. */
  answers: number;
  lists: number;
  firstChanged: number;
  identical: number;
  parked: boolean;
}

const pageSize = 1_000;

/**
 * Replays the learners of a range in the order of the log, and after each answer of the slice makes the list as it was and
 * as it would be, with the catalogue, policies and weights of that moment. Both are asked after the same answers: what a
 * learner would have answered to other items is not known, and not made up.
 */
export async function replayRange(
  deps: RangeDeps,
  range: Range,
  plan: RangePlan,
  watch: { readonly signal?: AbortSignal; onProgress?(position: number): void } = {},
): Promise<RangeResult> {
  const replay = createReplay(deps, plan);
  const turns = createTurns();
  const mine = (stream: string): boolean => {
    const learnerId = idOf(stream);
    if (partitionOf(learnerId, range.ranges) !== range.range) return false;
    return plan.learnerIds === null || plan.learnerIds.has(learnerId);
  };
  for (let position = 0; position < plan.to; ) {
    watch.signal?.throwIfAborted();
    const page = await deps.feed.read(position, pageSize, projected);
    for (const event of page.events) {
      if (event.position > plan.to) break;
      const category = categoryOf(event.stream);
      if (contextStreams.has(category)) await replay.advance(event);
      else if (category === "learner" && mine(event.stream)) replay.fold(event);
      else continue;
      if (turns.due()) await turns.take();
    }
    position = page.position;
    watch.onProgress?.(Math.min(position, plan.to));
    if (page.atHead) break;
  }
  return replay.result();
}

const contextStreams: ReadonlySet<string> = new Set(contextCategories);

function createReplay(deps: RangeDeps, plan: RangePlan) {
  const { model } = deps;
  const { from, input } = plan;
  const context = createContext(deps);
  const other = otherSide(deps, plan);
  const variant = variantOf(plan.change);
  const once = other === null && variant.foldsAlike;
  const learners = new Map<string, Learner>();
  const tally = newTally();

  function learnerOf(stream: string): Learner {
    const known = learners.get(stream);
    if (known !== undefined) return known;
    const before = newLearnerState(model);
    const after = once ? before : newLearnerState(other?.model ?? model);
    const learner = { learnerId: idOf(stream), before, after, answers: 0, lists: 0, firstChanged: 0, identical: 0 };
    learners.set(stream, { ...learner, parked: false });
    return learners.get(stream) as Learner;
  }

  /** Throws on what cannot be folded. */
  function evolve(learner: Learner, event: EventOf<"InteractionRecorded">): void {
    const policy = context.policyAt(event.data.trackId, event.position);
    evolveLearner(learner.before, event, { model, weights: context.current.weights, policy, uncounted: true });
    if (once) return;
    const own = other ?? { model, weights: () => context.current.weights };
    const changedPolicy = variant.foldPolicy(policy);
    const by = { model: own.model, weights: own.weights(event.position), policy: changedPolicy, uncounted: true };
    evolveLearner(learner.after, event, by);
  }

  function compare(learner: Learner, position: number): void {
    const bank = bankOf(learner, context, input.track);
    if (bank === null) return;
    learner.answers += 1;
    if (learner.answers % input.every !== 0) return;
    const { learnerId, before, after } = learner;
    const asked = { learnerId, sessionType: before.lastSessionType, now: before.recordedAt, size: input.count };
    const { weights } = context.current;
    const asWas = selectionInput({ ...asked, state: before, bank: bank.own, model, weights });
    const was = selectItems(asWas);
    const changed = variant.bank(bank.shared, learnerId);
    const is = once
      ? // The same learner by the same model: what is known is looked up once.
        selectItems({ ...asWas, bank: changed, policy: changed.policy })
      : selectForLearner({
          ...{ ...asked, state: after, bank: changed, model: other?.model ?? model },
          weights: other === null ? weights : other.weights(position),
        });
    const part = partOf(tally, plan, position);
    part.from ??= before.recordedAt;
    const { firstChanged, identical } = countChoice(tally, part, was.items, is.items);
    learner.lists += 1;
    if (firstChanged) learner.firstChanged += 1;
    if (identical) learner.identical += 1;
  }

  return {
    async advance(event: StoredEvent) {
      await context.advance(event);
      await other?.advance(event);
    },
    /** A learner whose event cannot be folded stays where they were, as in the projector. */
    fold(stored: StoredEvent): void {
      if (stored.position > from) tally.events += 1;
      const learner = learnerOf(stored.stream);
      if (learner.parked) return;
      try {
        const event = decodeEvent(stored);
        if (event.type !== "InteractionRecorded") throw new UnreadableEvent(stored, "not an event of a learner");
        evolve(learner, event);
        if (stored.position > from && event.data.kind === "answer") compare(learner, stored.position);
      } catch {
        learner.parked = true;
      }
    },
    result(): RangeResult {
      const changes: LearnerChange[] = [];
      for (const learner of learners.values()) {
        if (learner.lists > 0) changes.push(finish(learner, tally, context, variant));
      }
      for (const change of changes) noteLearner(tally, change);
      keepMost(tally);
      return { tally, learners: changes };
    },
  };
}

/** The other model with its weights of each moment; null where the model stays. */
function otherSide(deps: RangeDeps, { otherModel }: RangePlan) {
  if (otherModel === null) return null;
  const { model, trained } = otherModel;
  if (trained !== null) return { model, weights: inOrder(model, trained), advance: async () => undefined };
  const published = createContext({ ...deps, model });
  return { model, weights: () => published.current.weights, advance: (event: StoredEvent) => published.advance(event) };
}

/** The bank that a learner's list is made of, shared by all and as the learner's arm has it; null for another track's. */
function bankOf(learner: Learner, context: Context, track: string | undefined) {
  const { lastTrackId } = learner.before;
  const shared = context.bank(lastTrackId) ?? context.bank(null);
  if (shared === null || (track !== undefined && shared.trackId !== track)) return null;
  return { shared, own: bankOfLearner(learner.learnerId, lastTrackId, context.bank) };
}

function partOf({ parts }: Tally, { from, to }: RangePlan, position: number): PartTally {
  const at = Math.floor(((position - from - 1) * partsCount) / Math.max(1, to - from));
  return parts[Math.min(partsCount - 1, Math.max(0, at))] as PartTally;
}

/** What stands at the end of the slice. */
function finish(learner: Learner, tally: Tally, context: Context, variant: Variant): LearnerChange {
  const { learnerId, before, after, lists, firstChanged, identical } = learner;
  const bank = bankOfLearner(learnerId, before.lastTrackId, context.bank);
  const shared = context.bank(before.lastTrackId) ?? context.bank(null);
  const policy: Policy = shared === null ? bank.policy : variant.bank(shared, learnerId).policy;
  const dueChanged = countDue(tally, before, after);
  const calls = countMastery(tally, { state: before, policy: bank.policy }, { state: after, policy });
  return { learnerId, lists, firstChanged, identical, dueChanged, ...calls };
}
