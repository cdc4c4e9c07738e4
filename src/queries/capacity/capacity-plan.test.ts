import { describe, expect, it } from "vitest";
import { madeUpCosts } from "../../../test/support/made-up-costs.ts";
import { fitScalability, throughputAt } from "../../domain/capacity/scalability.ts";
import { rulesSchema, workloadSchema } from "../../domain/capacity/workload.ts";
import { mulberry32, standardNormal } from "../../domain/random.ts";
import { fitLaws, intervalsOf, makeCapacityPlan } from "./capacity-plan.ts";
import { bytesText, msText, numberText, percentText } from "./units.ts";

describe("intervals of a fitted law", () => {
  it("hold the law that the points were drawn from about as often as they say", () => {
    const law = { lambda: 1000, sigma: 0.08, kappa: 0.0005 };
    const ns = [1, 2, 4, 8, 16, 32, 64];
    let [held, wide] = [0, 0];
    const runs = 12;
    for (let seed = 1; seed <= runs; seed += 1) {
      const random = mulberry32(seed);
      const points = [...ns, ...ns, ...ns].map((n) => ({
        n,
        throughput: throughputAt(law, n) * (1 + 0.04 * standardNormal(random)),
      }));
      const { sigma } = intervalsOf(points, fitScalability(points));
      expect(sigma.low).toBeLessThanOrEqual(sigma.estimate);
      expect(sigma.high).toBeGreaterThanOrEqual(sigma.estimate);
      if (sigma.low <= law.sigma && law.sigma <= sigma.high) held += 1;
      wide += (sigma.high - sigma.low) / runs;
    }
    // 95 % of twelve; residuals are smaller than errors, so a bootstrap of them is a little too sure.
    expect(held).toBeGreaterThanOrEqual(9);
    expect(wide).toBeLessThan(0.06);
  });

  it("are points where there is no noise", () => {
    const [, law] = fitLaws(madeUpCosts);
    expect(law?.intervals.lambda).toMatchObject({ low: expect.closeTo(500, 3), high: expect.closeTo(500, 3) });
    expect(law?.best).toBeCloseTo(Math.sqrt(0.95 / 0.0001), 3);
  });
});

describe("a plan by round", () => {
  it("costs no less with the dearest round, and no more with the cheapest", () => {
    const prices = {
      ...{ asOf: "2026-01-01", currency: "EUR", source: "a test", coreHour: 0.1, memoryGbHour: 0, ssdGbMonth: 0 },
      ...{ objectGbMonth: 0, egressGb: 0, acrossZonesGb: 0, loadBalancerMonth: 0 },
      ...{ memoryPerLogCoreGb: 4, memoryOfBrokerGb: 8 },
    };
    const workload = workloadSchema.parse({ learners: 20_000_000 });
    const made = makeCapacityPlan(madeUpCosts, { workload, rules: rulesSchema.parse({}), prices }, []);
    expect(made.costRange.low).toBeLessThan(made.cost.total);
    expect(made.costRange.high).toBeGreaterThan(made.cost.total);
    // The first role is the API's.
    expect((made.dearest.roles[0]?.cores ?? 0) / (made.cheapest.roles[0]?.cores ?? 1)).toBeCloseTo(1.2 / 0.9, 6);
  });
});

describe("units", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [999.6, "1.0 kB"],
    [1234, "1.2 kB"],
    [12_345_678, "12 MB"],
    [3.2e12, "3.2 TB"],
    [7e18, "7000 PB"],
  ])("%s bytes", (bytes, text) => expect(bytesText(bytes)).toBe(text));

  it("numbers, shares and times", () => {
    expect([0, 0.01234, 12.34, 12_345].map(numberText)).toEqual(["0", "0.0123", "12.3", "12,300"]);
    expect(numberText(Number.POSITIVE_INFINITY)).toBe("without bound");
    expect([0, 0.001, 0.5, 1.2].map(percentText)).toEqual(["0 %", "0.1 %", "50 %", "120 %"]);
    expect([0.5, 120, 12_000].map(msText)).toEqual(["0.5 ms", "120 ms", "12 s"]);
  });
});
