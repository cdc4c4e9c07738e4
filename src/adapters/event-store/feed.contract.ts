import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type LogAbilities,
  newEvent,
  newEvents,
  type OpenedLog,
  readAll,
  recordedAt,
  request,
} from "./support.contract.ts";

const never = new AbortController().signal;

export function feedContract(open: () => Promise<OpenedLog>, abilities: LogAbilities): void {
  let opened: OpenedLog;
  /** Position before the first event. */
  let start = 0;
  /** Of the n-th event; 0 for before the first. */
  let at = (_n: number): number => Number.NaN;
  beforeAll(async () => {
    opened = await open();
    start = opened.start ?? 0;
  });
  afterAll(() => opened.close());

  test("an empty log: at its head, where it starts", async () => {
    const { log } = opened;
    expect(await log.head()).toBe(start);
    expect(await log.read(start, 10)).toEqual({ events: [], position: start, atHead: true });
    const filtered = await log.read(start, 10, { categories: ["learner"] });
    expect(filtered).toEqual({ events: [], position: start, atHead: true });
    expect(await log.behind(start)).toEqual({ events: 0, oldestRecordedAt: null });
  });

  test("hands out all events in the order of the appends, whatever the size of the pages", async () => {
    const { log } = opened;
    for (let i = 0; i < 20; i++) {
      await log.append([
        request(`learner-${i % 3}`, newEvents(2)),
        request(`item-${i}`, newEvents(1, { type: i % 2 === 0 ? "ItemPublished" : "ItemRetired" })),
      ]);
    }
    await log.append([request("model", [newEvent({ type: "ModelPublished" })])]);
    const { events, position } = await readAll(log, start, 1000);
    const positions = events.map((event) => event.position);
    at = (n) => (n === 0 ? start : (positions[n - 1] ?? Number.NaN));
    expect(events).toHaveLength(61);
    expect(position).toBe(at(61));
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
    if (abilities.densePositions) expect(positions).toEqual(Array.from({ length: 61 }, (_, i) => i + 1));
    expect(events[60]).toMatchObject({ stream: "model", type: "ModelPublished", revision: 1, recordedAt });
    for (const pageSize of [1, 7, 60, 61, 62]) {
      expect((await readAll(log, start, pageSize)).events).toEqual(events);
    }
  });

  test("what is made late of an event is the same each time it is asked for", async () => {
    const categories = ["learner", "item", "model"];
    const { events } = await opened.log.read(start, 1000, { categories });
    const late = (await opened.log.read(start, 1000, { categories, parseLate: true })).events;
    const whole = () => late.map((event) => ({ ...event, recordedAt: event.recordedAt, data: event.data }));
    expect(whole()).toEqual(events);
    expect(whole()).toEqual(events);
  });

  test("resumes after any position", async () => {
    const { events } = await readAll(opened.log, start);
    for (const after of [1, 30, 60, 61]) {
      expect((await readAll(opened.log, at(after), 10)).events).toEqual(events.slice(after));
    }
  });

  test("a page says whether more stood in the log", async () => {
    const { log } = opened;
    expect(await log.read(start, 60)).toMatchObject({ position: at(60), atHead: false });
    expect((await log.read(at(60), 10)).atHead).toBe(true);
    expect(await log.read(at(61), 10)).toEqual({ events: [], position: at(61), atHead: true });
  });

  test("never goes back, also after a position beyond the head", async () => {
    const beyond = (await opened.log.head()) + 1_000;
    expect(await opened.log.read(beyond, 10)).toEqual({ events: [], position: beyond, atHead: true });
    const filtered = await opened.log.read(beyond, 10, { categories: ["item"], types: ["ItemPublished"] });
    expect(filtered).toEqual({ events: [], position: beyond, atHead: true });
    expect(await opened.log.behind(beyond)).toEqual({ events: 0, oldestRecordedAt: null });
  });

  test("filters by category and by type, and by both", async () => {
    const all = (await readAll(opened.log, start)).events;
    const filters = [
      { categories: ["item"] },
      { categories: ["item", "model"] },
      { types: ["ItemRetired"] },
      { categories: ["learner", "item"], types: ["ItemPublished", "ModelPublished"] },
      { categories: ["learner"], types: ["ItemPublished"] },
      { categories: ["ite"] },
      { categories: [] },
      { types: [] },
    ];
    for (const filter of filters) {
      const wanted = all.filter(
        (event) =>
          (filter.categories?.includes(event.stream.split("-")[0] ?? "") ?? true) &&
          (filter.types?.includes(event.type) ?? true),
      );
      for (const pageSize of [1, 3, 100]) {
        const read = await readAll(opened.log, start, pageSize, filter);
        expect(read, JSON.stringify({ filter, pageSize })).toEqual({ events: wanted, position: at(61) });
      }
    }
  });

  test("a filtered position moves past what does not match", async () => {
    const page = await opened.log.read(start, 10, { categories: ["model"] });
    expect(page).toMatchObject({ position: at(61), atHead: true });
    expect(page.events).toHaveLength(1);
    const none = await opened.log.read(start, 10, { categories: ["nobody"] });
    expect(none).toEqual({ events: [], position: at(61), atHead: true });
  });

  test("a category named twice gives its events once", async () => {
    const twice = { categories: ["item", "item"], types: ["ItemRetired", "ItemRetired"] };
    const page = await opened.log.read(start, 100, twice);
    expect(page.events).toHaveLength(10);
  });

  test("says how far behind a position is, and since when", async () => {
    const { log } = opened;
    await log.append([
      request("learner-1", [newEvent({ recordedAt: "2026-03-01T10:00:00.000Z" })]),
      request("item-1", [newEvent({ type: "ItemRetired", recordedAt: "2026-03-01T10:00:01.500Z" })]),
    ]);
    expect(await log.behind(start)).toEqual({ events: 63, oldestRecordedAt: recordedAt });
    expect(await log.behind(at(61))).toEqual({ events: 2, oldestRecordedAt: "2026-03-01T10:00:00.000Z" });
    expect(await log.behind(at(61), { categories: ["item"] })).toEqual({
      events: 1,
      oldestRecordedAt: "2026-03-01T10:00:01.500Z",
    });
    expect(await log.behind(start, { types: ["ItemRetired"] })).toMatchObject({ events: 11 });
    expect(await log.behind(start, { categories: ["item"], types: ["ItemPublished"] })).toMatchObject({ events: 10 });
    expect(await log.behind(at(61), { categories: ["model"] })).toEqual({ events: 0, oldestRecordedAt: null });
    expect(await log.behind(await log.head())).toEqual({ events: 0, oldestRecordedAt: null });
  });

  test("a limit or position that is none is a caller's bug", async () => {
    for (const [after, limit] of [[0, 0] as const, [0, 1.5] as const, [-1, 10] as const, [Number.NaN, 10] as const]) {
      await expect(opened.log.read(after, limit)).rejects.toThrow(RangeError);
    }
  });

  test("waiting ends at once where more stands already", async () => {
    const started = performance.now();
    await opened.log.waitForMore(start, 20_000, never);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test("waiting ends promptly on a commit, and then there is more", async () => {
    const { log } = opened;
    for (let i = 0; i < 5; i++) {
      const head = await log.head();
      const waiting = Promise.all([log.waitForMore(head, 20_000, never), log.waitForMore(head, 20_000, never)]);
      const started = performance.now();
      await log.append([request("learner-wait", newEvents(1))]);
      await waiting;
      expect(performance.now() - started).toBeLessThan(1_000);
      expect((await log.read(head, 10)).events).toHaveLength(1);
    }
  });

  test("waiting ends when the time is up, and on abort", async () => {
    const { log } = opened;
    const head = await log.head();
    const started = performance.now();
    await log.waitForMore(head, 60, never);
    expect(performance.now() - started).toBeGreaterThan(50);
    const abort = new AbortController();
    const waiting = log.waitForMore(head, 20_000, abort.signal);
    abort.abort();
    await waiting;
    await log.waitForMore(head, 20_000, abort.signal);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test("a commit through another handle is seen, and wakes those who wait", async () => {
    const another = await opened.openAnother?.();
    // A log in memory has one handle only.
    if (another === undefined) return;
    const { log } = opened;
    for (let i = 0; i < 5; i++) {
      const head = await log.head();
      const waiting = log.waitForMore(head, 20_000, never);
      const started = performance.now();
      const [appended] = await another.append([request("learner-other", newEvents(1))]);
      await waiting;
      expect(performance.now() - started).toBeLessThan(1_000);
      const { events } = await log.read(head, 10);
      expect(appended).toMatchObject({ status: "appended", position: events[0]?.position });
      expect(events).toHaveLength(1);
    }
    await another.close();
  });
}
