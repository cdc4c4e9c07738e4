import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectedMsDefault } from "../item-selection/scope.ts";
import { evolveSession, expectedMs, newSession, type Session, sessionGapMs, sessionSoFar } from "./session.ts";

interface Step {
  readonly sessionId?: string;
  readonly durationMs?: number;
  readonly kind?: "answer" | "view" | "hint" | "skip";
  readonly sinceMs?: number;
  readonly sameItem?: boolean;
}

function sessionOf(...steps: readonly Step[]): Session {
  const session = newSession();
  for (const { sinceMs = 1000, sameItem = false, kind = "answer", ...data } of steps) {
    evolveSession(session, { kind, ...data }, { sinceMs, sameItem });
  }
  return session;
}

describe("a session", () => {
  test("sums the time and the items of the interactions with its id, and starts anew with another id", () => {
    const monday = { sessionId: "monday", durationMs: 20_000 };
    expect(sessionOf(monday, monday, monday)).toMatchObject({ ms: 60_000, items: 3 });
    expect(sessionOf(monday, monday, { sessionId: "tuesday", durationMs: 5_000 })).toMatchObject({
      ms: 5_000,
      items: 1,
    });
    expect(sessionOf(monday, { ...monday, sinceMs: 10 * sessionGapMs })).toMatchObject({ ms: 40_000, items: 2 });
  });

  test("goes on without an id until half an hour passed", () => {
    const answer = { durationMs: 20_000 };
    expect(sessionOf({ ...answer, sessionId: "a" }, { ...answer, sinceMs: -5 })).toMatchObject({
      ms: 40_000,
      items: 2,
    });
    expect(sessionOf({ ...answer, sessionId: "a" }, { ...answer, sinceMs: sessionGapMs })).toMatchObject({
      id: 0,
      items: 1,
    });
  });

  test("counts an answer without a duration as the learner's usual, and never more than half an hour", () => {
    expect(sessionOf({}).ms).toBe(expectedMsDefault);
    expect(sessionOf({ durationMs: 8_000 }, {}).ms).toBe(16_000);
    expect(sessionOf({ durationMs: 9e9 }).ms).toBe(30 * 60_000);
    expect(sessionOf({ durationMs: 8_000 }, { durationMs: 9e9 }).usualMs).toBe(8_000);
    expect(sessionOf({ kind: "hint" }, { kind: "view" })).toMatchObject({ ms: 0, items: 1, usualMs: 0 });
  });

  test("counts an item that is done again at once as one", () => {
    expect(sessionOf({}, { sameItem: true }, { kind: "hint", sameItem: true }, {}).items).toBe(2);
    expect(sessionOf({ sessionId: "a" }, { sessionId: "b", sameItem: true }).items).toBe(1);
  });

  test("is over half an hour after its last event, unless it is named", () => {
    const session = sessionOf({ sessionId: "monday", durationMs: 20_000 });
    const at = (now: number, sessionId?: string) => sessionSoFar(session, { lastAt: 1_000, now, sessionId });
    const begun = { ms: 20_000, items: 1, expectedMs: 20_000 };
    const fresh = { ms: 0, items: 0, expectedMs: 20_000, endsAt: Number.POSITIVE_INFINITY };
    expect(at(2_000)).toEqual({ ...begun, endsAt: 1_000 + sessionGapMs });
    expect(at(1_000 + sessionGapMs)).toEqual(fresh);
    expect(at(1_000 + sessionGapMs, "monday")).toEqual({ ...begun, endsAt: Number.POSITIVE_INFINITY });
    expect(at(2_000, "tuesday")).toEqual(fresh);
  });

  test("knows the usual duration between the shortest and the longest answer, whole numbers throughout", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1, max: 1_800_000, noNaN: true }), { minLength: 1 }), (durations) => {
        const session = sessionOf(...durations.map((durationMs) => ({ durationMs })));
        expect(expectedMs(session)).toBeGreaterThanOrEqual(Math.round(Math.min(...durations)));
        expect(expectedMs(session)).toBeLessThanOrEqual(Math.round(Math.max(...durations)));
        expect(Object.values(session).every(Number.isSafeInteger)).toBe(true);
      }),
    );
  });
});
