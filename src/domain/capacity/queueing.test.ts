import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { erlangC, meanWait, serversFor, utilisationOf, waitQuantile } from "./queueing.ts";

describe("Erlang C", () => {
  it("is the utilisation for one server", () => {
    expect(erlangC(1, 0.7)).toBeCloseTo(0.7, 12);
  });

  it("is that of the tables", () => {
    // Closed form for two servers: 2 rho^2 / (1 + rho).
    expect(erlangC(2, 1.5)).toBeCloseTo((2 * 0.75 ** 2) / 1.75, 12);
    expect(erlangC(10, 8)).toBeCloseTo(0.4092, 4);
    expect(erlangC(100, 90)).toBeCloseTo(0.2171, 3);
  });

  it("is certain from full load on, and does not overflow", () => {
    expect(erlangC(3, 3)).toBe(1);
    expect(erlangC(5000, 4900)).toBeGreaterThan(0);
    expect(erlangC(5000, 4900)).toBeLessThan(1);
  });
});

describe("waits", () => {
  const station = { servers: 1, rate: 80, serviceSeconds: 0.01 };

  it("M/M/1, M/D/1 and M/G/1", () => {
    expect(meanWait(station)).toBeCloseTo(0.04, 12);
    expect(meanWait({ ...station, serviceCv2: 0 })).toBeCloseTo(0.02, 12);
    expect(meanWait({ ...station, serviceCv2: 3 })).toBeCloseTo(0.08, 12);
    // P(W > t) = rho exp(-(mu - lambda) t)
    expect(waitQuantile(station, 0.99)).toBeCloseTo(Math.log(80) / 20, 12);
  });

  it("are without end from full load on, and nothing for those who find nobody", () => {
    expect(meanWait({ ...station, rate: 100 })).toBe(Number.POSITIVE_INFINITY);
    expect(waitQuantile({ ...station, rate: 100 }, 0.5)).toBe(Number.POSITIVE_INFINITY);
    expect(waitQuantile({ ...station, rate: 10 }, 0.5)).toBe(0);
  });
});

describe("servers for an objective", () => {
  const anything = fc.record({
    rate: fc.double({ min: 0.1, max: 1e5, noNaN: true }),
    serviceSeconds: fc.double({ min: 1e-5, max: 0.05, noNaN: true }),
    serviceCv2: fc.double({ min: 0, max: 5, noNaN: true }),
  });
  const objective = { quantile: 0.99, waitSeconds: 0.005, utilisationMax: 0.7 };

  it("meet it, and more arrivals never need fewer", () => {
    fc.assert(
      fc.property(anything, (station) => {
        const servers = serversFor(station, objective);
        const each = { ...station, servers: 1, rate: station.rate / servers };
        expect(utilisationOf(each)).toBeLessThanOrEqual(0.7 + 1e-9);
        expect(waitQuantile(each, 0.99)).toBeLessThanOrEqual(0.005);
        expect(serversFor({ ...station, rate: station.rate * 2 }, objective)).toBeGreaterThanOrEqual(servers);
      }),
    );
  });
});
