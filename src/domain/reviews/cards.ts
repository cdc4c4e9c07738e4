import { FSRS, generatorParameters, Rating } from "ts-fsrs";
import type { DueCard } from "../item-selection/selection.ts";

/**
 * Memory cards of one learner, as they are stored (JSON). The key is `s:<skillId>` or `i:<itemId>`.
 *
 * The memory model and its intervals are FSRS-6 (ts-fsrs, default parameters, 90 % wanted recall). Fuzz is off, so the
 * same answers always give the same cards; learning steps are off, since what was failed is practised again in the
 * same sitting anyway, because its skill is open: a card is due after whole days.
 */
export type Cards = Record<string, Card>;

/**
 * Short, because a learner has hundreds: last review (seconds since 1970), days until due, stability (days),
 * difficulty (1..10), reviews, lapses, usual duration of a correct answer (ms; 0: not known).
 */
export type Card = [
  last: number,
  days: number,
  stability: number,
  difficulty: number,
  reviews: number,
  lapses: number,
  usualMs: number,
];

export interface Review {
  readonly cardId: string;
  readonly correct: boolean;
  readonly durationMs?: number | undefined;
  readonly hintCount?: number | undefined;
  /** Milliseconds since 1970. One before the card's last review (an offline client's) counts as made right after it. */
  readonly at: number;
}

const scheduler = new FSRS(
  generatorParameters({ enable_fuzz: false, enable_short_term: true, learning_steps: [], relearning_steps: [] }),
);

const daySeconds = 86_400;
/** A longer answer says that the learner was away. */
const longestCountedMs = 30 * 60_000;

export const newCards = (): Cards => ({});
export const skillCard = (skillId: string): string => `s:${skillId}`;
export const itemCard = (itemId: string): string => `i:${itemId}`;

/** Folds one answer into its card, in place, making the card at the first. Returns whether the card was due before. */
export function reviewCard(cards: Cards, review: Review): boolean {
  const card = cards[review.cardId];
  const at = Math.floor(review.at / 1000);
  const now = card === undefined ? at : Math.max(at, card[0]);
  const rating = rate(review, card);
  const memory = card === undefined ? null : { stability: card[2], difficulty: card[3] };
  const elapsedDays = card === undefined ? 0 : Math.floor(now / daySeconds) - Math.floor(card[0] / daySeconds);
  const next = scheduler.next_state(memory, elapsedDays, rating);
  const stability = toFourDigits(next.stability);
  cards[review.cardId] = [
    now,
    scheduler.next_interval(stability, elapsedDays),
    stability,
    toFourDigits(next.difficulty),
    (card?.[4] ?? 0) + 1,
    (card?.[5] ?? 0) + (card !== undefined && !review.correct ? 1 : 0),
    usualDuration(review, card),
  ];
  return card !== undefined && dueSeconds(card) <= now;
}

/**
 * Wrong: Again. Right after a hint: Hard. Right, but twice as slow as this learner usually is on this card: Hard; in
 * less than half their usual time: Easy. Otherwise Good. Speed counts from the third review on.
 */
function rate(review: Review, card: Card | undefined): Rating.Again | Rating.Hard | Rating.Good | Rating.Easy {
  if (!review.correct) return Rating.Again;
  if ((review.hintCount ?? 0) > 0) return Rating.Hard;
  const usual = card === undefined || card[4] < 2 ? 0 : card[6];
  const ms = review.durationMs;
  if (usual === 0 || ms === undefined || ms <= 0 || ms > longestCountedMs) return Rating.Good;
  if (ms > 2 * usual) return Rating.Hard;
  return ms < usual / 2 ? Rating.Easy : Rating.Good;
}

/** A fifth of the way from the usual to the new duration, of correct answers without a hint. */
function usualDuration(review: Review, card: Card | undefined): number {
  const usual = card?.[6] ?? 0;
  const ms = review.durationMs;
  if (!review.correct || (review.hintCount ?? 0) > 0) return usual;
  if (ms === undefined || ms <= 0 || ms > longestCountedMs) return usual;
  return Math.round(usual === 0 ? ms : usual + (ms - usual) / 5);
}

/** Kept that short in the state itself, not when it is written, so that a restart changes nothing. */
function toFourDigits(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

const dueSeconds = (card: Card): number => card[0] + card[1] * daySeconds;

/** Cards due at `now` (milliseconds since 1970), most overdue first. */
export function dueCards(cards: Cards, now: number): DueCard[] {
  return inOrder(cards, (dueAt) => dueAt <= now);
}

/** The cards that fall due next, soonest first, at most `limit`. */
export function upcomingCards(cards: Cards, now: number, limit: number): DueCard[] {
  return inOrder(cards, (dueAt) => dueAt > now).slice(0, limit);
}

function inOrder(cards: Cards, wanted: (dueAt: number) => boolean): DueCard[] {
  const found: { cardId: string; dueAt: number }[] = [];
  for (const cardId in cards) {
    const card = cards[cardId];
    if (card === undefined) continue;
    const dueAt = dueSeconds(card) * 1000;
    if (wanted(dueAt)) found.push({ cardId, dueAt });
  }
  found.sort((a, b) => a.dueAt - b.dueAt || (a.cardId < b.cardId ? -1 : 1));
  return found.map(({ cardId, dueAt }) => {
    const id = cardId.slice(2);
    return cardId.startsWith("i:") ? { skillId: null, itemId: id, dueAt } : { skillId: id, itemId: null, dueAt };
  });
}

/** When the next card not yet due falls due, milliseconds since 1970; null where there is none. */
export function nextDueAt(cards: Cards, now: number): number | null {
  let soonest = Number.POSITIVE_INFINITY;
  for (const cardId in cards) {
    const card = cards[cardId];
    if (card === undefined) continue;
    const dueAt = dueSeconds(card) * 1000;
    if (dueAt > now && dueAt < soonest) soonest = dueAt;
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
  for (const cardId in cards) {
    const card = cards[cardId];
    if (card === undefined) continue;
    const day = Math.max(0, Math.floor(dueSeconds(card) / daySeconds) - today);
    const count = counts[day];
    if (count !== undefined) counts[day] = count + 1;
  }
  return counts.map((due, day) => ({
    day: new Date((today + day) * daySeconds * 1000).toISOString().slice(0, 10),
    due,
  }));
}
