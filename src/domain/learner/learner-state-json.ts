import type { SessionType } from "../events.ts";
import type { LearnerModel } from "../learner-model/learner-model.ts";
import { masteryFromJson, masteryToJson } from "../learner-model/mastery.ts";
import type { Cards } from "../reviews/cards.ts";
import { type ItemsSeen, never } from "./items-seen.ts";
import type { LearnerState, Outcome } from "./learner-state.ts";

/**
 * The stored form of a learner's state: nested arrays of numbers and ids, without names. What is read back equals what
 * was written to the last bit, so that a fold goes on the same wherever it was interrupted. Items are named once and
 * meant by their number elsewhere.
 */
export const stateFormat = 1;

type Flat = (string | number | null)[];
type StateJson = [
  format: number,
  model: string,
  place: [revision: number, position: number, recordedAt: number],
  counts: [interactions: number, answers: number, correct: number, streak: number, bestStreak: number],
  last: [latestAt: number, sessionType: SessionType, trackId: string | null],
  local: unknown,
  /** [skill, p, n, evidence] one after the other. */
  mastery: Flat,
  /** [item's number, 1 for correct, p, ms before latestAt] one after the other. */
  recent: number[],
  /** Items' numbers. */
  lastNumbers: number[],
  /** By number: the id, engaged ms before latestAt (-1: never), answers as in items-seen.ts. */
  items: [ids: string[], engaged: number[], answers: number[]],
  cards: Cards,
];

export function learnerStateToJson(state: LearnerState, model: LearnerModel): unknown {
  const { ids, numbers, engagedAt, answers } = state.items;
  const mastery: Flat = [];
  state.mastery.forEach((one, skillId) => {
    const [p, n, evidence] = masteryToJson(one);
    mastery.push(skillId, p, n, evidence);
  });
  const recent: number[] = [];
  // Times are told by how long before the latest: small whole numbers are written fastest.
  const { latestAt } = state;
  for (const { itemId, correct, p, at } of state.recent)
    recent.push(numbers.get(itemId) ?? -1, correct ? 1 : 0, p, latestAt - at);
  const engaged = engagedAt.map((at) => (at === never ? never : latestAt - at));
  const json: StateJson = [
    stateFormat,
    state.model,
    [state.revision, state.position, state.recordedAt],
    [state.interactions, state.answers, state.correct, state.streak, state.bestStreak],
    [state.latestAt, state.lastSessionType, state.lastTrackId],
    model.localToJson(state.local),
    mastery,
    recent,
    state.lastNumbers,
    [ids, engaged, answers],
    state.cards,
  ];
  return json;
}

/** Whether a state can be read by this code and belongs to this model; if not, it is rebuilt from the log. */
export function isLearnerStateJson(json: unknown, model: LearnerModel): boolean {
  return Array.isArray(json) && json[0] === stateFormat && json[1] === model.name;
}

/** Throws on what {@link learnerStateToJson} did not write, or wrote with another model. */
export function learnerStateFromJson(json: unknown, model: LearnerModel): LearnerState {
  if (!isLearnerStateJson(json, model)) throw new Error(`not a learner state of format ${stateFormat}, ${model.name}`);
  const [, name, place, counts, last, local, mastery, recent, lastNumbers, items, cards] = json as StateJson;
  return {
    revision: place[0],
    position: place[1],
    recordedAt: place[2],
    model: name,
    local: model.localFromJson(local),
    mastery: masteryMap(mastery),
    interactions: counts[0],
    answers: counts[1],
    correct: counts[2],
    streak: counts[3],
    bestStreak: counts[4],
    recent: outcomes(recent, items[0], last[0]),
    lastNumbers,
    items: itemsFromJson(items, last[0]),
    latestAt: last[0],
    lastSessionType: last[1],
    lastTrackId: last[2],
    cards,
  };
}

function itemsFromJson([ids, engaged, answers]: StateJson[9], latestAt: number): ItemsSeen {
  const numbers = new Map<string, number>();
  for (let number = 0; number < ids.length; number += 1) numbers.set(idAt(ids, number), number);
  const engagedAt = engaged.map((before) => (before === never ? never : latestAt - before));
  return { ids, numbers, engagedAt, answers };
}

function masteryMap(flat: Flat): LearnerState["mastery"] {
  const mastery: LearnerState["mastery"] = new Map();
  for (let at = 0; at < flat.length; at += 4) {
    mastery.set(flat[at] as string, masteryFromJson(flat.slice(at + 1, at + 4)));
  }
  return mastery;
}

function outcomes(flat: readonly number[], ids: readonly string[], latestAt: number): Outcome[] {
  const recent: Outcome[] = [];
  for (let at = 0; at < flat.length; at += 4) {
    const [index = -1, correct = 0, p = 0, before = 0] = flat.slice(at, at + 4);
    recent.push({ itemId: idAt(ids, index), correct: correct === 1, p, at: latestAt - before });
  }
  return recent;
}

function idAt(ids: readonly string[], index: number): string {
  const id = ids[index];
  if (id === undefined) throw new Error(`a learner state names item number ${index} of ${ids.length}`);
  return id;
}
