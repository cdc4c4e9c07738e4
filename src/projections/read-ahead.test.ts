import { expect, test } from "vitest";
import { appendAnswers, interactionEvent } from "../../test/support/answers-in-log.ts";
import { createMemoryLog } from "../adapters/event-store/memory.ts";
import type { Feed, FeedFilter } from "../ports/feed.ts";
import { createReadAhead } from "./read-ahead.ts";

async function counted(events: number) {
  const log = createMemoryLog();
  await appendAnswers(log, 0, events);
  const reads: number[] = [];
  const feed: Feed = {
    ...log,
    read(after, limit, filter) {
      reads.push(after);
      return log.read(after, limit, filter);
    },
  };
  return {
    ...{ feed, reads, append: (more: number) => appendAnswers(log, events, events + more) },
    async appendServed(count: number) {
      const served = Array.from({ length: count }, (_, n) => ({
        ...interactionEvent({}, `s${n}`),
        type: "ItemsServed",
      }));
      await log.append([{ stream: "served-learner1", expected: "any", events: served }]);
    },
  };
}

async function readAll(feed: Feed, filter?: FeedFilter): Promise<number[]> {
  const positions: number[] = [];
  for (let after = 0; ; ) {
    const page = await feed.read(after, 10, filter);
    positions.push(...page.events.map(({ position }) => position));
    after = page.position;
    if (page.atHead) return positions;
  }
}

test("readers side by side cost one read of each page, and get everything in order", async () => {
  const { feed, reads } = await counted(95);
  const shared = createReadAhead(feed);
  const all = await Promise.all([readAll(shared), readAll(shared), readAll(shared)]);
  const expected = Array.from({ length: 95 }, (_, at) => at + 1);
  expect(all).toEqual([expected, expected, expected]);
  expect(reads.length).toBeLessThanOrEqual(13);
});

test("readers with a filter share the pages of that filter, and their positions move past the rest", async () => {
  const { feed, reads, append, appendServed } = await counted(25);
  await appendServed(40);
  await append(25);
  const shared = createReadAhead(feed);
  const learners = { categories: ["learner"] };
  const all = await Promise.all([readAll(shared, learners), readAll(shared, learners), readAll(shared)]);
  const everything = Array.from({ length: 90 }, (_, at) => at + 1);
  const answers = everything.filter((position) => position <= 25 || position > 65);
  expect(all).toEqual([answers, answers, everything]);
  // 50 events by tens, and 90 by tens; the end is looked at by each reader.
  expect(reads.length).toBeLessThanOrEqual(5 + 9 + 4);
});

test("the end of the log is looked at anew each time", async () => {
  const { feed, append } = await counted(25);
  const shared = createReadAhead(feed);
  expect(await readAll(shared)).toHaveLength(25);
  await append(7);
  expect(await readAll(shared)).toHaveLength(32);
});

test("a page that could not be read is read again", async () => {
  const { feed } = await counted(30);
  let failures = 2;
  const shared = createReadAhead({
    ...feed,
    read: (...args) => (failures-- > 0 ? Promise.reject(new Error("gone")) : feed.read(...args)),
  });
  await expect(shared.read(0, 10)).rejects.toThrow("gone");
  await expect(shared.read(0, 10)).rejects.toThrow("gone");
  expect(await readAll(shared)).toHaveLength(30);
});
