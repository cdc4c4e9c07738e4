import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { feedContract } from "./feed.contract.ts";
import { randomAppendsContract } from "./random-appends.contract.ts";
import { readStreamContract } from "./streams.contract.ts";
import {
  allAbilities,
  type Log,
  type LogAbilities,
  newEvent,
  newEvents,
  type OpenedLog,
  placeOf,
  readAll,
  recordedAt,
  request,
} from "./support.contract.ts";

/** What every adapter of EventStore and Feed must do. `open` gives an empty log. */
export function eventStoreContract(
  name: string,
  open: () => Promise<OpenedLog>,
  abilities: LogAbilities = allAbilities,
): void {
  describe(name, () => {
    describe("event store", () => appendContract(open, abilities));
    describe("streams", () => readStreamContract(open));
    describe("feed", () => feedContract(open, abilities));
    describe("random appends", () => randomAppendsContract(open, abilities));
  });
}

function appendContract(open: () => Promise<OpenedLog>, abilities: LogAbilities): void {
  let opened: OpenedLog;
  let log: Log;
  let count = 0;
  const newStream = () => `learner-${count++}`;
  beforeAll(async () => {
    opened = await open();
    log = opened.log;
  });
  afterAll(() => opened.close());

  test("an append says the revision and position of its last event", async () => {
    const [a, b] = [newStream(), newStream()];
    const head = await log.head();
    const results = await log.append([request(a, newEvents(3)), request(b, newEvents(1))]);
    const { events } = await readAll(log, head);
    expect(results).toEqual([
      { status: "appended", ...placeOf(events, a, 3) },
      { status: "appended", ...placeOf(events, b, 1) },
    ]);
    expect(await log.head()).toBe(events[3]?.position);
    if (abilities.densePositions) expect(events.map((event) => event.position - head)).toEqual([1, 2, 3, 4]);
    if (abilities.ordersStreams) expect(events.map((event) => event.stream)).toEqual([a, a, a, b]);
  });

  test("nothing to append is nothing", async () => {
    const head = await log.head();
    expect(await log.append([])).toEqual([]);
    expect(await log.head()).toBe(head);
  });

  test("expected none: only where there is no stream; 0 says the same", async () => {
    for (const none of ["none", 0] as const) {
      const stream = newStream();
      expect(await log.append([request(stream, newEvents(2), none)])).toMatchObject([{ status: "appended" }]);
      const refused = await log.append([request(stream, newEvents(1), none)]);
      expect(refused).toMatchObject([{ status: "conflict", actual: 2, why: expect.stringContaining("no stream") }]);
      expect(await log.readStream(stream, { limit: 10 })).toHaveLength(2);
    }
  });

  test("expected exact: only at that revision", async () => {
    const stream = newStream();
    expect(await log.append([request(stream, newEvents(1), 1)])).toMatchObject([{ status: "conflict", actual: 0 }]);
    await log.append([request(stream, newEvents(2))]);
    for (const wrong of [1, 3]) {
      const refused = await log.append([request(stream, newEvents(1), wrong)]);
      expect(refused).toMatchObject([{ status: "conflict", actual: 2, why: expect.stringContaining(`${wrong}`) }]);
    }
    expect(await log.append([request(stream, newEvents(1), 2)])).toMatchObject([{ status: "appended", revision: 3 }]);
  });

  test("an event id is stored once: a repeated append is a duplicate and shows what is stored", async () => {
    const stream = newStream();
    const [first, second] = [newEvent({ data: { n: 1 } }), newEvent({ data: { n: 2 } })];
    const before = await log.head();
    await log.append([request(stream, [first, second])]);
    const stored = (await readAll(log, before)).events;
    const head = await log.head();
    // With other content, and asked for in another order: what was stored first stays.
    const repeated = await log.append([request(stream, [second, { ...first, data: { n: 99 } }])]);
    expect(repeated).toEqual([
      {
        status: "duplicate",
        ...placeOf(stored, stream, 1),
        existing: [
          expect.objectContaining({
            eventId: second.eventId,
            data: { n: 2 },
            stream,
            ...placeOf(stored, stream, 2),
            recordedAt,
          }),
          expect.objectContaining({ eventId: first.eventId, data: { n: 1 }, revision: 1 }),
        ],
      },
    ]);
    expect(await log.head()).toBe(head);
  });

  test("idempotency comes before the revision check", async () => {
    const stream = newStream();
    const once = request(stream, newEvents(2), "none");
    await log.append([once]);
    await log.append([request(stream, newEvents(1))]);
    expect(await log.append([once])).toMatchObject([{ status: "duplicate", revision: 2 }]);
    expect(await log.append([{ ...once, expected: 77 }])).toMatchObject([{ status: "duplicate", revision: 2 }]);
  });

  test("a duplicate inside one batch is a duplicate, with the position just given", async () => {
    const stream = newStream();
    const again = request(stream, newEvents(2));
    const another = newStream();
    const before = await log.head();
    const [first, second, other] = await log.append([again, again, request(another, newEvents(1))]);
    const { events } = await readAll(log, before);
    expect(events).toHaveLength(3);
    expect(first).toEqual({ status: "appended", ...placeOf(events, stream, 2) });
    expect(second).toMatchObject({ status: "duplicate", ...placeOf(events, stream, 2) });
    expect(second?.status === "duplicate" && second.existing.map((event) => event.eventId)).toEqual(
      again.events.map((event) => event.eventId),
    );
    expect(other).toEqual({ status: "appended", ...placeOf(events, another, 1) });
  });

  const idsByStream = () =>
    test("an event id in use in another stream is nobody's business", async () => {
      const [a, b] = [newStream(), newStream()];
      const event = newEvent();
      for (const stream of [a, b])
        expect(await log.append([request(stream, [event])])).toMatchObject([{ revision: 1 }]);
      for (const stream of [a, b]) {
        expect(await log.append([request(stream, [event])])).toMatchObject([
          { status: "duplicate", existing: [{ stream }] },
        ]);
      }
    });

  const idsAcross = () =>
    test("an event id in use in another stream is a conflict", async () => {
      const [a, b] = [newStream(), newStream()];
      const event = newEvent();
      await log.append([request(a, [event])]);
      const refused = await log.append([request(b, [newEvent(), event])]);
      expect(refused).toEqual([{ status: "conflict", actual: 0, why: expect.stringContaining(event.eventId) }]);
      expect(await log.readStream(b, { limit: 10 })).toEqual([]);
      const inOneBatch = newEvent();
      expect(await log.append([request(a, [inOneBatch]), request(b, [inOneBatch])])).toMatchObject([
        { status: "appended" },
        { status: "conflict", why: expect.stringContaining(a) },
      ]);
    });

  if (abilities.idsAcrossStreams) idsAcross();
  else idsByStream();

  test("a request is stored whole or not at all: some ids known, or one id twice, is a conflict", async () => {
    const stream = newStream();
    const known = newEvent();
    await log.append([request(stream, [known])]);
    const twice = newEvent();
    expect(await log.append([request(stream, [newEvent(), known]), request(stream, [twice, twice])])).toEqual([
      { status: "conflict", actual: 1, why: expect.stringContaining("1 of the 2") },
      { status: "conflict", actual: 1, why: expect.stringContaining(twice.eventId) },
    ]);
    expect(await log.readStream(stream, { limit: 10 })).toHaveLength(1);
  });

  test("one stream several times in one batch: requests are applied in order", async () => {
    const stream = newStream();
    const results = await log.append([
      request(stream, newEvents(2), "none"),
      request(stream, newEvents(1), 2),
      request(stream, newEvents(1), 2),
      request(stream, newEvents(3)),
      request(stream, newEvents(1), 6),
    ]);
    expect(results.map((result) => (result.status === "conflict" ? `at ${result.actual}` : result.revision))).toEqual([
      2,
      3,
      "at 3",
      6,
      7,
    ]);
    const events = await log.readStream(stream, { limit: 10 });
    expect(events.map((event) => event.revision)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test("requests are independent: one that is refused takes nobody along", async () => {
    const [a, b] = [newStream(), newStream()];
    const before = await log.head();
    const results = await log.append([
      request(a, newEvents(1), 5),
      request(b, newEvents(2)),
      request(a, newEvents(1), "none"),
    ]);
    const { events } = await readAll(log, before);
    expect(results).toMatchObject([
      { status: "conflict", actual: 0 },
      { status: "appended", ...placeOf(events, b, 2) },
      { status: "appended", ...placeOf(events, a, 1) },
    ]);
  });

  test("what is stored comes back as it was, to the last character", async () => {
    const stream = "learner-Zoë-\u{1F600}-\"'\\{},%";
    const data = {
      text: "quotes \" ' \\ {curly},[square] NULL \u0000 \u2028 \ud800 \u{1F600} Ünï",
      numbers: [0, -0.1, 1e21, 1.5e-7, Number.MAX_SAFE_INTEGER],
      nested: { b: null, a: [true, false, {}, []] },
      z: 1,
      a: 2,
    };
    const metadata = { schemaVersion: 3, apiKeyId: "key \\ \" '" };
    const event = newEvent({ type: "Odd-Type{},\\", data, metadata, recordedAt: "1999-12-31T23:59:59.999Z" });
    await log.append([request(stream, [event])]);
    const [stored] = await log.readStream(stream, { limit: 1 });
    expect(stored).toEqual({ ...event, stream, revision: 1, position: await log.head() });
    expect(JSON.stringify(stored?.data)).toBe(JSON.stringify(data));
  });

  test("recordedAt comes back in UTC with milliseconds", async () => {
    const stream = newStream();
    await log.append([request(stream, [newEvent({ recordedAt: "2026-03-01T11:00:00+02:00" })])]);
    expect(await log.readStream(stream, { limit: 1 })).toMatchObject([{ recordedAt: "2026-03-01T09:00:00.000Z" }]);
  });

  test("concurrent appends to one stream: each gets its own revision, exactly one wins an expected one", async () => {
    const stream = newStream();
    const any = await Promise.all(newEvents(30).map((event) => log.append([request(stream, [event])])));
    const revisions = any.flat().map((result) => (result.status === "appended" ? result.revision : -1));
    expect(revisions.sort((x, y) => x - y)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    const exact = await Promise.all(newEvents(10).map((event) => log.append([request(stream, [event], 30)])));
    const statuses = exact.flat().map((result) => result.status);
    expect(statuses.filter((status) => status === "appended")).toHaveLength(1);
    expect(statuses.filter((status) => status === "conflict")).toHaveLength(9);
  });

  test("the same append sent concurrently is stored once", async () => {
    const stream = newStream();
    const same = request(stream, newEvents(3));
    const results = (await Promise.all(Array.from({ length: 8 }, () => log.append([same])))).flat();
    expect(results.filter((result) => result.status === "appended")).toHaveLength(1);
    expect(results.filter((result) => result.status === "duplicate")).toHaveLength(7);
    expect(await log.readStream(stream, { limit: 10 })).toHaveLength(3);
  });

  test("a caller's bug throws and stores nothing", async () => {
    const head = await log.head();
    const good = request(newStream(), newEvents(1));
    for (const bad of [
      request(newStream(), []),
      request("", newEvents(1)),
      request("learner-\u0000", newEvents(1)),
      request("learner-\ud800", newEvents(1)),
      request(newStream(), newEvents(1), -1),
      request(newStream(), newEvents(1), 1.5),
      request(newStream(), [newEvent({ eventId: "7" })]),
      request(newStream(), [newEvent({ eventId: randomUUID().toUpperCase() })]),
      request(newStream(), [newEvent({ type: "" })]),
      request(newStream(), [newEvent({ recordedAt: "yesterday" })]),
    ]) {
      await expect(log.append([good, bad]), JSON.stringify(bad)).rejects.toThrow(RangeError);
    }
    expect(await log.head()).toBe(head);
  });

  test("a batch of 3,000 events in 1,000 streams", async () => {
    const streams = Array.from({ length: 1_000 }, () => newStream());
    const before = await log.head();
    const results = await log.append(streams.map((stream) => request(stream, newEvents(3), "none")));
    const { events } = await readAll(log, before, 1_000);
    expect(events).toHaveLength(3_000);
    const places = new Map(events.map((event) => [event.stream, event.position]));
    expect(results).toEqual(
      streams.map((stream) => ({ status: "appended", revision: 3, position: places.get(stream) })),
    );
    expect(await log.head()).toBe(events[2_999]?.position);
  });
}
