import fc from "fast-check";
import { createEmptyCard, FSRS, type Card as FsrsCard, type Grade, Rating } from "ts-fsrs";
import { describe, expect, it } from "vitest";
import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import { Ids } from "../learner-model/ids.ts";
import {
  type Cards,
  cardOf,
  dueCards,
  newCards,
  nextDueAt,
  type Review,
  recallAt,
  recalledUntil,
  reviewCard,
  reviewLoad,
  upcomingCards,
} from "./cards.ts";
import { readCards, writeCards } from "./cards-bytes.ts";

const day = 86_400_000;
const start = Date.UTC(2026, 0, 5, 12);
const fractions = { of: "skills", id: "fractions" } as const;

function reviewed(...reviews: Partial<Review>[]): Cards {
  const cards = newCards();
  for (const review of reviews) reviewCard(cards, { ...fractions, correct: true, at: start, ...review });
  return cards;
}
const known = (at: number) => ({ now: Math.floor(at / 1000), practice: () => undefined });
const numbersOf = ({ list }: Ids): number[] => list.map((_, number) => number);
function bytesOf({ ids, skills, items }: Cards, at: number): Uint8Array {
  const writer = new ByteWriter(1);
  writeCards(skills, numbersOf(ids.skills), known(at), writer);
  writeCards(items, numbersOf(ids.items), known(at), writer);
  return writer.finish();
}
function writtenAndRead(cards: Cards, at: number): Cards {
  const ids = { skills: new Ids([...cards.ids.skills.list]), items: new Ids([...cards.ids.items.list]) };
  const reader = new ByteReader(bytesOf(cards, at), "cards");
  const skills = readCards(reader, ids.skills.list.length, known(at));
  const items = readCards(reader, ids.items.list.length, known(at));
  reader.end();
  return { ids, skills, items };
}
const dueInDays = (cards: Cards, at = start): number => ((nextDueAt(cards, at) ?? Number.NaN) - at) / day;

