import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashBefore, hashOf, PairWeights, pairsOf, slotOf, slots } from "./pair-slots.ts";

const slot = (kind: number, before: string, correct: boolean, id: string): number =>
  slotOf(hashBefore(kind, hashOf(before), correct), hashOf(id));

describe("slots of pairs", () => {
  test("are part of the stored form of weights: they never change", () => {
    expect([
      slot(pairsOf.items, "i1", true, "i2"),
      slot(pairsOf.items, "i1", false, "i2"),
      slot(pairsOf.items, "i2", true, "i1"),
      slot(pairsOf.skills, "i1", true, "i2"),
      slot(pairsOf.items, "", true, "日本語"),
    ]).toMatchInlineSnapshot(`
      [
        244876,
        135599,
        56162,
        192201,
        158833,
      ]
    `);
  });

  test("are spread evenly", () => {
    const taken = new Set<number>();
    for (let before = 0; before < 256; before++) {
      for (let id = 0; id < 512; id++) taken.add(slot(pairsOf.items, `item-${before}`, id % 2 === 0, `item-${id}`));
    }
    // 131,072 balls into 262,144 urns leave (1 - 1/e^.5) of the urns taken.
    expect(taken.size / slots).toBeCloseTo(1 - Math.exp(-0.5), 2);
  });
});

test("weights of pairs are those of a table of all slots", () => {
  const step = fc.record({ slot: fc.nat(slots - 1), gradient: fc.double({ min: -1, max: 1, noNaN: true }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const pairs = new PairWeights();
      const all = new Map<number, { value: number; squares: number }>();
      for (const { slot: at, gradient } of steps) {
        pairs.step(at, 0.1, gradient);
        const { value, squares } = all.get(at) ?? { value: 0, squares: 0 };
        const sum = squares + gradient * gradient;
        all.set(at, { value: Math.fround(value + (0.1 * gradient) / Math.sqrt(0.3 + sum)), squares: Math.fround(sum) });
      }
      const used = [...all.keys()].filter((at) => all.get(at)?.squares !== 0).sort((a, b) => a - b);
      expect(pairs.slotsWhere((_, squares) => squares !== 0)).toEqual(used);
      for (const [at, { value, squares }] of all) {
        expect([pairs.value(at), pairs.squares(at), pairs.values()[at]]).toEqual([value, squares, value]);
      }
    }),
    { numRuns: 30 },
  );
});
