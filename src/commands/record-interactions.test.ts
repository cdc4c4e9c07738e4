import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryLog } from "../adapters/event-store/memory.ts";
import { decodeEvent } from "../domain/decode-event.ts";
import { trackDefinedSchema } from "../domain/events.ts";
import { emptyCatalogue } from "../domain/item-bank/catalogue.ts";
import { LogUnavailable } from "../ports/event-store.ts";
import {
  interactionEventId,
  type RecordInteractionsDeps,
  recordInteractions,
  tokensOf,
} from "./record-interactions.ts";

const now = Date.parse("2026-03-01T12:00:00.000Z");
const answer = { id: "i1", learnerId: "ada", itemId: "sum", kind: "answer", correct: true };

let log: ReturnType<typeof createMemoryLog>;
let deps: RecordInteractionsDeps;
let ids = 0;
beforeEach(() => {
  log = createMemoryLog();
  const catalogue = emptyCatalogue();
  const item = {
    itemId: "sum",
    title: "Sum",
    skillIds: ["adding"],
    kind: "exercise",
    tags: [],
    revision: 1,
    retired: false,
  };
  catalogue.items.set("sum", item);
  deps = {
    eventStore: log,
    catalogue: { catalogue, version: 1, bank: () => null, catchUp: async () => {} },
    clock: { now: () => now },
    randomId: () => {
      ids += 1;
      return `made-${ids}`;
    },
  };
});

async function stored() {
  return (await log.read(0, 1_000)).events.map((event) => decodeEvent(event));
}

async function refusedFields(input: unknown): Promise<string[]> {
  const [outcome] = await recordInteractions(deps, [input]);
  if (outcome?.status !== "rejected") throw new Error(`accepted: ${JSON.stringify(input)}`);
  return outcome.problem.errors.map(({ path }) => path);
}

