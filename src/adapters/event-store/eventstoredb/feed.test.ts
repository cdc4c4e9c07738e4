import { afterAll, afterEach, describe, expect, test } from "vitest";
import { noFaults } from "../../../../test/support/eventstoredb/faults.ts";
import { startEventStoreDb } from "../../../../test/support/eventstoredb/start.ts";
import { LogUnavailable, type StoredEvent } from "../../../ports/event-store.ts";
import type { FeedFilter } from "../../../ports/feed.ts";
import { newEvents, readAll, request } from "../support.contract.ts";
import { type EventStoreDbLog, type EventStoreDbOptions, openEventStoreDbLog } from "./log.ts";

// All of it tries to break invariant 2: the feed never skips an event and never goes back.
const server = await startEventStoreDb();
afterAll(() => server.stop());
const warnings: string[] = [];
const note = (_: object, message: string) => void warnings.push(message);
const logger = { debug() {}, info() {}, warn: note, error: note };

const opened: EventStoreDbLog[] = [];
async function open(options: Partial<EventStoreDbOptions> = {}): Promise<EventStoreDbLog> {
  const log = await openEventStoreDbLog({ url: server.url, deadlineMs: 1_500, log: logger, ...options });
  opened.push(log);
  return log;
}
afterEach(async () => {
  await server.set(noFaults());
  for (const log of opened.splice(0)) await log.close();
  warnings.length = 0;
});

const grow = (log: EventStoreDbLog, stream: string, events: number, bytes = 10) =>
  log.append([request(stream, newEvents(events, { data: { padding: "x".repeat(bytes) } }))]);

/** Reads on from a position as a projection does, page after page, until the head. */
async function readOn(log: EventStoreDbLog, after: number, limit: number, filter?: FeedFilter) {
  const events: StoredEvent[] = [];
  let position = after;
  let pages = 0;
  for (;;) {
    const page = await log.read(position, limit, filter);
    expect(page.position).toBeGreaterThanOrEqual(position);
    for (const event of page.events) {
      expect(event.position).toBeGreaterThan(events.at(-1)?.position ?? position);
      events.push(event);
    }
    position = page.position;
    pages += 1;
    if (page.atHead) return { events, position, pages };
  }
}

