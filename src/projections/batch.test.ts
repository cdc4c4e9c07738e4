import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StoredEvent } from "../domain/stored-event.ts";
import { type Batch, cutAtCatalogue, groupsOf, planBatch } from "./batch.ts";

/** C and M change the context, x is of nobody here, any other letter of that learner. */
function eventsOf(kinds: string): StoredEvent[] {
  const streams: Record<string, string> = { C: "item-i", M: "model", x: "other-x" };
  return [...kinds].map((kind, at) => ({
    ...{ type: "T", eventId: `${at}`, stream: streams[kind] ?? `learner-${kind}`, revision: at + 1, position: at + 1 },
    ...{ recordedAt: "2026-01-01T00:00:00Z", data: {}, metadata: {} },
  }));
}
const plan = (kinds: string): Batch => planBatch(eventsOf(kinds), 0, 1, new Map());
const kinds = fc.array(fc.constantFrom("a", "b", "c", "d", "C", "M"), { maxLength: 40 }).map((all) => all.join(""));
const positionOf = ({ position }: StoredEvent): number => position;
const positions = (steps: readonly { readonly event: StoredEvent }[]): number[] =>
  steps.map(({ event }) => event.position);

describe("a page of events", () => {
  test("is cut after changes of the catalogue", () => {
    const cut = (all: string) => cutAtCatalogue(eventsOf(all)).map((part) => part.length);
    expect(cut("abMCCabMxCab")).toEqual([5, 5, 2]);
    expect(cut("CCab")).toEqual([2, 2]);
    expect(cut("abCC")).toEqual([4]);
    expect(cut("")).toEqual([0]);
  });

  test("is left in one piece where that happens all the time", () => {
    const events = eventsOf("aC".repeat(50));
    expect(cutAtCatalogue(events)).toEqual([events]);
  });

  test("loses nothing by being cut, and keeps its order", () => {
    fc.assert(
      fc.property(kinds, (all) => {
        expect(cutAtCatalogue(eventsOf(all)).flat()).toEqual(eventsOf(all));
      }),
    );
  });
});

describe("groups of learners", () => {
  test("hold each learner's steps in order, each once; models and what comes after the last learner stand apart", () => {
    fc.assert(
      fc.property(kinds, fc.integer({ min: 1, max: 3 }), (all, size) => {
        for (const part of cutAtCatalogue(eventsOf(all))) {
          const batch = planBatch(part, 0, 1, new Map());
          const parts = groupsOf(batch, size);
          if (parts === null) {
            expect(part.length).toBe(all.length);
            continue;
          }
          const { groups, models, after } = parts;
          expect(groups.flatMap(({ learners }) => learners)).toEqual(batch.learners);
          for (const { steps, learners } of groups) {
            expect(learners.length).toBeLessThanOrEqual(size);
            expect(positions(steps)).toEqual(positions(steps).sort((a, b) => a - b));
            for (const { learner } of steps) expect(learner !== null && learners.includes(learner)).toBe(true);
          }
          const found = [...groups.flatMap(({ steps }) => positions(steps)), ...[...models, ...after].map(positionOf)];
          expect(found.sort((a, b) => a - b)).toEqual(positions(batch.steps));
          expect(models.every(({ stream }) => stream === "model")).toBe(true);
          const last = Math.max(0, ...groups.flatMap(({ steps }) => positions(steps)));
          expect(after.map(positionOf)).toEqual(after.map(positionOf).filter((position) => position > last));
        }
      }),
    );
  });

  test("are not made where the catalogue changes between learners' events", () => {
    expect(groupsOf(plan("abCa"), 1)).toBeNull();
    expect(groupsOf(plan("abMa"), 1)?.groups).toHaveLength(2);
  });
});
