import type { BankItem, ItemBank } from "../../domain/item-selection/selection.ts";
import { measure } from "../../domain/learner-model/metrics.ts";
import type { SimulatedLearner } from "../../domain/simulated-learners/learner.ts";
import { meanOf } from "../statistics/intervals.ts";

/**
 * What is told of one class under one policy: means over its learners, shares 0..1. "Called" mastered is what the production
 * code believes (the track's mastery threshold), "truly" is what the generator knows. Null where there is nothing to tell.
 */
export interface ClassMeasures {
  /** Items until all skills are called mastered and truly are; who never gets there counts with the horizon. */
  readonly itemsToMastery: number;
  /** The same until all are called mastered, true or not. */
  readonly itemsToCall: number;
  /** The same until all truly are, called or not. */
  readonly itemsToTruth: number;
  /** Share of learners who reach mastery, called and true, within the horizon. */
  readonly reached: number;
  /** Share of skills truly mastered at the first moment that all are called so (or at the horizon). */
  readonly trueAtCall: number;
  /** Share of skills truly mastered after the budget. */
  readonly trueAtEnd: number;
  /** Share of skills called mastered after the budget. */
  readonly calledAtEnd: number;
  /** Of the skills called mastered after the budget, the share that truly is not. */
  readonly falseAtEnd: number | null;
  /** Of the calls of mastery, at the moment each was made first, the share that was not true. */
  readonly falseCalls: number | null;
  /** Share of answers within the budget that were right, and how far that is from the target, |share - target|. */
  readonly success: number | null;
  readonly offTarget: number | null;
  /** Expected calibration error of the predictions made for the items given, within the budget. */
  readonly calibration: number | null;
  /** Share of items within the budget whose skills were all called mastered already. */
  readonly reviews: number;
  /** Memory cards due at the end of the budget, for each learner. */
  readonly overdue: number;
  /** How often the item given most was given, for each learner, within the budget; and the Gini index over all items. */
  readonly mostExposed: number;
  readonly exposureGini: number;
  /** Minutes at work until mastery, called and true (or the horizon), and within the budget. */
  readonly minutesToMastery: number;
  readonly minutesInBudget: number;
}
export type MeasureName = keyof ClassMeasures;

export interface ClassRun {
  readonly measures: ClassMeasures;
  /** Whether each call of mastery that stands after the budget is true, of all learners, those held for surest first. */
  readonly calls: readonly boolean[];
}

/** Of calls, said of each whether it is true; null of none. */
export const shareFalse = (calls: readonly boolean[]): number | null =>
  calls.length === 0 ? null : calls.filter((call) => !call).length / calls.length;

/** A call that stands after the budget. */
export interface Call {
  /** Probability of mastery times the recall that its memory card expects. */
  readonly certainty: number;
  readonly true: boolean;
}

/** The surest first; of those as sure in the order in which they were noted. */
export const surestFirst = (calls: readonly Call[]): boolean[] =>
  calls.toSorted((a, b) => b.certainty - a.certainty).map((call) => call.true);

/** Everything that is counted of a class on the way. */
export interface Tally {
  readonly exposures: Map<string, number>;
  readonly predictions: number[];
  readonly outcomes: number[];
  readonly seats: SeatTally[];
  items: number;
  reviews: number;
  calls: number;
  falseCalls: number;
  readonly callsAtEnd: Call[];
}

export interface SeatTally {
  items: number;
  minutes: number;
  itemsToMastery: number | null;
  itemsToCall: number | null;
  itemsToTruth: number | null;
  trueAtCall: number;
  trueAtEnd: number;
  overdue: number;
  minutesToMastery: number;
  minutesInBudget: number;
}

export function newTally(learners: number): Tally {
  return {
    exposures: new Map(),
    predictions: [],
    outcomes: [],
    seats: Array.from({ length: learners }, () => ({
      items: 0,
      minutes: 0,
      itemsToMastery: null,
      itemsToCall: null,
      itemsToTruth: null,
      trueAtCall: 0,
      trueAtEnd: 0,
      overdue: 0,
      minutesToMastery: 0,
      minutesInBudget: 0,
    })),
    items: 0,
    reviews: 0,
    calls: 0,
    falseCalls: 0,
    callsAtEnd: [],
  };
}

export const shareMastered = (learner: SimulatedLearner, { skillIds }: ItemBank, at: number): number =>
  skillIds.filter((id) => learner.masters(id, at)).length / skillIds.length;

export function noteGiven(tally: Tally, { itemId }: BankItem, isReview: boolean): void {
  tally.items += 1;
  tally.reviews += isReview ? 1 : 0;
  tally.exposures.set(itemId, (tally.exposures.get(itemId) ?? 0) + 1);
}

export function measuresOf(tally: Tally, { allItems, policy, skillIds }: ItemBank, horizon: number): ClassMeasures {
  const { seats } = tally;
  const mean = (of: (seat: SeatTally) => number): number => meanOf(seats.map(of));
  const success = tally.outcomes.length === 0 ? null : meanOf(tally.outcomes);
  const counts = allItems.map(({ itemId }) => tally.exposures.get(itemId) ?? 0);
  return {
    itemsToMastery: mean(({ itemsToMastery }) => itemsToMastery ?? horizon),
    itemsToCall: mean(({ itemsToCall }) => itemsToCall ?? horizon),
    itemsToTruth: mean(({ itemsToTruth }) => itemsToTruth ?? horizon),
    reached: mean(({ itemsToMastery }) => (itemsToMastery === null ? 0 : 1)),
    trueAtCall: mean(({ trueAtCall }) => trueAtCall),
    trueAtEnd: mean(({ trueAtEnd }) => trueAtEnd),
    falseAtEnd: shareFalse(tally.callsAtEnd.map((call) => call.true)),
    calledAtEnd: tally.callsAtEnd.length / (seats.length * skillIds.length),
    falseCalls: tally.calls === 0 ? null : tally.falseCalls / tally.calls,
    success,
    offTarget: success === null ? null : Math.abs(success - policy.targetSuccess),
    calibration:
      tally.outcomes.length === 0
        ? null
        : measure(Float64Array.from(tally.predictions), Uint8Array.from(tally.outcomes)).ece,
    reviews: tally.items === 0 ? 0 : tally.reviews / tally.items,
    overdue: mean(({ overdue }) => overdue),
    mostExposed: Math.max(...counts) / seats.length,
    exposureGini: gini(counts),
    minutesToMastery: mean(({ minutesToMastery }) => minutesToMastery),
    minutesInBudget: mean(({ minutesInBudget }) => minutesInBudget),
  };
}

/** 0 when all are equal, towards 1 when one has all; 0 of nothing. */
export function gini(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const total = sorted.reduce((sum, value) => sum + value, 0);
  if (total === 0) return 0;
  const weighted = sorted.reduce((sum, value, index) => sum + (2 * (index + 1) - sorted.length - 1) * value, 0);
  return weighted / (sorted.length * total);
}
