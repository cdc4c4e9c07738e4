import type { SessionType } from "../events.ts";
import { bankForLearner } from "../item-bank/bank.ts";
import { ItemMarks } from "../item-selection/item-marks.ts";
import { selectItems } from "../item-selection/select.ts";
import type { Draw, ItemBank, ItemDone, Selection, SelectionInput } from "../item-selection/selection.ts";
import type { LearnerModel, PreparedQuestions } from "../learner-model/learner-model.ts";
import { newMastery } from "../learner-model/mastery.ts";
import { dueCards, nextDueAt, upcomingCards } from "../reviews/cards.ts";
import { heldMastery, nextLapseAt } from "./held-mastery.ts";
import { answersTo, never } from "./items-seen.ts";
import { type LearnerState, lastItemIds } from "./learner-state.ts";
import { sessionSoFar } from "./session.ts";

export interface LearnerSelection {
  readonly learnerId: string;
  readonly state: LearnerState;
  /** Of the track asked for. */
  readonly bank: ItemBank;
  readonly model: LearnerModel;
  /** They must not change any more. */
  readonly weights: unknown;
  readonly sessionType: SessionType;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How many items at the most. */
  readonly size: number;
  /** Only items with one of these skills, when given. */
  readonly onlySkillIds?: readonly string[];
  /** Never these. */
  readonly excludedItemIds?: ReadonlySet<string>;
  /** The session this is for, where it is known. */
  readonly sessionId?: string;
  /** Told of each draw of exploration. */
  readonly onDraw?: (draw: Draw) => void;
}

const unseen = newMastery();

/**
 * What a learner's list is made of: the bank of the track, or of all items where there is none, or it is unknown or
 * retired; in an experiment that of the learner's arm. Where no track is asked for, give the one that the learner's last
 * interaction with a track named.
 */
export function bankOfLearner(
  learnerId: string,
  trackId: string | null,
  bankOf: (trackId: string | null) => ItemBank | null,
): ItemBank {
  const bank = bankOf(trackId) ?? bankOf(null);
  if (bank === null) throw new Error("there is always a bank of all items");
  return bankForLearner(bank, learnerId);
}

/**
 * What this learner should do next. The projector's precomputed lists and lists computed on demand both come from here:
 * the same state, bank, weights and time give the same list.
 */
export const selectForLearner = (input: LearnerSelection): Selection => selectItems(selectionInput(input));

/**
 * What a selection is made of. To be used at once: before the learner's state changes, and before the next one is made.
 * With another bank of the same items (one under another policy with the same `masteryNeeds`) it serves as well.
 */
export function selectionInput(input: LearnerSelection): SelectionInput {
  const { state, bank, model, weights, now, size, sessionType, onlySkillIds, excludedItemIds, onDraw } = input;
  const predict = predictedOnce(prepared(model, weights, bank).forLearner(state.local, now), bank.allItems.length);
  return {
    bank,
    policy: bank.policy,
    sessionType,
    now,
    seed: `${input.learnerId}:${state.revision}`,
    predict,
    mastery: (skillId) => heldMastery(state, skillId, bank.policy) ?? unseen,
    recentItemIds: lastItemIds(state),
    due: dueCards(state.cards, now),
    nextDueAt: nextDueAt(state.cards, now),
    nextLapseAt: nextLapseAt(state, bank.policy, now),
    ...(sessionType === "review" ? { upcoming: upcomingCards(state.cards, now, size) } : {}),
    size,
    ...(onlySkillIds === undefined ? {} : { onlySkillIds }),
    ...(excludedItemIds === undefined ? {} : { excludedItemIds }),
    ...(onDraw === undefined ? {} : { onDraw }),
    learnerId: input.learnerId,
    done: ({ itemId }) => doneOf(state, itemId),
    session: sessionSoFar(state.session, { lastAt: state.recordedAt, now, sessionId: input.sessionId }),
  };
}

/** Of the selection in hand, by the item's index: an item is looked at under several skills, and as a review. */
const predicted = new ItemMarks();
let predictions = new Float64Array(256);

function predictedOnce(predict: (question: number) => number, items: number): SelectionInput["predict"] {
  predicted.begin(items);
  if (predictions.length < items) predictions = new Float64Array(2 * items);
  return ({ index }) => {
    if (predicted.has(index)) return predictions[index] as number;
    const p = predict(index);
    predicted.add(index);
    predictions[index] = p;
    return p;
  };
}

const neverDone: ItemDone = { times: 0, lastAt: 0 };

/** Answers count, and something that was only viewed counts once. */
function doneOf({ ids, items }: LearnerState, itemId: string): ItemDone {
  const number = ids.items.find(itemId);
  const seconds = items.engagedAt[number] ?? never;
  if (seconds === never) return neverDone;
  return { times: Math.max(1, answersTo(items, number)), lastAt: seconds * 1000 };
}

/** Of the banks and weights in use, as long as both are: weights are published a few times an hour, banks change as seldom. */
const questions = new WeakMap<object, WeakMap<ItemBank["allItems"], PreparedQuestions>>();

function prepared(model: LearnerModel, weights: unknown, bank: ItemBank): PreparedQuestions {
  const key = weights as object;
  const banks = questions.get(key) ?? new WeakMap<ItemBank["allItems"], PreparedQuestions>();
  questions.set(key, banks);
  // Banks that differ in their policy only share their items.
  const known = banks.get(bank.allItems);
  if (known !== undefined) return known;
  const made = model.prepare(weights, bank.allItems);
  banks.set(bank.allItems, made);
  return made;
}
