import { describe, expect, test } from "vitest";
import { createSampleWindow, type LagSample, ratesBetween, secondsToDrain, stateOf } from "./lag-rates.ts";

const sample = (seconds: number, arrived: number, behindEvents: number): LagSample => ({
  ...{ at: seconds * 1000, arrived, behindEvents },
});
const behind = (behindEvents: number, behindSeconds = 30) => ({ started: true, behindEvents, behindSeconds });
const unknown = { rateIn: null, rateOut: null, rateSeconds: 0 };
const rates = (rateIn: number, rateOut: number) => ({ rateIn, rateOut, rateSeconds: 60 });

describe("rates", () => {
  test("what goes out is what came in and is not behind any more", () => {
    expect(ratesBetween(sample(0, 100, 50), sample(10, 1_100, 250))).toEqual({
      ...{ rateIn: 100, rateOut: 80, rateSeconds: 10 },
    });
    expect(ratesBetween(sample(0, 0, 1_000), sample(20, 0, 0))).toEqual({ rateIn: 0, rateOut: 50, rateSeconds: 20 });
  });

  test("nothing is known of one look, and of two that are close together", () => {
    expect(ratesBetween(undefined, sample(1, 0, 0))).toEqual(unknown);
    expect(ratesBetween(sample(1, 0, 0), sample(1.4, 10, 0))).toEqual(unknown);
  });

  test("what is to be folded again is no rate", () => {
    expect(ratesBetween(sample(0, 0, 10), sample(10, 0, 5_000)).rateOut).toBe(0);
  });
});

describe("the window", () => {
  test("who asks each second gets the last minute, and no more", () => {
    const window = createSampleWindow(60_000, 600_000);
    let last = window.add(sample(0, 0, 0));
    // Ten a second for five minutes, then a hundred.
    for (let second = 1; second <= 300; second += 1) last = window.add(sample(second, second * 10, 0));
    expect(last).toEqual({ rateIn: 10, rateOut: 10, rateSeconds: 60 });
    for (let second = 301; second <= 360; second += 1)
      last = window.add(sample(second, 3_000 + (second - 300) * 100, 0));
    expect(last).toEqual({ rateIn: 100, rateOut: 100, rateSeconds: 60 });
  });

  test("who asks more often than each second gets the same", () => {
    const window = createSampleWindow(60_000, 600_000);
    let last = window.add(sample(0, 0, 0));
    for (let tenth = 1; tenth <= 1_200; tenth += 1) last = window.add(sample(tenth / 10, tenth, 0));
    expect(last.rateIn).toBeCloseTo(10);
    expect(last.rateSeconds).toBeGreaterThan(59.9);
    expect(last.rateSeconds).toBeLessThan(62.1);
  });

  test("who asks seldom gets the time since the last look, and after a long pause nothing", () => {
    const window = createSampleWindow(60_000, 600_000);
    window.add(sample(0, 0, 0));
    expect(window.add(sample(300, 3_000, 0))).toMatchObject({ rateIn: 10, rateSeconds: 300 });
    expect(window.add(sample(500, 3_200, 0))).toMatchObject({ rateIn: 1, rateSeconds: 200 });
    expect(window.add(sample(1_200, 9_999, 0))).toEqual(unknown);
    // A clock that was set back.
    expect(window.add(sample(5, 9_999, 0))).toEqual(unknown);
  });
});

describe("state and time to drain", () => {
  test.each([
    ["stale", { started: false, behindEvents: 0, behindSeconds: 0 }, rates(0, 0), null],
    ["current", behind(0, 0), rates(100, 100), 0],
    ["current", behind(0, 0), unknown, 0],
    ["measuring", behind(5), unknown, null],
    ["following", behind(50, 0.1), rates(100, 100), 0.5],
    ["following", behind(1, 0.2), rates(0, 0), 0.2],
    ["stopped", behind(1, 30), rates(10, 0), null],
    ["draining", behind(6_000), rates(100, 200), 60],
    ["growing", behind(6_000), rates(200, 200), null],
    ["growing", behind(6_000), rates(200, 100), null],
  ] as const)("%s", (state, one, at, seconds) => {
    expect(stateOf(one, at)).toBe(state);
    expect(secondsToDrain(one, at)).toBe(seconds);
  });
});
