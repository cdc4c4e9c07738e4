import {
  BasicLearningStepsStrategy,
  computeDecayFactor,
  default_w,
  FSRS,
  generatorParameters,
  Rating,
  State,
  type StepUnit,
} from "ts-fsrs";
import { type ReviewSettings, reviewSettingsSchema } from "../events.ts";
import type { DueCard } from "../item-selection/selection.ts";
import { longestCountedMs } from "../learner/session.ts";
import { type LearnerIds, newLearnerIds } from "../learner-model/ids.ts";

/**
 * Memory cards of one learner, of skills or of items, each under the number of its id; null where there is none.
 *
 * The memory model and its intervals are FSRS-6 (ts-fsrs, default parameters); wanted recall, longest interval and learning
 * steps are the policy's. Fuzz is off, so the same answers always give the same cards. Learning steps are off unless the
 * policy has some, since what was failed is practised again in the same sitting anyway, because its skill is open.
 */
export interface Cards {
  readonly ids: LearnerIds;
  readonly skills: (Card | null)[];
  readonly items: (Card | null)[];
}

/**
 * Short, because a learner has hundreds: last review (seconds since 1970), wait until due (days; in learning steps
 * minutes), stability (days), difficulty (1..10), reviews, lapses, usual duration of a correct answer (ms; 0: not
 * known), step ({@link stepOf}; 0: none).
 */
export type Card = [
  last: number,
  wait: number,
  stability: number,
  difficulty: number,
  reviews: number,
  lapses: number,
  usualMs: number,
  step: number,
];

export interface Review {
  /** Whose card it is. */
  readonly of: "skills" | "items";
  readonly id: string;
  readonly correct: boolean;
  readonly durationMs?: number | undefined;
  readonly hintCount?: number | undefined;
  /** Milliseconds since 1970. One before the card's last review (an offline client's) counts as made right after it. */
  readonly at: number;
}

export const defaultReviewSettings = reviewSettingsSchema.parse({});

/** Of the settings of the policies in use. */
const schedulers = new WeakMap<ReviewSettings, FSRS>();

function schedulerOf(settings: ReviewSettings): FSRS {
  const known = schedulers.get(settings);
  if (known !== undefined) return known;
  const minutes = (step: number): StepUnit => `${step}m`;
  const made = new FSRS(
    generatorParameters({
      ...{ enable_fuzz: false, enable_short_term: true },
      ...{ request_retention: settings.retention, maximum_interval: settings.maxIntervalDays },
      learning_steps: settings.learningStepsMinutes.map(minutes),
      relearning_steps: settings.relearningStepsMinutes.map(minutes),
    }),
  );
  schedulers.set(settings, made);
  return made;
}

const daySeconds = 86_400;

export const newCards = (ids: LearnerIds = newLearnerIds()): Cards => ({ ids, skills: [], items: [] });

/** null where the learner has no such card. */
export function cardOf(cards: Cards, of: "skills" | "items", id: string): Card | null {
  const number = cards.ids[of].find(id);
  return number < 0 ? null : (cards[of][number] ?? null);
}

/** Folds one answer into its card, in place, making the card at the first. Returns whether the card was due before. */
export function reviewCard(cards: Cards, review: Review, settings: ReviewSettings = defaultReviewSettings): boolean {
  const scheduler = schedulerOf(settings);
  const all = cards[review.of];
  const number = cards.ids[review.of].add(review.id);
  while (all.length <= number) all.push(null);
  const card = all[number] ?? null;
  const at = Math.floor(review.at / 1000);
  const now = card === null ? at : Math.max(at, card[0]);
  const rating = rate(review, card);
  const memory = card === null ? null : { stability: card[2], difficulty: card[3] };
  const elapsedDays = card === null ? 0 : Math.floor(now / daySeconds) - Math.floor(card[0] / daySeconds);
  const next = scheduler.next_state(memory, elapsedDays, rating);
  const stability = rounded(next.stability, stabilityUnit);
  const step = nextStep(scheduler, card, rating);
  all[number] = [
    now,
    step?.minutes ?? scheduler.next_interval(stability, elapsedDays),
    stability,
    rounded(next.difficulty, difficultyUnit),
    (card?.[4] ?? 0) + 1,
    (card?.[5] ?? 0) + (card !== null && !review.correct ? 1 : 0),
    usualDuration(review, card),
    step?.code ?? 0,
  ];
  return card !== null && dueSeconds(card) <= now;
}

