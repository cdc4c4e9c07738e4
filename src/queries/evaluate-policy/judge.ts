import type { PolicyOverrides } from "../../domain/events.ts";
import { bankForLearner, overridden, withPolicy } from "../../domain/item-bank/bank.ts";
import { type Choice, choicesOf } from "../../domain/item-selection/choices.ts";
import type { Draw, ItemBank, SelectedItem } from "../../domain/item-selection/selection.ts";
import type { LearnerState } from "../../domain/learner/learner-state.ts";
import { selectForLearner } from "../../domain/learner/select-for-learner.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { expectedReward, type Reward } from "./rewards.ts";
import type { ServedList } from "./served-in-log.ts";

/** What is known of a place of a served list before it is answered. */
export interface JudgedPlace {
  readonly itemId: string;
  readonly logged: number;
  readonly other: number;
  readonly expected: number;
  readonly expectedOfOther: number;
  /** Of what the other policy may put there, the share that the one that served never does. */
  readonly unsupported: number;
  reward(correct: boolean): number;
}

export interface JudgedList {
  /** null: the other policy has nothing for this place, or the item is not in the track any more. */
  readonly places: readonly (JudgedPlace | null)[];
  /** Selected again from the log, it is the list that was served. */
  readonly reproduced: boolean;
}

export interface Judging {
  readonly list: ServedList;
  /** The learner as the list knew them. */
  readonly state: LearnerState;
  /** Of the track as the list knew it. */
  readonly bank: ItemBank;
  readonly model: LearnerModel;
  readonly weights: unknown;
  readonly policy: PolicyOverrides;
  readonly reward: Reward;
}

/** Selects the list again, with the policy that served and with the other, and lays them side by side. */
export function judge(judging: Judging): JudgedList {
  const { list, bank, state, policy, reward } = judging;
  const served = choices(judging, bankForLearner(bank, list.learnerId));
  const other = choices(judging, withPolicy(bank, overridden(bank.policy, policy), "other"));
  const worth = (itemId: string, p: number): number => {
    const item = bank.items.get(itemId);
    return item === undefined ? 0 : expectedReward(reward, state, item, p);
  };
  const places = list.items.map(({ itemId, p, propensity: logged }, place): JudgedPlace | null => {
    const item = bank.items.get(itemId);
    const here = other.places[place];
    if (item === undefined || here === undefined) return null;
    const possible = new Set(served.places[place]?.map((choice) => choice.itemId));
    return {
      ...{ itemId, logged, other: probabilityOf(here, itemId), expected: worth(itemId, p) },
      expectedOfOther: sum(here, (choice) => choice.probability * worth(choice.itemId, choice.p)),
      unsupported: sum(here, (choice) => (possible.has(choice.itemId) ? 0 : choice.probability)),
      reward: (correct) => reward.of(state, item, p, correct),
    };
  });
  return { places, reproduced: same(list, served.items) };
}

function choices({ list, state, model, weights }: Judging, bank: ItemBank) {
  const draws: Draw[] = [];
  const { learnerId, sessionType, size, skillIds, sessionId, computed, servedAt } = list;
  const { items } = selectForLearner({
    ...{ learnerId, state, bank, model, weights, sessionType, size },
    now: computed === "precomputed" ? state.recordedAt : servedAt,
    ...(skillIds === undefined ? {} : { onlySkillIds: skillIds }),
    ...(sessionId === undefined ? {} : { sessionId }),
    onDraw: (draw) => draws.push(draw),
  });
  return { items, places: choicesOf(items, draws) };
}

const probabilityOf = (here: readonly Choice[], itemId: string): number =>
  here.find((choice) => choice.itemId === itemId)?.probability ?? 0;

const sum = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((total, one) => total + of(one), 0);

/** Propensities are stored with a few digits. */
function same({ items }: ServedList, again: readonly SelectedItem[]): boolean {
  return items.every(({ itemId, propensity }, place) => {
    const one = again[place];
    return one?.itemId === itemId && Math.abs(one.propensity - propensity) <= 0.002 * propensity + 2e-6;
  });
}
