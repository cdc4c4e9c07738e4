import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Experiment } from "../events.ts";
import { armOf } from "./assignment.ts";

const experiment = (shares: readonly number[], more: Partial<Experiment> = {}): Experiment => ({
  experimentId: "harder",
  salt: "",
  arms: shares.map((share, at) => ({ arm: `arm-${at}`, share, policy: {} })),
  ...more,
});
const learners = Array.from({ length: 20_000 }, (_, at) => `learner-${at}`);
const deal = (one: Experiment, ids: readonly string[] = learners): string[] => ids.map((id) => armOf(one, id).arm);
const moved = (a: readonly string[], b: readonly string[]): number => a.filter((arm, at) => arm !== b[at]).length;

/** Shares that add up to 1, of 2 to 5 arms. */
const shares = fc
  .array(fc.integer({ min: 0, max: 20 }), { minLength: 2, maxLength: 5 })
  .filter((parts) => parts.some((part) => part > 0))
  .map((parts) => parts.map((part) => part / parts.reduce((a, b) => a + b, 0)));
const names = fc.record({ experimentId: fc.uuid(), salt: fc.string({ maxLength: 20 }) });
/** Ids as apps make them: numbers, names, UUIDs. */
const idsOf = fc.constantFrom<(n: number) => string>(
  (n) => String(n),
  (n) => `student-${n}@school.example`,
  (n) => `${(n * 2_654_435_761).toString(16).padStart(12, "0")}-0000-4000-8000-000000000000`,
);

describe("armOf", () => {
  it("gives each arm its share of the learners, whatever the ids look like (any shares)", () => {
    const n = 4_000;
    fc.assert(
      fc.property(shares, names, idsOf, (wanted, more, id) => {
        const dealt = deal(
          experiment(wanted, more),
          Array.from({ length: n }, (_, at) => id(at)),
        );
        wanted.forEach((share, at) => {
          const got = dealt.filter((arm) => arm === `arm-${at}`).length / n;
          // Five standard deviations: one in a million.
          expect(Math.abs(got - share)).toBeLessThanOrEqual(5 * Math.sqrt((share * (1 - share)) / n) + 1e-9);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("depends on learner and experiment alone: not on the order of the arms", () => {
    const one = experiment([0.2, 0.3, 0.5]);
    expect(deal({ ...one, arms: one.arms.toReversed() })).toEqual(deal(one));
  });

  it("stays as it was, for ever: what was dealt stands in logs", () => {
    expect(deal(experiment([0.5, 0.5]), ["ada", "bea", "carl", "dora", "emil", "fritz"])).toMatchInlineSnapshot(`
      [
        "arm-1",
        "arm-1",
        "arm-0",
        "arm-0",
        "arm-1",
        "arm-1",
      ]
    `);
  });

  it("moves nobody between arms whose shares keep their proportion, and only to an arm that grew (any shares)", () => {
    const ids = learners.slice(0, 2_000);
    fc.assert(
      fc.property(shares, fc.nat(4), fc.double({ min: 0.01, max: 0.9, noNaN: true }), (before, which, share) => {
        const grown = which % before.length;
        const rest = 1 - (before[grown] ?? 0);
        fc.pre(rest > 0 && share > (before[grown] ?? 0));
        const after = before.map((old, at) => (at === grown ? share : (old * (1 - share)) / rest));
        const [a, b] = [deal(experiment(before), ids), deal(experiment(after), ids)];
        a.forEach((arm, at) => {
          if (arm !== b[at]) expect(b[at]).toBe(`arm-${grown}`);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("moves as few learners as can be where one arm grows or is added, and few more than that otherwise", () => {
    const share = (before: readonly number[], after: readonly number[]) =>
      moved(deal(experiment(before)), deal(experiment(after))) / learners.length;
    expect(share([0.5, 0.5], [0.6, 0.4])).toBeCloseTo(0.1, 2);
    expect(share([1 / 3, 1 / 3, 1 / 3], [0.5, 0.25, 0.25])).toBeCloseTo(1 / 6, 2);
    expect(share([0.5, 0.5], [0.4, 0.4, 0.2])).toBeCloseTo(0.2, 2);
    expect(share([0.5, 0.5], [0.5, 0.5])).toBe(0);
    // 0.1 at the least.
    expect(share([0.2, 0.3, 0.5], [0.3, 0.3, 0.4])).toBeLessThan(0.17);
  });

  it("deals anew, and independently, with another salt or in another experiment", () => {
    const one = deal(experiment([0.5, 0.5]));
    for (const other of [experiment([0.5, 0.5], { salt: "2" }), experiment([0.5, 0.5], { experimentId: "easier" })]) {
      expect(moved(one, deal(other)) / learners.length).toBeCloseTo(0.5, 1);
    }
  });

  it("gives nobody to an arm without a share, and throws where none has one", () => {
    expect(new Set(deal(experiment([0, 1])))).toEqual(new Set(["arm-1"]));
    expect(() => armOf(experiment([0, 0]), "ada")).toThrow("no arm with a share");
  });
});
