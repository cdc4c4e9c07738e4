import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMemoryBlobs } from "../adapters/blobs/memory.ts";
import { addCounts, loadLedger, newLedger, saveLedger } from "../projections/freshness-ledger.ts";
import { freshnessOf, readFreshness } from "./freshness.ts";

const wanted = { objective: 0.99, withinSeconds: 1 };
const now = Date.parse("2026-03-31T12:00:30Z");
const minute = Math.floor(now / 60_000);

describe("freshness", () => {
  test("nothing became visible: the whole budget is left", () => {
    expect(freshnessOf([newLedger(1)], wanted, now)).toEqual({
      ...{ ...wanted, good: 0, total: 0, periodDays: 30, burnRate: null, budgetLeft: 1 },
    });
  });

  test("half a percent late spends half of the budget; ten percent in the last hour burn it ten times too fast", () => {
    let ledger = addCounts(newLedger(1), minute - 60 * 24, { good: 9_050, total: 9_050 });
    ledger = addCounts(ledger, minute - 3, { good: 450, total: 500 });
    const { good, total, burnRate, budgetLeft } = freshnessOf([ledger], wanted, now);
    expect([good, total]).toEqual([9_500, 9_550]);
    expect(burnRate).toBeCloseTo(10);
    expect(budgetLeft).toBeCloseTo(1 - 50 / 9_550 / 0.01);
  });

  test("what is older than the period is forgotten, and the budget may be overdrawn", () => {
    let ledger = addCounts(newLedger(1), minute - 60 * 24 * 31, { good: 0, total: 1_000 });
    ledger = addCounts(ledger, minute - 60 * 24 * 29, { good: 960, total: 1_000 });
    expect(freshnessOf([ledger], wanted, now)).toMatchObject({ good: 960, total: 1_000, burnRate: null });
    expect(freshnessOf([ledger], wanted, now).budgetLeft).toBeCloseTo(-3);
    expect(freshnessOf([ledger], wanted, now + 2 * 86_400_000).total).toBe(0);
  });

  test("a ledger stays small and adds up, in whatever order and over however long a time", () => {
    const entries = fc.array(fc.record({ ago: fc.nat(60 * 24 * 40), good: fc.nat(50), late: fc.nat(50) }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(entries, (all) => {
        let ledger = newLedger(1);
        for (const { ago, good, late } of all) ledger = addCounts(ledger, minute - ago, { good, total: good + late });
        expect(ledger.hours.length).toBeLessThanOrEqual(720);
        expect(ledger.minutes.length).toBeLessThanOrEqual(60);
        const newest = minute - Math.min(...all.map(({ ago }) => ago), 0);
        const inside = all.filter(({ ago }) => Math.floor((minute - ago) / 60) > Math.floor(newest / 60) - 720);
        const { good, total } = freshnessOf([ledger], wanted, newest * 60_000);
        expect(good).toBe(inside.reduce((sum, one) => sum + one.good, 0));
        expect(total).toBe(inside.reduce((sum, one) => sum + one.good + one.late, 0));
      }),
    );
  });

  test("partitions add up; counts of another objective, and what cannot be read, count as none", async () => {
    const blobs = createMemoryBlobs();
    const counts = { good: 9, total: 10 };
    await saveLedger(blobs, 0, addCounts(newLedger(1), minute, counts));
    await saveLedger(blobs, 1, addCounts(newLedger(1), minute, counts));
    await saveLedger(blobs, 2, addCounts(newLedger(5), minute, counts));
    await blobs.put("freshness", "3", Buffer.from('{"hours":[["a"]]}'));
    const deps = { blobs, clock: { now: () => now }, partitions: 4 };
    expect(await readFreshness(deps, wanted)).toMatchObject({ good: 18, total: 20 });
    expect(await loadLedger(blobs, 2, 5)).toMatchObject({
      withinSeconds: 5,
      hours: [[Math.floor(minute / 60), 9, 10]],
    });
  });
});