describe("reviewCard", () => {
  it("makes a card at the first answer: due in two days when right, in one when wrong (FSRS-6 defaults)", () => {
    expect(dueInDays(reviewed({}))).toBe(2);
    expect(dueInDays(reviewed({ correct: false }))).toBe(1);
  });

  it("spaces further with each success, and starts over after a failure", () => {
    const cards = reviewed({}, { at: start + 2 * day });
    const grown = dueInDays(cards, start + 2 * day);
    expect(grown).toBeGreaterThan(5);
    reviewCard(cards, { ...fractions, correct: false, at: start + 20 * day });
    expect(dueInDays(cards, start + 20 * day)).toBeLessThan(grown / 2);
    expect(cardOf(cards, "skills", "fractions")?.slice(4, 6)).toEqual([3, 1]);
  });

  it("knows until when recall is enough, by FSRS's own curve, however wrong the first answers were", () => {
    const card = (...reviews: Partial<Review>[]) => {
      const found = cardOf(reviewed(...reviews), "skills", "fractions");
      if (found === null) throw new Error("no card");
      return found;
    };
    const good = card({});
    for (const recallMin of [0.7, 0.8, 0.9, 0.95]) {
      const days = (recalledUntil(good, recallMin) - start) / day;
      expect(new FSRS({}).forgetting_curve(days, good[2])).toBeCloseTo(recallMin, 5);
    }
    expect(recallAt(good, recalledUntil(good, 0.85))).toBeCloseTo(0.85, 9);
    expect([recallAt(good, start), recallAt(good, start - day)]).toEqual([1, 1]);
    expect(recalledUntil(good, 0)).toBe(Number.POSITIVE_INFINITY);
    const failed = (recalledUntil(card({ correct: false }), 0.8) - start) / day;
    expect(failed).toBeGreaterThan(4);
    expect(failed).toBeLessThan((recalledUntil(good, 0.8) - start) / day);
  });

  it("says whether the card was due", () => {
    const cards = newCards();
    const at = (days: number) => reviewCard(cards, { ...fractions, correct: true, at: start + days * day });
    expect([at(0), at(1), at(400)]).toEqual([false, false, true]);
  });

  it("rates: wrong < hint or slow < usual < fast, speed from the third review on", () => {
    const usual = [{ durationMs: 10_000 }, { durationMs: 10_000, at: start + 2 * day }];
    const later = start + 12 * day;
    const days = (third: Partial<Review>) => dueInDays(reviewed(...usual, { at: later, ...third }), later);
    const wrong = days({ correct: false, durationMs: 1_000 });
    const hint = days({ hintCount: 1, durationMs: 10_000 });
    const slow = days({ durationMs: 25_000 });
    const good = days({ durationMs: 12_000 });
    const fast = days({ durationMs: 3_000 });
    expect(wrong).toBeLessThan(slow);
    expect(hint).toBe(slow);
    expect(slow).toBeLessThan(good);
    expect(good).toBeLessThan(fast);
    expect(days({})).toBe(good);
    expect(days({ durationMs: 3 * 3_600_000 })).toBe(good);
    expect(dueInDays(reviewed({ durationMs: 10_000 }, { durationMs: 1, at: later }), later)).toBe(
      dueInDays(reviewed({}, { at: later }), later),
    );
  });

  it("never turns back time: a late answer counts as made right after the last", () => {
    const late = reviewed({ at: start + 10 * day }, { at: start });
    const inOrder = reviewed({ at: start + 10 * day }, { at: start + 10 * day });
    expect(late).toEqual(inOrder);
  });

  it("remembers exactly what ts-fsrs's own scheduler does, answer after answer", () => {
    const scheduler = new FSRS({ enable_fuzz: false, learning_steps: [], relearning_steps: [] });
    const answers = fc.array(fc.record({ hours: fc.integer({ min: 0, max: 2_000 }), correct: fc.boolean() }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(answers, (history) => {
        const cards = newCards();
        let expected: FsrsCard = createEmptyCard(new Date(start));
        let at = start;
        for (const { hours, correct } of history) {
          at += hours * 3_600_000;
          reviewCard(cards, { ...fractions, correct, at });
          const grade: Grade = correct ? Rating.Good : Rating.Again;
          const next = scheduler.next(expected, new Date(at), grade).card;
          const [last, days, stability, difficulty] = cardOf(cards, "skills", "fractions") ?? [];
          expect(last).toBe(at / 1000);
          expect(Math.abs((stability ?? 0) / next.stability - 1)).toBeLessThan(0.01);
          expect(difficulty).toBeCloseTo(next.difficulty, 2);
          expect(Math.abs((days ?? 0) - next.scheduled_days)).toBeLessThanOrEqual(1 + 0.01 * next.scheduled_days);
          expected = next;
        }
      }),
    );
  });

  it("steps and spaces by the policy's settings as ts-fsrs's own scheduler does", () => {
    const settings = fc.record({
      retention: fc.constantFrom(0.7, 0.85, 0.97),
      maxIntervalDays: fc.constantFrom(1, 30, 36_500),
      learningStepsMinutes: fc.constantFrom<number[][]>([], [10], [1, 10], [5, 30, 600]),
      relearningStepsMinutes: fc.constantFrom<number[][]>([], [10], [10, 60]),
      ahead: fc.boolean(),
    });
    const answers = fc.array(fc.record({ minutes: fc.integer({ min: 1, max: 90_000 }), correct: fc.boolean() }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(settings, answers, (by, history) => {
        const steps = (minutes: number[]) => minutes.map((step) => `${step}m` as const);
        const scheduler = new FSRS({
          ...{ enable_fuzz: false, request_retention: by.retention, maximum_interval: by.maxIntervalDays },
          learning_steps: steps(by.learningStepsMinutes),
          relearning_steps: steps(by.relearningStepsMinutes),
        });
        const cards = newCards();
        let expected: FsrsCard = createEmptyCard(new Date(start));
        let at = start;
        for (const { minutes, correct } of history) {
          at += minutes * 60_000;
          reviewCard(cards, { ...fractions, correct, at }, by);
          expected = scheduler.next(expected, new Date(at), correct ? Rating.Good : Rating.Again).card;
          const [, wait = 0, , , , , , step] = cardOf(cards, "skills", "fractions") ?? [];
          const inDays = expected.scheduled_days > 0;
          expect(step === 0).toBe(inDays);
          if (inDays) expect(Math.abs(wait - expected.scheduled_days)).toBeLessThanOrEqual(1 + 0.01 * wait);
          else expect(wait * 60_000).toBe(expected.due.getTime() - at);
          expect(inDays ? wait : 0).toBeLessThanOrEqual(by.maxIntervalDays);
          expect(writtenAndRead(cards, at)).toEqual(cards);
        }
      }),
    );
  });

  it("survives any order of times, and being stored: the cards come back the same and go on the same", () => {
    const reviews = fc.array(
      fc.record({
        of: fc.constantFrom("skills", "items"),
        id: fc.constantFrom("fractions", "i:1", "__proto__"),
        correct: fc.boolean(),
        at: fc.integer({ min: start - 1_000 * day, max: start + 1_000 * day }),
        durationMs: fc.option(fc.integer({ min: 0, max: 5_000_000 }), { nil: undefined }),
        hintCount: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(reviews, (all) => {
        const cards = newCards();
        let stored = newCards();
        for (const review of all) {
          const before = cardOf(cards, review.of, review.id)?.[0] ?? Number.NEGATIVE_INFINITY;
          reviewCard(cards, review);
          reviewCard(stored, review);
          stored = writtenAndRead(stored, review.at);
          const [last = 0, days = 0, stability = 0, difficulty = 0] = cardOf(cards, review.of, review.id) ?? [];
          expect(last).toBeGreaterThanOrEqual(before);
          expect(days).toBeGreaterThanOrEqual(1);
          expect(stability).toBeGreaterThan(0);
          expect(difficulty >= 1 && difficulty <= 10).toBe(true);
        }
        expect(stored).toEqual(cards);
      }),
    );
  });

  it("stays short: at most 22 bytes for a card by itself", () => {
    const cards = reviewed(
      ...Array.from({ length: 40 }, (_, i) => ({ at: start + i * 9 * day, durationMs: 8_123 + i })),
    );
    const bytes = (all: Cards) => bytesOf(all, start + 40 * 9 * day).length;
    expect(bytes(cards) - bytes(newCards())).toBeLessThanOrEqual(22);
  });
});

describe("what is due", () => {
  const cards = newCards();
  reviewCard(cards, { of: "skills", id: "b", correct: true, at: start });
  reviewCard(cards, { of: "skills", id: "a", correct: true, at: start });
  reviewCard(cards, { of: "items", id: "x", correct: false, at: start });
  reviewCard(cards, { of: "skills", id: "later", correct: true, at: start + 10 * day });

  it("comes most overdue first, ties by id, and not before its time", () => {
    expect(dueCards(cards, start + day - 1)).toEqual([]);
    expect(dueCards(cards, start + 2 * day)).toEqual([
      { skillId: null, itemId: "x", dueAt: start + day },
      { skillId: "a", itemId: null, dueAt: start + 2 * day },
      { skillId: "b", itemId: null, dueAt: start + 2 * day },
    ]);
  });

  it("knows what comes next", () => {
    expect(nextDueAt(cards, start)).toBe(start + day);
    expect(nextDueAt(cards, start + day)).toBe(start + 2 * day);
    expect(nextDueAt(cards, start + 900 * day)).toBeNull();
    expect(upcomingCards(cards, start + day, 2).map(({ skillId }) => skillId)).toEqual(["a", "b"]);
  });

  it("is counted by UTC day, the overdue today", () => {
    expect(reviewLoad(cards, start, 4)).toEqual([
      { day: "2026-01-05", due: 0 },
      { day: "2026-01-06", due: 1 },
      { day: "2026-01-07", due: 2 },
      { day: "2026-01-08", due: 0 },
    ]);
    expect(reviewLoad(cards, start + 3 * day, 1)).toEqual([{ day: "2026-01-08", due: 3 }]);
  });
});
