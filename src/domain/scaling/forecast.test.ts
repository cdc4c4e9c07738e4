import { describe, expect, it } from "vitest";
import { rateAt } from "../pipeline-simulation/arrivals.ts";
import { poisson } from "../pipeline-simulation/durations.ts";
import { mulberry32 } from "../random.ts";
import { type DayProfile, dayProfile, factorAt, spanSeconds, surgeAt } from "./day-profile.ts";
import { createForecaster } from "./forecast.ts";

const hour = 3600;
const curve = rateAt({ perSecond: 100, dayPeakFactor: 3, dayPeakAtSeconds: 15 * hour });
const daysOf = (rate: (seconds: number) => number, days: number) =>
  Array.from({ length: (days * 24 * hour) / spanSeconds }, (_, at) => ({
    startSeconds: at * spanSeconds,
    events: rate(at * spanSeconds + spanSeconds / 2) * spanSeconds,
  }));

function profileOf(rate: (seconds: number) => number): DayProfile {
  const profile = dayProfile(daysOf(rate, 7));
  if (profile === null) throw new Error("no profile");
  return profile;
}

describe("the profile of a day", () => {
  it("follows the curve it was made of, between the hours as well", () => {
    const profile = profileOf(curve);
    for (let at = 0; at < 24 * hour; at += 1000) expect(factorAt(profile, at)).toBeCloseTo(curve(at) / 100, 1);
    expect(factorAt(profile, 0)).toBeCloseTo(factorAt(profile, 24 * hour), 9);
  });

  it("is not told of one day, and does not expect an import of one night each night", () => {
    expect(dayProfile(daysOf(curve, 1))).toBeNull();
    expect(dayProfile([])).toBeNull();
    expect(dayProfile(daysOf(() => 0, 7))).toBeNull();
    const imported = daysOf(curve, 7).map((one, at) =>
      Math.floor(at / 12) === 2 * 24 + 3 ? { ...one, events: 1e9 } : one,
    );
    expect(dayProfile(imported)?.factors[3]).toBeCloseTo(profileOf(curve).factors[3] ?? 0, 2);
  });

  it("knows lessons as surges on the rate of their hour, where most days have them", () => {
    const isLesson = (seconds: number, everyDay = true): boolean =>
      seconds % (24 * hour) >= 8 * hour && seconds % (24 * hour) < 8 * hour + 600 && (everyDay || seconds < 48 * hour);
    const withLesson = (everyDay: boolean) => profileOf((at) => curve(at) * (isLesson(at, everyDay) ? 3 : 1));
    const profile = withLesson(true);
    expect(surgeAt(profile, 8 * hour + 60)).toBeCloseTo(3, 0);
    expect(surgeAt(profile, 3 * 24 * hour + 8 * hour + 360)).toBeCloseTo(3, 0);
    for (const at of [8 * hour - 60, 8 * hour + 660, 15 * hour]) expect(surgeAt(profile, at)).toBe(1);
    expect(factorAt(profile, 8.5 * hour)).toBeCloseTo(curve(8.5 * hour) / 100, 1);
    expect(surgeAt(withLesson(false), 8 * hour + 60)).toBe(1);
  });

  it("never says that nothing will come", () => {
    const profile = profileOf((at) => ((at / hour) % 24 < 12 ? 0 : 50));
    expect(Math.min(...profile.factors)).toBe(0.05);
  });
});

/** Told rates of each 15 s with the chance of arrivals in them; `until` the end of the last. */
function watched(rate: (seconds: number) => number, profile: DayProfile | null, from: number, until: number, seed = 1) {
  const random = mulberry32(seed);
  const forecaster = createForecaster({ aheadSeconds: 600, errorMax: 0.3 });
  forecaster.useProfile(profile);
  for (let at = from; at <= until; at += 15) forecaster.observe(at, poisson(random, rate(at - 7.5) * 15) / 15);
  return forecaster;
}

const told = (...of: Parameters<typeof watched>) => watched(...of).forecast();

