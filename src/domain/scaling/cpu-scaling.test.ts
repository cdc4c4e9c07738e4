import { describe, expect, it } from "vitest";
import { createCpuScaling } from "./cpu-scaling.ts";

const options = { target: 0.7, min: 1, max: 20 };
const first = (asked: number, ready: number, busyShare: number): number =>
  createCpuScaling(options).decide({ atSeconds: 0, asked, ready, busyShare });

describe("scaling by CPU as Kubernetes does it", () => {
  it("ceil(current * utilisation / target), nothing within 10 %", () => {
    expect(first(4, 4, 0.76)).toBe(4);
    expect(first(4, 4, 0.78)).toBe(5);
    expect(first(4, 4, 1)).toBe(6);
    expect(first(4, 4, 0.3)).toBe(2);
    expect(first(1, 1, 0)).toBe(1);
  });

  it("takes those that are not ready for idle when it adds", () => {
    expect(first(6, 4, 1)).toBe(6);
    expect(first(5, 4, 1)).toBe(6);
  });

  it("adds no more than twice as many, or four, in one period", () => {
    expect(
      createCpuScaling({ ...options, target: 0.05 }).decide({ atSeconds: 0, asked: 2, ready: 2, busyShare: 1 }),
    ).toBe(6);
    expect(
      createCpuScaling({ ...options, target: 0.05 }).decide({ atSeconds: 0, asked: 6, ready: 6, busyShare: 1 }),
    ).toBe(12);
  });

  it("takes away what was too much for five minutes", () => {
    const scaling = createCpuScaling(options);
    const decide = (atSeconds: number, busyShare: number): number =>
      scaling.decide({ atSeconds, asked: 10, ready: 10, busyShare });
    expect(decide(0, 0.7)).toBe(10);
    expect(decide(150, 0.35)).toBe(10);
    expect(decide(300, 0.28)).toBe(10);
    expect(decide(315, 0.28)).toBe(5);
  });
});