/** How a step is told in a card: from 1 on, odd while a new card is learnt, even while a forgotten one is learnt again. */
const stepOf = (step: number, relearning: boolean): number => 2 * step + (relearning ? 2 : 1);

/** The (re)learning step that the card goes to, as ts-fsrs has it; null where it counts in days from now on. */
function nextStep(scheduler: FSRS, card: Card | null, rating: Rating): { code: number; minutes: number } | null {
  const { learning_steps: steps, relearning_steps: again } = scheduler.parameters;
  if (steps.length === 0 && again.length === 0) return null;
  const code = card?.[7] ?? 0;
  const relearning = code === 0 ? card !== null : code % 2 === 0;
  const state = code > 0 ? (relearning ? State.Relearning : State.Learning) : card === null ? State.New : State.Review;
  const at = code === 0 ? 0 : Math.floor((code - 1) / 2);
  const to = BasicLearningStepsStrategy(scheduler.parameters, state, at)[rating as Rating.Again];
  if (to === undefined || to.scheduled_minutes <= 0) return null;
  return { code: stepOf(to.next_step, relearning), minutes: Math.round(to.scheduled_minutes) };
}

/**
 * Wrong: Again. Right after a hint: Hard. Right, but twice as slow as this learner usually is on this card: Hard; in
 * less than half their usual time: Easy. Otherwise Good. Speed counts from the third review on.
 */
function rate(review: Review, card: Card | null): Rating.Again | Rating.Hard | Rating.Good | Rating.Easy {
  if (!review.correct) return Rating.Again;
  if ((review.hintCount ?? 0) > 0) return Rating.Hard;
  const usual = card === null || card[4] < 2 ? 0 : card[6];
  const ms = review.durationMs;
  if (usual === 0 || ms === undefined || ms <= 0 || ms > longestCountedMs) return Rating.Good;
  if (ms > 2 * usual) return Rating.Hard;
  return ms < usual / 2 ? Rating.Easy : Rating.Good;
}

/** A fifth of the way from the usual to the new duration, of correct answers without a hint. */
function usualDuration(review: Review, card: Card | null): number {
  const usual = card?.[6] ?? 0;
  const ms = review.durationMs;
  if (!review.correct || (review.hintCount ?? 0) > 0) return usual;
  if (ms === undefined || ms <= 0 || ms > longestCountedMs) return usual;
  const next = usual === 0 ? ms : usual + (ms - usual) / 5;
  return durationUnitMs * Math.max(1, Math.round(next / durationUnitMs));
}

/**
 * Stabilities are multiples of 1 / 10,000 day, difficulties of 1 / 1,000, usual durations of a tenth of a second: what
 * is less moves no interval and no rating. Kept that short in the state itself, not when it is written, so that a restart
 * changes nothing.
 */
export const stabilityUnit = 10_000;
export const difficultyUnit = 1000;
export const durationUnitMs = 100;

const rounded = (value: number, unit: number): number => Math.round(value * unit) / unit;

/** When it falls due, seconds since 1970. */
export const dueSeconds = (card: Card): number => card[0] + card[1] * (card[7] === 0 ? daySeconds : 60);

const { decay, factor } = computeDecayFactor(default_w);

/** Stability, days, of what is recalled with effort at its first review. */
const stabilityMin = default_w[1] ?? 1;

/**
 * From when on the card expects less than `recallMin` (0..1) of recall, milliseconds since 1970; Infinity for 0. By FSRS's
 * own curve, R = (1 + factor t / S) ^ decay. A skill is answered wrongly while it is learnt, and FSRS takes that for
 * forgetting: a stability below that of a first review passed with effort counts as that.
 */