describe("the feed of EventStoreDB", () => {
  test("a reader that is slow has a bounded part of the log in memory: the server waits", {
    timeout: 180_000,
  }, async () => {
    const log = await open();
    const start = await log.head();
    for (let i = 0; i < 20; i++) await grow(log, "learner-slow", 300, 2_000);
    const before = (await server.stats()).sent;
    let { position } = await log.read(start, 10);
    position = (await log.read(position, 10)).position;
    let sent = -1;
    // Until the server sends no more.
    for (let same = 0; same < 5; ) {
      await log.waitForMore(await log.head(), 50, new AbortController().signal);
      const now = (await server.stats()).sent - before;
      same = now === sent ? same + 1 : 0;
      sent = now;
    }
    expect(sent).toBeGreaterThan(500);
    expect(sent).toBeLessThan(2_000);
    const { events, pages } = await readOn(log, position, 500);
    expect(events).toHaveLength(6_000 - 20);
    expect(pages).toBeLessThan(40);
  });

  test("the event at a position is what comes after the number before it; elsewhere there is no place", async () => {
    const log = await open();
    const start = await log.head();
    await grow(log, "learner-place", 3);
    const { events } = await readAll(log, start);
    for (const event of events) expect((await log.read(event.position - 1, 1)).events).toEqual([event]);
    await expect(log.read(start + 3, 1)).rejects.toThrow(RangeError);
  });

  test("a filter that nothing matches is moved along by checkpoints: nothing is sent", async () => {
    const log = await open();
    const start = await log.head();
    for (let i = 0; i < 6; i++) await grow(log, "learner-many", 500);
    const before = (await server.stats()).sent;
    const { events, position } = await readOn(log, start, 100, { categories: ["nobody"] });
    expect([events, position]).toEqual([[], await log.head()]);
    // A confirmation and checkpoints.
    expect((await server.stats()).sent - before).toBeLessThan(3_000 / 32 + 5);
  });

  test("the server's own events are no part of it, but are passed", async () => {
    const log = await open();
    const start = await log.head();
    await server.order({ do: "systemEvents", count: 50 });
    expect(await log.head()).toBeGreaterThan(start);
    expect(await log.read(start, 10)).toEqual({ events: [], position: await log.head(), atHead: true });
    expect(await log.behind(start)).toEqual({ events: 0, oldestRecordedAt: null });
    await grow(log, "learner-1", 1);
    await server.order({ do: "systemEvents", count: 5 });
    expect(await readOn(log, start, 10)).toMatchObject({
      events: [{ stream: "learner-1" }],
      position: await log.head(),
    });
  });

  test("a subscription that goes silent is noticed: events keep coming, and it is resumed", async () => {
    const log = await open({ silenceMs: 200 });
    let position = await log.head();
    await grow(log, "learner-silent", 2);
    position = (await readOn(log, position, 1)).position;
    await server.set({ silent: true });
    const { subscriptions } = await server.stats();
    for (let i = 0; i < 8; i++) {
      await grow(log, "learner-silent", 3);
      await log.waitForMore(position, 5_000, new AbortController().signal);
      const page = await readOn(log, position, 10);
      expect(page.events).toHaveLength(3);
      position = page.position;
    }
    expect((await server.stats()).subscriptions).toBeGreaterThan(subscriptions);
    expect(warnings).toContain("a subscription to EventStoreDB went silent; it is resumed");
    // Silent to a filter that nothing matches is as it should be.
    await server.set(noFaults());
    warnings.length = 0;
    for (let i = 0; i < 5; i++) {
      await grow(log, "learner-silent", 1);
      await readOn(log, position, 10, { categories: ["nobody"] });
    }
    expect(warnings).toEqual([]);
  });

  test("whatever ends a subscription, it is resumed where it stood", async () => {
    const log = await open();
    const start = await log.head();
    for (let i = 0; i < 4; i++) await grow(log, `learner-${i}`, 300);
    const all = (await readAll(log, start, 1_000)).events;
    expect(all).toHaveLength(1_200);
    const ends = [
      () => server.order({ do: "endSubscriptions", kindly: true }),
      () => server.order({ do: "endSubscriptions", kindly: false }),
      () => server.order({ do: "cut" }),
      () => server.set({ unavailableSubscriptions: 2 }),
      () => server.set({ unavailableReads: 2 }),
      () => server.set({ doubleEvents: true }),
    ];
    const events: StoredEvent[] = [];
    let position = start;
    for (let page = 0, atHead = false; !atHead; page++) {
      await ends[page % ends.length]?.();
      const read = await log.read(position, 40);
      events.push(...read.events);
      ({ position, atHead } = read);
    }
    expect(events).toEqual(all);
  });

  test("many readers at one place each get everything", async () => {
    const log = await open();
    const start = await log.head();
    for (let i = 0; i < 3; i++) await grow(log, `item-${i}`, 100);
    const reads = await Promise.all(Array.from({ length: 8 }, (_, i) => readOn(log, start, 7 + 5 * (i % 3))));
    for (const { events } of reads) expect(events).toEqual(reads[0]?.events);
    expect(reads[0]?.events).toHaveLength(300);
  });

  test("a backlog that is long is estimated, a short one counted", async () => {
    const log = await open();
    const start = await log.head();
    for (let i = 0; i < 10; i++) await grow(log, `learner-${i % 2}`, 300, 50);
    const long = await log.behind(start);
    expect(long.events).toBeGreaterThan(2_500);
    expect(long.events).toBeLessThan(3_500);
    expect(long.oldestRecordedAt).not.toBeNull();
    const { position } = await log.read(start, 900);
    expect((await log.behind((await readAll(log, position, 1_000)).position)).events).toBe(0);
  });

  test("a server that hangs is LogUnavailable in time; reading goes on after it", async () => {
    const log = await open({ deadlineMs: 500 });
    const start = await log.head();
    await grow(log, "learner-hang", 50);
    const { position } = await log.read(start, 10);
    await log.read(position, 10);
    server.freeze();
    const started = performance.now();
    const calls = [log.head(), log.behind(start), log.readStream("learner-hang", { limit: 1 }), log.read(start, 5)];
    const results = await Promise.allSettled(calls);
    server.thaw();
    expect(performance.now() - started).toBeLessThan(3_000);
    for (const result of results) expect(result).toMatchObject({ reason: expect.any(LogUnavailable) });
    expect((await readOn(log, start, 20)).events).toHaveLength(50);
  });

  test("subscriptions end with the log, and no call after it hangs", async () => {
    const log = await open({ deadlineMs: 300 });
    const { position } = await log.read(0, 5);
    await log.read(position, 5);
    const waiting = log.waitForMore(await log.head(), 60_000, new AbortController().signal);
    await log.close();
    await log.close();
    await waiting;
    await expect(log.read(position, 5)).rejects.toThrow();
    await expect.poll(async () => (await server.stats()).subscriptionsOpen).toBe(0);
  });
});
