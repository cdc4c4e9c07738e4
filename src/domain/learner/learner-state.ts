import type { EventOf, InteractionRecorded, Policy, SessionType } from "../events.ts";
import { answerOf } from "../learner-model/answer-of.ts";
import { foldMastery } from "../learner-model/fold-mastery.ts";
import { type Guessing, newGuessing } from "../learner-model/guessing.ts";
import { type LearnerIds, newLearnerIds } from "../learner-model/ids.ts";
import type { Answer, LearnerModel } from "../learner-model/learner-model.ts";
import type { Mastery } from "../learner-model/mastery.ts";
import { skillSet } from "../learner-model/skill-set.ts";
import { type Cards, newCards, reviewCard } from "../reviews/cards.ts";
import { engage, type ItemsSeen, meetItem, noItemsSeen, noteAnswer, noteHint } from "./items-seen.ts";
import { evolveSession, newSession, type Session } from "./session.ts";

/** Longest do-not-repeat window a policy may ask for. */
export const lastItemsMax = 200;
/** Newest first. */
export const recentOutcomesMax = 20;

export interface Outcome {
  /** Its number among the learner's ids. */
  readonly item: number;
  readonly correct: boolean;
  /** Probability 0..1 of a correct answer, as predicted before it came. */
  readonly p: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * All that is known of one learner: a pure function of the learner's events and of the weights published before each.
 * Owned by one fold and updated IN PLACE; after a throw it must be thrown away and read again.
 */
export interface LearnerState {
  /** Of the learner's stream: the last event folded in; 0 before the first. */
  revision: number;
  /** Of the log: the same event. */
  position: number;
  /** When that event was recorded, milliseconds since 1970. */
  recordedAt: number;
  /** Name of the model that `local` belongs to. */
  readonly model: string;
  /** Items in the order in which the learner met them, skills in the order of their first answer. */
  readonly ids: LearnerIds;
  /** The model's own state of this learner. */
  readonly local: unknown;
  /** By the skill's number. */
  readonly mastery: Mastery[];
  readonly guessing: Guessing;
  interactions: number;
  answers: number;
  correct: number;
  /** Correct answers in a row up to now, and the most there ever were. */
  streak: number;
  bestStreak: number;
  /** Newest first, at most {@link recentOutcomesMax}. */
  readonly recent: Outcome[];
  /** Numbers of the items answered, viewed or skipped, each once, newest first: the order in which items are stored. */
  readonly lastNumbers: number[];
  readonly items: ItemsSeen;
  /** Latest `occurredAt` of all; the clock of reviews, which may not go back. Milliseconds since 1970. */
  latestAt: number;
  lastSessionType: SessionType;
  /** Of the last interaction that named one, whether or not there is such a track; null where none did. */
  lastTrackId: string | null;
  readonly session: Session;
  readonly cards: Cards;
}

export function newLearnerState(model: LearnerModel): LearnerState {
  const ids = newLearnerIds();
  return {
    revision: 0,
    position: 0,
    recordedAt: 0,
    model: model.name,
    ids,
    local: model.newLocal(ids),
    mastery: [],
    guessing: newGuessing(),
    interactions: 0,
    answers: 0,
    correct: 0,
    streak: 0,
    bestStreak: 0,
    recent: [],
    lastNumbers: [],
    items: noItemsSeen(),
    latestAt: 0,
    lastSessionType: "practice",
    lastTrackId: null,
    session: newSession(),
    cards: newCards(ids),
  };
}

/** Items answered, viewed or skipped, each once, newest first. */
export function lastItemIds(state: LearnerState, limit = lastItemsMax): string[] {
  const { lastNumbers, ids } = state;
  const found: string[] = [];
  for (let age = 0; age < lastNumbers.length && age < limit; age += 1) {
    found.push(ids.items.list[lastNumbers[age] as number] ?? "");
  }
  return found;
}

/** null for a skill that the learner never answered. */
export function masteryOf(state: LearnerState, skillId: string): Mastery | null {
  const number = state.ids.skills.find(skillId);
  return number < 0 ? null : (state.mastery[number] ?? null);
}

/** What one event changed, as far as others than the learner count it. */
export interface Transition {
  readonly itemId: string;
  /** Milliseconds since 1970. */
  readonly occurredAt: number;
  /** Set when the learner worked on the item: it counts as popular. */
  readonly engagement: {
    /** Latest time the learner had done so before; null for never. Milliseconds since 1970. */
    readonly previousAt: number | null;
  } | null;
  readonly answer: AnswerTransition | null;
}

export interface AnswerTransition {
  readonly correct: boolean;
  /** The learner's first answer to this item. */
  readonly first: boolean;
  /** Probability 0..1 that was predicted. */
  readonly p: number;
  /** The learner's ability in logits before the answer, see {@link abilityOf}; null where nobody counts it. */
  readonly ability: number | null;
  /** With a hint, given with the answer or since the last one. */
  readonly hinted: boolean;
  readonly durationMs: number | null;
}

export interface FoldContext {
  readonly model: LearnerModel;
  /** Of the newest ModelPublished before the event. */
  readonly weights: unknown;
  /** Of the track that the interaction names, as it stood at the event. */
  readonly policy: FoldPolicy;
  /** Nobody counts what changed: the learner's ability is not asked for. */
  readonly uncounted?: boolean;
}

/** What of a policy shapes the state itself; all the rest is asked for when items are selected. */
export type FoldPolicy = Pick<Policy, "reviewBy" | "reviews" | "masteryNeeds">;

/**
 * Ability in logits: how likely the model holds a right answer to an average question (of no known item or skill).
 */
export function abilityOf(model: LearnerModel, weights: unknown, local: unknown): number {
  const p = model.predict(weights, local, averageQuestion);
  return Math.log(p / (1 - p));
}
const averageQuestion = { itemId: "", skillIds: [] };

/**
 * Folds the next event of the learner's stream into the state, in place. The order of the stream is the truth, the
 * times in it may go backwards. Throws when the event is not the next one (a bug of the caller).
 */
export function evolveLearner(
  state: LearnerState,
  event: EventOf<"InteractionRecorded">,
  context: FoldContext,
): Transition {
  if (event.revision !== state.revision + 1) {
    throw new Error(`revision ${event.revision} cannot be folded on revision ${state.revision} of ${event.stream}`);
  }
  const { data } = event;
  const occurredAt = Date.parse(data.occurredAt);
  const sinceMs = occurredAt - state.latestAt;
  state.latestAt = Math.max(state.latestAt, occurredAt);
  const item = state.ids.items.add(data.itemId);
  meetItem(state.items, item);
  evolveSession(state.session, data, { sinceMs, sameItem: state.lastNumbers[0] === item });
  const answer = answerOf(data);
  const answered = answer === null ? null : foldAnswer(state, item, data, answer, context);
  const engaged = data.kind === "answer" || data.kind === "view";
  const engagement = engaged ? { previousAt: engage(state.items, item, occurredAt) } : null;
  if (data.kind === "hint") noteHint(state.items, item);
  if (engaged || data.kind === "skip") moveToFront(state.lastNumbers, item);
  state.interactions += 1;
  if (data.sessionType !== undefined) state.lastSessionType = data.sessionType;
  if (data.trackId !== undefined) state.lastTrackId = data.trackId;
  state.revision = event.revision;
  state.position = event.position;
  state.recordedAt = Date.parse(event.recordedAt);
  return { itemId: data.itemId, occurredAt, engagement, answer: answered };
}

function foldAnswer(
  state: LearnerState,
  item: number,
  data: InteractionRecorded,
  answer: Answer,
  { model, weights, policy, uncounted = false }: FoldContext,
): AnswerTransition {
  const ability = uncounted ? null : abilityOf(model, weights, state.local);
  const p = model.observe(weights, state.local, answer);
  const { correct } = answer;
  const { first, hinted: asked } = noteAnswer(state.items, item);
  const hinted = asked || (data.hintCount ?? 0) > 0;
  const skills = skillSet(answer.skillIds).map((skillId) => state.ids.skills.add(skillId));
  const { pMax } = policy.masteryNeeds;
  foldMastery(
    state,
    skills,
    { correct, hinted, p, difficulty: answer.difficulty, at: answer.at, pMax },
    { model, weights },
  );
  reviewCards(state, data, correct, policy);
  state.answers += 1;
  state.correct += correct ? 1 : 0;
  state.streak = correct ? state.streak + 1 : 0;
  state.bestStreak = Math.max(state.bestStreak, state.streak);
  state.recent.unshift({ item, correct, p: Math.round(p * 10_000) / 10_000, at: answer.at ?? 0 });
  if (state.recent.length > recentOutcomesMax) state.recent.pop();
  return { correct, first, p, ability, hinted, durationMs: data.durationMs ?? null };
}

/** One card for each skill, or for the item where the track says so, or where no skill is known. */
function reviewCards(
  state: LearnerState,
  data: InteractionRecorded,
  correct: boolean,
  { reviewBy, reviews }: FoldPolicy,
): void {
  const bySkill = reviewBy === "skill" && data.skillIds.length > 0;
  const { durationMs, hintCount } = data;
  const of = bySkill ? "skills" : "items";
  for (const id of bySkill ? skillSet(data.skillIds) : [data.itemId]) {
    reviewCard(state.cards, { of, id, correct, durationMs, hintCount, at: state.latestAt }, reviews);
  }
}

function moveToFront(numbers: number[], number: number): void {
  const at = numbers.indexOf(number);
  if (at < 0) numbers.push(number);
  // Those before it move back by one. copyWithin takes ten times as long.
  for (let to = at < 0 ? numbers.length - 1 : at; to > 0; to -= 1) numbers[to] = numbers[to - 1] as number;
  numbers[0] = number;
}
