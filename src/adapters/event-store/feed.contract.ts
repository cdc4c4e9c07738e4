import { afterAll, beforeAll, expect, test } from "vitest";
import { newEvent, newEvents, type OpenedLog, readAll, recordedAt, request } from "./support.contract.ts";

const never = new AbortController().signal;

export function feedContract(open: () => Promise<OpenedLog>): void {
  let opened: OpenedLog;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close());

  test("an empty log: at its head, at position 0", async () => {
    expect(await opened.log.head()).toBe(0);
    expect(await opened.log.read(0, 10)).toEqual({ events: [], position: 0, atHead: true });
    expect(await opened.log.read(0, 10, { categories: ["learner"] })).toEqual({
      events: [],
      position: 0,
      atHead: true,
    });
    expect(await opened.log.behind(0)).toEqual({ events: 0, oldestRecordedAt: null });
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
    const { events, position } = await readAll(log, 0, 1000);
    expect(position).toBe(61);
    expect(events.map((event) => event.position)).toEqual(Array.from({ length: 61 }, (_, i) => i + 1));
    expect(events[60]).toMatchObject({ stream: "model", type: "ModelPublished", revision: 1, recordedAt });
    for (const pageSize of [1, 7, 60, 61, 62]) {
      expect((await readAll(log, 0, pageSize)).events).toEqual(events);
    }
  });

  test("resumes after any position", async () => {
    const { events } = await readAll(opened.log);
    for (const after of [1, 30, 60, 61]) {
      expect((await readAll(opened.log, after, 10)).events).toEqual(events.slice(after));
    }
  });

  test("a page says whether more stood in the log", async () => {
    const { log } = opened;
    expect(await log.read(0, 60)).toMatchObject({ position: 60, atHead: false });
    expect((await log.read(60, 10)).atHead).toBe(true);
    expect(await log.read(61, 10)).toEqual({ events: [], position: 61, atHead: true });
  });

  test("never goes back, also after a position beyond the head", async () => {
    expect(await opened.log.read(1_000, 10)).toEqual({ events: [], position: 1_000, atHead: true });
    const filtered = await opened.log.read(1_000, 10, { categories: ["item"], types: ["ItemPublished"] });
    expect(filtered).toEqual({ events: [], position: 1_000, atHead: true });
    expect(await opened.log.behind(1_000)).toEqual({ events: 0, oldestRecordedAt: null });
  });

  test("filters by category and by type, and by both", async () => {
    const all = (await readAll(opened.log)).events;
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
        const read = await readAll(opened.log, 0, pageSize, filter);
        expect(read, JSON.stringify({ filter, pageSize })).toEqual({ events: wanted, position: 61 });
      }
    }
  });

  test("a filtered position moves past what does not match", async () => {
    const page = await opened.log.read(0, 10, { categories: ["model"] });
    expect(page).toMatchObject({ position: 61, atHead: true });
    expect(page.events).toHaveLength(1);
    expect(await opened.log.read(0, 10, { categories: ["nobody"] })).toEqual({
      events: [],
      position: 61,
      atHead: true,
    });
  });

  test("a category named twice gives its events once", async () => {
    const page = await opened.log.read(0, 100, { categories: ["item", "item"], types: ["ItemRetired", "ItemRetired"] });
    expect(page.events).toHaveLength(10);
  });

  test("says how far behind a position is, and since when", async () => {
    const { log } = opened;
    await log.append([
      request("learner-1", [newEvent({ recordedAt: "2026-03-01T10:00:00.000Z" })]),
      request("item-1", [newEvent({ type: "ItemRetired", recordedAt: "2026-03-01T10:00:01.500Z" })]),
    ]);
    expect(await log.behind(0)).toEqual({ events: 63, oldestRecordedAt: recordedAt });
    expect(await log.behind(61)).toEqual({ events: 2, oldestRecordedAt: "2026-03-01T10:00:00.000Z" });
    expect(await log.behind(61, { categories: ["item"] })).toEqual({
      events: 1,
      oldestRecordedAt: "2026-03-01T10:00:01.500Z",
    });
    expect(await log.behind(0, { types: ["ItemRetired"] })).toMatchObject({ events: 11 });
    expect(await log.behind(0, { categories: ["item"], types: ["ItemPublished"] })).toMatchObject({ events: 10 });
    expect(await log.behind(61, { categories: ["model"] })).toEqual({ events: 0, oldestRecordedAt: null });
    expect(await log.behind(63)).toEqual({ events: 0, oldestRecordedAt: null });
  });

  test("a limit or position that is none is a caller's bug", async () => {
    for (const [after, limit] of [[0, 0] as const, [0, 1.5] as const, [-1, 10] as const, [Number.NaN, 10] as const]) {
      await expect(opened.log.read(after, limit)).rejects.toThrow(RangeError);
    }
  });

  test("waiting ends at once where more stands already", async () => {
    const started = performance.now();
    await opened.log.waitForMore(0, 20_000, never);
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
      expect(await another.append([request("learner-other", newEvents(1))])).toMatchObject([{ position: head + 1 }]);
      await waiting;
      expect(performance.now() - started).toBeLessThan(1_000);
      expect((await log.read(head, 10)).events).toHaveLength(1);
    }
    await another.close();
  });
}
