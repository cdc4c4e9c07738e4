import fc from "fast-check";
import { expect, test } from "vitest";
import { createPressure, type LoadClass, loadClasses } from "./pressure.ts";

const limitMs = 50;
const rounded = (value: number): number => Math.round(value * 100) / 100;
const shareRefused = (pressure: ReturnType<typeof createPressure>, load: LoadClass, of = 1_000): number =>
  rounded(Array.from({ length: of }, () => pressure.refuses(load)).filter(Boolean).length / of);

test("nothing is refused while the event loop is in time", () => {
  const pressure = createPressure(limitMs);
  for (let i = 0; i < 100; i += 1) pressure.measured(limitMs * 0.9);
  expect(loadClasses.map((load) => shareRefused(pressure, load))).toEqual([0, 0, 0, 0]);
});

test("who waits is refused last: analysts, bulk, writes, then queries, each in growing shares", () => {
  const pressure = createPressure(limitMs);
  const seen: number[][] = [];
  for (let i = 0; i < 16; i += 1) {
    pressure.measured(limitMs * 1.5);
    if (i % 2 === 0) seen.push([rounded(pressure.level()), ...loadClasses.map((load) => shareRefused(pressure, load))]);
  }
  expect(seen).toEqual([
    [0.5, 0.5, 0, 0, 0],
    [1, 1, 0, 0, 0],
    [1.5, 1, 0.5, 0, 0],
    [2, 1, 1, 0, 0],
    [2.5, 1, 1, 0.5, 0],
    [3, 1, 1, 1, 0],
    [3.5, 1, 1, 1, 0.5],
    [4, 1, 1, 1, 1],
  ]);
});

test("it answers at once to a long delay, and lets go again, with queries first", () => {
  const pressure = createPressure(limitMs);
  pressure.measured(limitMs * 10);
  expect(pressure.level()).toBeGreaterThan(2);
  for (let i = 0; i < 20; i += 1) pressure.measured(limitMs * 10);
  expect(pressure.level()).toBe(loadClasses.length);
  for (let i = 0; i < 10; i += 1) pressure.measured(0);
  expect(shareRefused(pressure, "query")).toBe(0);
  expect(shareRefused(pressure, "write")).toBe(1);
  for (let i = 0; i < 40; i += 1) pressure.measured(0);
  expect(loadClasses.map((load) => shareRefused(pressure, load))).toEqual([0, 0, 0, 0]);
});

test("with any mix that is too much it comes to rest near the limit, refusing no class before those of less weight", () => {
  const load = fc.integer({ min: 0, max: 100 });
  fc.assert(
    fc.property(fc.tuple(load, load, load, load), (offered) => {
      // A loop that is late by as much as it is given beyond what it can do.
      const able = 60;
      const pressure = createPressure(limitMs);
      const delays: number[] = [];
      let backlog = 0;
      for (let i = 0; i < 400; i += 1) {
        const admitted = loadClasses.map(
          (name, at) => (offered[at] as number) * (1 - shareRefused(pressure, name, 100)),
        );
        backlog = Math.max(0, backlog + admitted.reduce((sum, one) => sum + one, 0) - able);
        pressure.measured(backlog);
        delays.push(backlog);
      }
      const late = delays.slice(200);
      expect(Math.max(...late)).toBeLessThan(limitMs * 2);
      const shares = loadClasses.map((name) => shareRefused(pressure, name, 100));
      expect(shares).toEqual(shares.toSorted((a, b) => b - a));
    }),
  );
});
