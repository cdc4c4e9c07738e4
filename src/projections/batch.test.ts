import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StoredEvent } from "../domain/stored-event.ts";
import { type Batch, cutAtContext, groupsOf, planBatch } from "./batch.ts";

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
const positions = (steps: readonly { readonly event: StoredEvent }[]): number[] =>
  steps.map(({ event }) => event.position);

describe("a page of events", () => {
  test("is cut after what changes the context", () => {
    const cut = (all: string) => cutAtContext(eventsOf(all)).map((part) => part.length);
    expect(cut("abCCMabxCab")).toEqual([5, 4, 2]);
    expect(cut("CCab")).toEqual([2, 2]);
    expect(cut("abCC")).toEqual([4]);
    expect(cut("")).toEqual([0]);
  });

  test("is left in one piece where that happens all the time", () => {
    const events = eventsOf("aC".repeat(50));
    expect(cutAtContext(events)).toEqual([events]);
  });

  test("loses nothing by being cut, and keeps its order", () => {
    fc.assert(
      fc.property(kinds, (all) => {
        expect(cutAtContext(eventsOf(all)).flat()).toEqual(eventsOf(all));
      }),
    );
  });
});

describe("groups of learners", () => {
  test("hold each learner's steps in order, each once, and the changes of context last", () => {
    fc.assert(
      fc.property(kinds, fc.integer({ min: 1, max: 3 }), (all, size) => {
        for (const part of cutAtContext(eventsOf(all))) {
          const batch = planBatch(part, 0, 1, new Map());
          const groups = groupsOf(batch, size);
          expect(groups.flatMap(({ learners }) => learners)).toEqual(batch.learners);
          const sorted = groups.flatMap(({ steps }) => positions(steps)).sort((a, b) => a - b);
          expect(sorted).toEqual(positions(batch.steps));
          if (groups.length === 1) continue;
          for (const { steps, learners } of groups) {
            expect(learners.length).toBeLessThanOrEqual(size);
            expect(positions(steps)).toEqual(positions(steps).sort((a, b) => a - b));
            for (const { learner } of steps) expect(learner === null || learners.includes(learner)).toBe(true);
          }
          const ofContext = batch.steps.filter(({ learner }) => learner === null);
          if (ofContext.length > 0) expect(groups.at(-1)?.steps).toEqual(ofContext);
        }
      }),
    );
  });

  test("are not made where a learner goes on after a change of context", () => {
    const batch = plan("abCa");
    expect(groupsOf(batch, 1)).toEqual([batch]);
  });
});