describe("a forecast ten minutes ahead", () => {
  it("is right by some percent along a day that is like the days before, and better than that nothing changes", () => {
    for (let until = 3 * hour; until <= 24 * hour; until += 3 * hour) {
      const found = told(curve, profileOf(curve), until - 3 * hour, until);
      expect(Math.abs(found.rate / curve(until + 600) - 1)).toBeLessThan(0.1);
      expect(found.errorRatio).toBeLessThan(0.1);
      expect(found.trusted).toBe(true);
    }
  });

  it("follows a trend without knowing the days before", () => {
    const rising = (at: number): number => 100 + at / 60;
    const found = told(rising, null, 0, 2 * hour);
    expect(found.byTimeOfDay).toBe(false);
    expect(Math.abs(found.rate - rising(2 * hour + 600))).toBeLessThan(
      Math.abs(rising(2 * hour) - rising(2 * hour + 600)) * 1.2,
    );
  });

  it("is no use, and says so, where arrivals jump about", () => {
    const random = mulberry32(3);
    const jumps = Array.from({ length: 200 }, () => (random() < 0.5 ? 10 : 400));
    const found = told((at) => jumps[Math.floor(at / 180)] ?? 10, null, 0, 5 * hour);
    expect(found.errorRatio).toBeGreaterThan(0.3);
    expect(found.trusted).toBe(false);
  });

  it("is not trusted before it has come true for a while, and is the rate of now until then", () => {
    expect(createForecaster({ aheadSeconds: 600, errorMax: 0.3 }).forecast()).toMatchObject({
      rate: 0,
      trusted: false,
    });
    const early = told(() => 100, null, 0, 600);
    expect(early).toMatchObject({ trusted: false, errorRatio: null });
    expect(early.rate).toBeGreaterThan(80);
    expect(told(() => 100, null, 0, 2 * hour).trusted).toBe(true);
  });

  it("of nothing is nothing", () => {
    expect(told(() => 0, null, 0, 2 * hour)).toMatchObject({ rate: 0, errorRatio: 0, trusted: true });
  });

  it("holds its level when the profile comes to be known, and survives a gap", () => {
    const forecaster = createForecaster({ aheadSeconds: 600, errorMax: 0.3 });
    for (let at = 0; at <= hour; at += 15) forecaster.observe(at, curve(at));
    const before = forecaster.forecast().rate;
    forecaster.useProfile(profileOf(curve));
    const after = forecaster.forecast().rate;
    expect(Math.abs(after / before - 1)).toBeLessThan(0.2);
    forecaster.observe(5 * hour, curve(5 * hour));
    for (let at = 5 * hour; at <= 6 * hour; at += 15) forecaster.observe(at, curve(at));
    expect(Math.abs(forecaster.forecast().rate / curve(6 * hour + 600) - 1)).toBeLessThan(0.15);
  });

  it("a lesson of each day is expected before it begins, and not for longer than it lasts", () => {
    const lesson = (at: number): number =>
      curve(at) * (at % (24 * hour) >= 8 * hour && at % (24 * hour) < 8 * hour + 600 ? 3 : 1);
    const profile = profileOf(lesson);
    const mostWithin = (until: number, seconds: number): number =>
      watched(lesson, profile, 5 * hour, until).mostWithin(seconds);
    const usual = curve(8 * hour);
    expect(mostWithin(8 * hour - 150, 140) / usual).toBeCloseTo(1, 0);
    expect(mostWithin(8 * hour - 120, 140) / usual).toBeGreaterThan(2.5);
    expect(mostWithin(8 * hour + 300, 140) / usual).toBeGreaterThan(2.5);
    // A day on which it does not come: nothing is left of it five minutes later, and the level is what it was.
    const holiday = watched(curve, profile, 5 * hour, 8 * hour + 1200);
    expect(holiday.mostWithin(140) / curve(8 * hour + 1200)).toBeLessThan(1.15);
  });
});
