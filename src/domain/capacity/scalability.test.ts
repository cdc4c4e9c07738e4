import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mulberry32, standardNormal } from "../random.ts";
import { bestN, ceilingOf, fitScalability, type ScalabilityLaw, smallestNFor, throughputAt } from "./scalability.ts";

const ns = [1, 2, 4, 8, 16, 32, 64];
const pointsOf = (law: ScalabilityLaw) => ns.map((n) => ({ n, throughput: throughputAt(law, n) }));

const anyLaw = fc.record({
  lambda: fc.double({ min: 1, max: 1e5, noNaN: true }),
  sigma: fc.double({ min: 0, max: 0.95, noNaN: true }),
  kappa: fc.oneof(fc.constant(0), fc.double({ min: 1e-5, max: 0.05, noNaN: true })),
});

describe("the law", () => {
  it("is lambda at one, and linear where nothing is shared", () => {
    expect(throughputAt({ lambda: 100, sigma: 0.3, kappa: 0.1 }, 1)).toBe(100);
    expect(throughputAt({ lambda: 100, sigma: 0, kappa: 0 }, 7)).toBe(700);
  });

  it("is Amdahl's where kappa is 0: it levels off at lambda / sigma", () => {
    const law = { lambda: 100, sigma: 0.25, kappa: 0 };
    expect(ceilingOf(law)).toBe(400);
    expect(bestN(law)).toBe(Number.POSITIVE_INFINITY);
    expect(throughputAt(law, 1e9)).toBeCloseTo(400, 3);
  });

  it("has its highest throughput at sqrt((1 - sigma) / kappa)", () => {
    const law = { lambda: 100, sigma: 0.1, kappa: 0.001 };
    expect(bestN(law)).toBe(30);
    expect(ceilingOf(law)).toBeGreaterThan(throughputAt(law, 29));
    expect(ceilingOf(law)).toBeGreaterThan(throughputAt(law, 31));
  });

  it("says how few reach a throughput, or that none do", () => {
    fc.assert(
      fc.property(anyLaw, fc.double({ min: 0.01, max: 1.5, noNaN: true }), (law, share) => {
        const ceiling = Math.min(1e9 * law.lambda, ceilingOf(law));
        const wanted = ceiling * share;
        const n = smallestNFor(law, wanted);
        if (n === null) {
          expect(throughputAt(law, Math.max(1, Math.floor(Math.min(1e9, bestN(law)))))).toBeLessThan(
            wanted * (1 + 1e-9),
          );
        } else {
          expect(throughputAt(law, n)).toBeGreaterThanOrEqual(wanted * (1 - 1e-9));
          if (n > 1) expect(throughputAt(law, n - 1)).toBeLessThan(wanted);
        }
      }),
    );
  });
});

describe("the fit", () => {
  it("finds the law again from points that lie on it", () => {
    fc.assert(
      fc.property(anyLaw, (law) => {
        const fit = fitScalability(pointsOf(law));
        expect(fit.r2).toBeGreaterThan(0.999_999);
        expect(Math.abs(fit.lambda / law.lambda - 1)).toBeLessThan(1e-3);
        expect(Math.abs(fit.sigma - law.sigma)).toBeLessThan(1e-3);
        expect(Math.abs(fit.kappa - law.kappa)).toBeLessThan(1e-3);
        for (const residual of fit.residuals) expect(Math.abs(residual)).toBeLessThan(1e-3);
      }),
      { numRuns: 60 },
    );
  });

  it("comes near it from points with 5 % of noise, and says how good it is", () => {
    const random = mulberry32(7);
    const law = { lambda: 900, sigma: 0.06, kappa: 0.0004 };
    const noisy = Array.from({ length: 4 }, () => pointsOf(law))
      .flat()
      .map(({ n, throughput }) => ({ n, throughput: throughput * (1 + 0.05 * standardNormal(random)) }));
    const fit = fitScalability(noisy);
    expect(fit.r2).toBeGreaterThan(0.98);
    expect(Math.abs(fit.sigma - law.sigma)).toBeLessThan(0.02);
    expect(Math.abs(ceilingOf(fit) / ceilingOf(law) - 1)).toBeLessThan(0.1);
  });

  it("is never worse than a fit without coherence, and its parameters stay what they mean", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1, max: 1e4, noNaN: true }), { minLength: 7, maxLength: 7 }), (ys) => {
        const points = ns.map((n, at) => ({ n, throughput: ys[at] ?? 1 }));
        const { lambda, sigma, kappa, r2 } = fitScalability(points);
        expect(lambda).toBeGreaterThan(0);
        expect(sigma).toBeGreaterThanOrEqual(0);
        expect(sigma).toBeLessThanOrEqual(1);
        expect(kappa).toBeGreaterThanOrEqual(0);
        expect(r2).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });

  it("refuses what cannot be fitted", () => {
    const point = { n: 1, throughput: 10 };
    expect(() => fitScalability([point, { n: 2, throughput: 18 }, { n: 2, throughput: 17 }])).toThrow(
      "three different n",
    );
    expect(() => fitScalability([point, { n: 2, throughput: 0 }, { n: 3, throughput: 1 }])).toThrow("above 0");
  });
});
