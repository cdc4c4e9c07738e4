import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomSelections } from "../../../test/support/selection-inputs.ts";
import { choicesOf } from "./choices.ts";
import { selectItems } from "./select.ts";
import type { Draw } from "./selection.ts";

describe("choicesOf", () => {
  it("has what stands at each place with its propensity, and adds up to 1 (any learner, bank, policy and session)", () => {
    fc.assert(
      fc.property(randomSelections, ({ input }) => {
        const draws: Draw[] = [];
        const { items } = selectItems({ ...input, onDraw: (draw) => draws.push(draw) });
        expect(selectItems(input).items).toEqual(items);
        const choices = choicesOf(items, draws);
        expect(choices).toHaveLength(items.length);
        items.forEach(({ itemId, propensity, p }, place) => {
          const here = choices[place] ?? [];
          const own = here.find((choice) => choice.itemId === itemId);
          expect(own?.probability).toBeCloseTo(propensity, 12);
          expect(own?.p).toBe(p);
          expect(here.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 10);
          expect(new Set(here.map((choice) => choice.itemId)).size).toBe(here.length);
        });
      }),
      { numRuns: 300 },
    );
  });

  it("is what many draws come to", () => {
    const [example] = fc.sample(
      randomSelections.filter(
        ({ input }) =>
          input.policy.explorationRate === 0.5 &&
          input.sessionType === "practice" &&
          selectItems(input).items.length > 5,
      ),
      { seed: 5, numRuns: 1 },
    );
    if (example === undefined) throw new Error("no example");
    const { input } = example;
    const draws: Draw[] = [];
    const { items } = selectItems({ ...input, onDraw: (draw) => draws.push(draw) });
    const choices = choicesOf(items, draws);
    const counts = choices.map(() => new Map<string, number>());
    const runs = 4_000;
    for (let run = 0; run < runs; run += 1) {
      selectItems({ ...input, seed: `seed ${run}` }).items.forEach(({ itemId }, place) => {
        counts[place]?.set(itemId, (counts[place]?.get(itemId) ?? 0) + 1);
      });
    }
    choices.forEach((here, place) => {
      for (const { itemId, probability } of here) {
        const share = (counts[place]?.get(itemId) ?? 0) / runs;
        expect(Math.abs(share - probability)).toBeLessThan(
          5 * Math.sqrt((probability * (1 - probability)) / runs) + 1e-9,
        );
      }
    });
  });
});
