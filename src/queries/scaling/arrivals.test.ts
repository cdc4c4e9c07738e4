import { expect, test } from "vitest";
import type { StoredEvent } from "../../domain/stored-event.ts";
import type { FeedPage } from "../../ports/feed.ts";
import { createArrivalsBySpan } from "./arrivals.ts";

const hourMs = 3_600_000;
const start = Date.parse("2026-03-02T00:00:00Z");

/** A log of which only times and positions are looked at, and a count of the reads. */
function logOf(times: readonly number[]) {
  const log = {
    reads: 0,
    head: async () => times.length,
    async read(after: number, limit: number): Promise<FeedPage> {
      log.reads += 1;
      const events = times
        .slice(after, after + limit)
        .map((at, index) => ({ position: after + index + 1, recordedAt: new Date(at).toISOString() }) as StoredEvent);
      return { events, position: after + events.length, atHead: after + events.length === times.length };
    },
  };
  return log;
}

/** So many events in each hour, spread over it. */
const timesOf = (counts: readonly number[]): number[] =>
  counts.flatMap((count, hour) =>
    Array.from({ length: count }, (_, n) => start + hour * hourMs + ((n + 0.5) / count) * hourMs),
  );

/** The same by five minutes, where they are spread evenly. */
const byHour = (spans: readonly { startSeconds: number; events: number }[]) => {
  const hours = new Map<number, number>();
  for (const { startSeconds, events } of spans) {
    const hour = Math.floor(startSeconds / 3600) * 3600;
    hours.set(hour, (hours.get(hour) ?? 0) + events);
  }
  return [...hours].map(([startSeconds, events]) => ({ startSeconds, events }));
};

test("events of each hour that is over, by about a hundred reads of one event, once", async () => {
  const counts = Array.from({ length: 50 }, (_, hour) => (hour % 24 < 8 ? 0 : 120 + hour * 12));
  const log = logOf(timesOf([...counts, 60]));
  const arrivals = createArrivalsBySpan(log, 7);
  const now = start + 50.5 * hourMs;
  const found = await arrivals.read(now);
  // Nobody was there in the first eight hours, or the log did not exist yet: nothing is said of them, and of the first hour neither.
  expect(byHour(found)).toEqual(
    counts.map((events, hour) => ({ startSeconds: start / 1000 + hour * 3600, events })).slice(9),
  );
  for (const { startSeconds, events } of found) {
    const all = counts[(startSeconds - start / 1000 - (startSeconds % 3600)) / 3600] ?? 0;
    expect(Math.abs(events - all / 12)).toBeLessThanOrEqual(2 + 2 * (all / 128));
  }
  expect(log.reads).toBeLessThan(170 * 20 + 41 * 100);

  const before = log.reads;
  expect(await arrivals.read(now)).toEqual(found);
  expect(log.reads).toBe(before);
  const next = await arrivals.read(now + hourMs);
  expect(byHour(next).at(-1)).toEqual({ startSeconds: start / 1000 + 50 * 3600, events: 60 });
  expect(log.reads - before).toBeLessThan(100);
});

test("a lesson that begins at the full hour, of a log of a hundred thousand events a day", async () => {
  const times = timesOf(Array.from({ length: 30 }, () => 4_000));
  const lesson = Array.from({ length: 2_000 }, (_, n) => start + 10 * hourMs + n * 300);
  const log = logOf([...times, ...lesson].sort((a, b) => a - b));
  const found = await createArrivalsBySpan(log, 2).read(start + 30 * hourMs);
  const at = (hour: number, span: number) =>
    found.find(({ startSeconds }) => startSeconds === start / 1000 + hour * 3600 + span * 300)?.events ?? 0;
  expect([at(10, 0), at(10, 1)].every((events) => Math.abs(events - 4_000 / 12 - 1_000) < 100)).toBe(true);
  expect([at(9, 11), at(10, 2), at(12, 0)].every((events) => Math.abs(events - 4_000 / 12) < 100)).toBe(true);
  expect(log.reads).toBeLessThan(50 * 20 + 30 * 11 * 8);
});

test("of the last days only", async () => {
  const counts = Array.from({ length: 24 * 4 }, () => 12);
  const found = await createArrivalsBySpan(logOf(timesOf(counts)), 2).read(start + 4 * 24 * hourMs);
  expect(found).toHaveLength(48 * 12);
  expect(new Set(found.map(({ events }) => events))).toEqual(new Set([1]));
});

test("an empty log, and one that cannot be read from any place", async () => {
  expect(await createArrivalsBySpan(logOf([])).read(start)).toEqual([]);
  const some = { head: async () => 1e9, read: () => Promise.reject(new RangeError("no such place")) };
  expect(await createArrivalsBySpan(some).read(start)).toEqual([]);
});