describe("happened", () => {
  test("where the track runs an experiment, the learner's arm is stored with it; a repeat after it ended is a duplicate", async () => {
    const { tracks } = deps.catalogue.catalogue;
    const arms = [
      { arm: "as-before", share: 0, policy: {} },
      { arm: "harder", share: 1, policy: { targetSuccess: 0.6 } },
    ];
    const fields = trackDefinedSchema.parse({ trackId: "t", title: "T", experiment: { experimentId: "e", arms } });
    tracks.set("t", { ...fields, revision: 1, retired: false });
    await recordInteractions(deps, [
      { ...answer, trackId: "t" },
      { ...answer, id: "i2" },
    ]);
    const [first, second] = await stored();
    expect(first?.data).toMatchObject({ trackId: "t", experiment: { experimentId: "e", arm: "harder" } });
    expect(second?.data).not.toHaveProperty("experiment");
    tracks.clear();
    expect((await recordInteractions(deps, [{ ...answer, trackId: "t" }]))[0]?.status).toBe("duplicate");
  });

  test("an answer is stored with its skills, its score and where it came from", async () => {
    const context = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", apiKeyId: "k1" };
    const [outcome] = await recordInteractions(deps, [{ ...answer, durationMs: 1200 }], context);
    expect(outcome).toEqual({
      ...{ index: 0, id: "i1", status: "accepted", learnerId: "ada", revision: 1, position: 1, token: "r1.p1" },
    });
    const [event] = await stored();
    expect(event).toMatchObject({ stream: "learner-ada", eventId: interactionEventId("ada", "i1") });
    expect(event?.metadata).toEqual({ schemaVersion: 1, ...context });
    expect(event?.data).toEqual({
      ...{ interactionId: "i1", learnerId: "ada", itemId: "sum", kind: "answer", skillIds: ["adding"] },
      ...{ correct: true, score: 1, durationMs: 1200, occurredAt: "2026-03-01T12:00:00.000Z" },
    });
  });

  test.each([
    [{ score: 0.5 }, { score: 0.5, correct: true }],
    [{ score: 0.49 }, { score: 0.49, correct: false }],
    [{ correct: false }, { score: 0, correct: false }],
    [
      { correct: false, score: 0.7 },
      { score: 0.7, correct: false },
    ],
  ])("credit and correctness: %j", async (sent, expected) => {
    const { correct: _, ...rest } = answer;
    await recordInteractions(deps, [{ ...rest, ...sent }]);
    expect((await stored())[0]?.data).toMatchObject(expected);
  });

  test("every other kind, an unknown item, a time of an offline client in another zone", async () => {
    const base = { learnerId: "ada", itemId: "nobody-knows" };
    const outcomes = await recordInteractions(deps, [
      { ...base, kind: "view" },
      { ...base, kind: "hint", occurredAt: "2001-02-03T04:05:06+02:00" },
      { ...base, kind: "skip" },
      { ...base, kind: "rating", rating: 4 },
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["accepted", "accepted", "accepted", "accepted"]);
    const events = await stored();
    expect(events.map(({ data }) => "skillIds" in data && data.skillIds)).toEqual([[], [], [], []]);
    expect(events[1]?.data).toMatchObject({ occurredAt: "2001-02-03T02:05:06.000Z" });
    expect(new Set(outcomes.map(({ id }) => id)).size).toBe(4);
  });

  test("the same id of two learners is two interactions", async () => {
    const outcomes = await recordInteractions(deps, [answer, { ...answer, learnerId: "bob" }]);
    expect(outcomes.map(({ status }) => status)).toEqual(["accepted", "accepted"]);
    expect(interactionEventId("a", "b1")).not.toBe(interactionEventId("ab", "1"));
  });
});

describe("already done", () => {
  test("the same again is a duplicate with the same token, also within one batch and when the item's skills changed", async () => {
    const first = await recordInteractions(deps, [answer, answer]);
    expect(first.map(({ status }) => status)).toEqual(["accepted", "duplicate"]);
    deps.catalogue.catalogue.items.clear();
    const [again] = await recordInteractions({ ...deps, clock: { now: () => now + 5_000 } }, [answer]);
    expect(again).toMatchObject({ status: "duplicate", token: "r1.p1" });
    expect(await stored()).toHaveLength(1);
  });

  test("with a time that was given, the time must be the same", async () => {
    const timed = { ...answer, occurredAt: "2026-02-01T00:00:00Z" };
    await recordInteractions(deps, [timed]);
    const [same] = await recordInteractions(deps, [{ ...timed, occurredAt: "2026-02-01T01:00:00+01:00" }]);
    const [other] = await recordInteractions(deps, [{ ...timed, occurredAt: "2026-02-02T00:00:00Z" }]);
    expect(same?.status).toBe("duplicate");
    expect(other).toMatchObject({ problem: { code: "interaction_conflict", errors: [{ path: "occurredAt" }] } });
  });
});

describe("conflict", () => {
  test("the same id with other content overwrites nothing, and names what differs", async () => {
    await recordInteractions(deps, [answer]);
    const [outcome] = await recordInteractions(deps, [{ ...answer, correct: false, hintCount: 1 }]);
    expect(outcome).toMatchObject({ status: "rejected", id: "i1", problem: { code: "interaction_conflict" } });
    const paths = outcome?.status === "rejected" && outcome.problem.errors.map(({ path }) => path).sort();
    expect(paths).toEqual(["correct", "hintCount", "score"]);
    expect((await stored())[0]?.data).toMatchObject({ correct: true });
  });
});

describe("refused", () => {
  test("a bad neighbour loses nobody, and outcomes are in input order", async () => {
    const inputs = [null, answer, { ...answer, id: "i2", kind: "guess" }, 7, { ...answer, id: "i3" }];
    const outcomes = await recordInteractions(deps, inputs);
    expect(outcomes.map(({ index, id, status }) => [index, id, status])).toEqual([
      [0, null, "rejected"],
      [1, "i1", "accepted"],
      [2, "i2", "rejected"],
      [3, null, "rejected"],
      [4, "i3", "accepted"],
    ]);
    expect(await stored()).toHaveLength(2);
    expect(Array.from(tokensOf(outcomes), ([learnerId, { token }]) => [learnerId, token])).toEqual([["ada", "r2.p2"]]);
  });

  test.each<[string, Record<string, unknown>, string[]]>([
    ["an unknown field", { corect: true }, ["corect"]],
    ["a field of the event that is not the client's to say", { skillIds: ["x"] }, ["skillIds"]],
    ["no learner", { learnerId: undefined }, ["learnerId"]],
    ["white space in an id", { itemId: "a b" }, ["itemId"]],
    ["half a surrogate pair", { learnerId: "a\ud800" }, ["learnerId"]],
    ["a control character", { source: "a\u0000b" }, ["source"]],
    ["an id too long", { id: "x".repeat(201) }, ["id"]],
    ["an answer without outcome", { correct: undefined }, ["correct"]],
    ["a view with an outcome", { kind: "view" }, ["correct"]],
    ["a view with a score", { kind: "view", correct: undefined, score: 1 }, ["score"]],
    ["a rating without one", { kind: "rating", correct: undefined }, ["rating"]],
    ["a rating out of range", { kind: "rating", correct: undefined, rating: 6 }, ["rating"]],
    ["an answer with a rating", { rating: 3 }, ["rating"]],
    ["a score above 1", { score: 1.01 }, ["score"]],
    ["a score that is text", { score: "1" }, ["score"]],
    ["a negative duration", { durationMs: -1 }, ["durationMs"]],
    ["half a hint", { hintCount: 0.5 }, ["hintCount"]],
    ["an unknown session", { sessionType: "exam" }, ["sessionType"]],
    ["a time that is none", { occurredAt: "yesterday" }, ["occurredAt"]],
    ["a time without zone", { occurredAt: "2026-01-01T00:00:00" }, ["occurredAt"]],
    ["a day that does not exist", { occurredAt: "2026-02-30T00:00:00Z" }, ["occurredAt"]],
    ["a time before 2000", { occurredAt: "1999-12-31T23:59:59Z" }, ["occurredAt"]],
    ["a time to come", { occurredAt: "2026-03-01T12:05:00.001Z" }, ["occurredAt"]],
  ])("%s", async (_what, change, fields) => {
    expect(await refusedFields({ ...answer, ...change })).toEqual(fields);
    expect(await stored()).toEqual([]);
  });

  test("a clock five minutes ahead is forgiven", async () => {
    const [outcome] = await recordInteractions(deps, [{ ...answer, occurredAt: "2026-03-01T12:05:00Z" }]);
    expect(outcome?.status).toBe("accepted");
  });

  test("what happened just now is not to come where the clock was set back", async () => {
    const latestTime = () => Date.parse("2026-03-01T13:00:00Z");
    const late = { ...answer, occurredAt: "2026-03-01T13:04:00Z" };
    const [outcome] = await recordInteractions({ ...deps, latestTime }, [late]);
    expect(outcome?.status).toBe("accepted");
  });

  test("a field called __proto__ is refused like any other", async () => {
    const input = JSON.parse(
      `{"id":"i1","learnerId":"ada","itemId":"sum","kind":"view","__proto__":{"kind":"answer"}}`,
    );
    expect(await refusedFields(input)).toEqual(["__proto__"]);
  });
});

test("a log that does not answer fails the call, and the call may be repeated", async () => {
  let down = true;
  const eventStore = {
    append: async (requests: Parameters<typeof log.append>[0]) => {
      if (down) throw new LogUnavailable("gone");
      return log.append(requests);
    },
  };
  await expect(recordInteractions({ ...deps, eventStore }, [answer])).rejects.toBeInstanceOf(LogUnavailable);
  down = false;
  expect((await recordInteractions({ ...deps, eventStore }, [answer]))[0]?.status).toBe("accepted");
});

test("many are read in turns with other work, and come in one append all the same", async () => {
  const appends: number[] = [];
  let turns = 0;
  const turning: RecordInteractionsDeps = {
    ...deps,
    eventStore: {
      append(requests) {
        appends.push(requests.length);
        return log.append(requests);
      },
    },
    nextTurn: async () => {
      turns += 1;
    },
  };
  const inputs = Array.from({ length: 450 }, (_, n) => ({ ...answer, id: `i${n}` }));
  const outcomes = await recordInteractions(turning, inputs);
  expect([turns, appends]).toEqual([4, [450]]);
  expect(outcomes.map(({ id }) => id)).toEqual(inputs.map(({ id }) => id));
  expect((await stored()).map(({ revision }) => revision)).toEqual(inputs.map((_, n) => n + 1));
});