export function recalledUntil(card: Card, recallMin: number): number {
  if (recallMin <= 0) return Number.POSITIVE_INFINITY;
  const days = (Math.max(stabilityMin, card[2]) / factor) * (recallMin ** (1 / decay) - 1);
  return Math.round(card[0] * 1000 + days * daySeconds * 1000);
}

/** Recall 0..1 that the card expects at `now`, milliseconds since 1970, by the same curve. */
export function recallAt(card: Card, now: number): number {
  const days = Math.max(0, now / 1000 - card[0]) / daySeconds;
  return (1 + (factor * days) / Math.max(stabilityMin, card[2])) ** decay;
}

/** Cards due at `now` (milliseconds since 1970), most overdue first. */
export function dueCards(cards: Cards, now: number): DueCard[] {
  return inOrder(cards, (dueAt) => dueAt <= now);
}

/** The cards that fall due next, soonest first, at most `limit`. */
export function upcomingCards(cards: Cards, now: number, limit: number): DueCard[] {
  return inOrder(cards, (dueAt) => dueAt > now).slice(0, limit);
}

function inOrder(cards: Cards, wanted: (dueAt: number) => boolean): DueCard[] {
  const found: DueCard[] = [];
  for (let number = 0; number < cards.items.length; number++) {
    const dueAt = dueTime(cards.items[number]);
    if (wanted(dueAt)) found.push({ skillId: null, itemId: cards.ids.items.list[number] ?? "", dueAt });
  }
  for (let number = 0; number < cards.skills.length; number++) {
    const dueAt = dueTime(cards.skills[number]);
    if (wanted(dueAt)) found.push({ skillId: cards.ids.skills.list[number] ?? "", itemId: null, dueAt });
  }
  return found.length > 1 ? found.sort(soonerThenById) : found;
}

/** Of those due at the same time items come first. */
function soonerThenById(a: DueCard, b: DueCard): number {
  if (a.dueAt !== b.dueAt) return a.dueAt - b.dueAt;
  if (a.itemId === null || b.itemId === null)
    return a.itemId !== null ? -1 : b.itemId !== null ? 1 : byId(a.skillId, b.skillId);
  return byId(a.itemId, b.itemId);
}

const byId = (a: string | null, b: string | null): number => ((a ?? "") < (b ?? "") ? -1 : 1);

/** Milliseconds since 1970; NaN, which is neither before nor after any time, where there is no card. */
const dueTime = (card: Card | null | undefined): number =>
  card === null || card === undefined ? Number.NaN : dueSeconds(card) * 1000;

/** When the next card not yet due falls due, milliseconds since 1970; null where there is none. */
export function nextDueAt(cards: Cards, now: number): number | null {
  let soonest = Number.POSITIVE_INFINITY;
  for (const all of [cards.skills, cards.items]) {
    for (let number = 0; number < all.length; number++) {
      const dueAt = dueTime(all[number]);
      if (dueAt > now && dueAt < soonest) soonest = dueAt;
    }
  }
  return soonest === Number.POSITIVE_INFINITY ? null : soonest;
}

export interface DayLoad {
  /** UTC, `2026-01-31`. */
  readonly day: string;
  readonly due: number;
}

/** How many cards fall due on each of `days` UTC days from the day of `now` on; the first counts the overdue too. */
export function reviewLoad(cards: Cards, now: number, days: number): DayLoad[] {
  const today = Math.floor(now / 1000 / daySeconds);
  const counts = new Array<number>(days).fill(0);
  for (const card of [...cards.skills, ...cards.items]) {
    if (card === null) continue;
    const day = Math.max(0, Math.floor(dueSeconds(card) / daySeconds) - today);
    const count = counts[day];
    if (count !== undefined) counts[day] = count + 1;
  }
  return counts.map((due, day) => ({
    day: new Date((today + day) * daySeconds * 1000).toISOString().slice(0, 10),
    due,
  }));
}
