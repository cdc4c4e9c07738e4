import { expect, test } from "vitest";
import type { StoredEvent } from "../../domain/stored-event.ts";
import type { FeedPage } from "../../ports/feed.ts";
import { createArrivalsByHour } from "./arrivals.ts";

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

test("events of each hour that is over, by about twenty reads of one event, once", async () => {
  const counts = Array.from({ length: 50 }, (_, hour) => (hour % 24 < 8 ? 0 : 100 + hour));
  const log = logOf(timesOf([...counts, 7]));
  const arrivals = createArrivalsByHour(log, 7);
  const now = start + 50.5 * hourMs;
  const found = await arrivals.read(now);
  // Nobody was there in the first eight hours, or the log did not exist yet: nothing is said of them, and of the first hour neither.
  expect(found).toEqual(counts.map((events, hour) => ({ startSeconds: start / 1000 + hour * 3600, events })).slice(9));
  expect(log.reads).toBeLessThan(170 * 20);

  const before = log.reads;
  expect(await arrivals.read(now)).toEqual(found);
  expect(log.reads).toBe(before);
  const next = await arrivals.read(now + hourMs);
  expect(next.at(-1)).toEqual({ startSeconds: start / 1000 + 50 * 3600, events: 7 });
  expect(log.reads - before).toBeLessThan(20);
});

test("of the last days only", async () => {
  const counts = Array.from({ length: 24 * 4 }, () => 10);
  const found = await createArrivalsByHour(logOf(timesOf(counts)), 2).read(start + 4 * 24 * hourMs);
  expect(found).toHaveLength(48);
  expect(new Set(found.map(({ events }) => events))).toEqual(new Set([10]));
});

test("an empty log, and one that cannot be read from any place", async () => {
  expect(await createArrivalsByHour(logOf([])).read(start)).toEqual([]);
  const some = { head: async () => 1e9, read: () => Promise.reject(new RangeError("no such place")) };
  expect(await createArrivalsByHour(some).read(start)).toEqual([]);
});
