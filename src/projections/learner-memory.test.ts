import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { InteractionRecorded } from "../domain/events.ts";
import { defaultPolicy } from "../domain/item-bank/bank.ts";
import { evolveLearner, type LearnerState, newLearnerState } from "../domain/learner/learner-state.ts";
import { learnerStateFromBytes, learnerStateToBytes } from "../domain/learner/learner-state-bytes.ts";
import { learnerModels } from "../domain/learner-model/models.ts";
import { createLearnerMemory, heapBytesOf } from "./learner-memory.ts";
import { type LearnerEntry, newEntry } from "./learner-rows.ts";

const model = learnerModels["lr-full"];
const weights = model.newWeights();

function stateOf(answers: number, skills: number, items: number): LearnerState {
  const state = newLearnerState(model);
  for (let n = 0; n < answers; n += 1) {
    const at = new Date(Date.UTC(2026, 0, 1) + n * 30_000).toISOString();
    const item = n % items;
    const data: InteractionRecorded = {
      ...{ interactionId: `n${n}`, learnerId: "a", itemId: `item-${item}`, kind: "answer", occurredAt: at },
      ...{ skillIds: [`skill-${item % skills}`], correct: (n * 7 + item) % 3 > 0, durationMs: 5_000 },
    };
    const stored = { eventId: `e${n}`, stream: "learner-a", revision: n + 1, position: n + 1, recordedAt: at };
    const event = { ...stored, type: "InteractionRecorded" as const, metadata: { schemaVersion: 1 }, data };
    evolveLearner(state, event, { model, weights, policy: defaultPolicy });
  }
  return state;
}

const entryOf = (n: number, state: LearnerState): LearnerEntry => newEntry(`${n}`, `learner-${n}`, state);

describe("an owner's memory of learners", () => {
  test.each([
    [1, 1, 1],
    [40, 20, 40],
    [300, 50, 140],
    [1500, 50, 400],
  ])("%i answers, %i skills, %i items take on the heap what they are held to take", (answers, skills, items) => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const bytes = learnerStateToBytes(stateOf(answers, skills, items), model);
    const held = heapBytesOf(learnerStateFromBytes(bytes, model) as LearnerState);
    // So many copies that what the engine itself takes and gives back meanwhile (code not used for some
    // collections is thrown away: more than a megabyte in a test run) is small beside them.
    const count = Math.ceil(48_000_000 / held);
    const kept: (LearnerState | null)[] = [];
    for (let n = 0; n < 3; n += 1) collect();
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < count; n += 1) kept.push(learnerStateFromBytes(bytes, model));
    for (let n = 0; n < 3; n += 1) collect();
    const each = (process.memoryUsage().heapUsed - before) / count;
    expect(kept).toHaveLength(count);
    expect(held / each).toBeGreaterThan(0.75);
    expect(held / each).toBeLessThan(1.33);
  });

  test("is bounded in number and in bytes, and grown states count anew", () => {
    const [small, large] = [stateOf(1, 1, 1), stateOf(60, 30, 60)];
    const few = createLearnerMemory(3);
    for (let n = 0; n < 5; n += 1) few.set(`learner-${n}`, entryOf(n, small));
    expect([0, 1, 2, 3, 4].map((n) => few.get(`learner-${n}`) !== undefined)).toEqual([false, false, true, true, true]);
    const bytes = createLearnerMemory(1_000, 4 * heapBytesOf(large));
    for (let n = 0; n < 4; n += 1) bytes.set(`learner-${n}`, entryOf(n, small));
    for (let n = 0; n < 10; n += 1) bytes.set("learner-0", entryOf(0, large));
    expect(bytes.get("learner-3")).toBeDefined();
    for (let n = 4; n < 8; n += 1) bytes.set(`learner-${n}`, entryOf(n, large));
    expect([0, 1, 2, 3, 4, 7].map((n) => bytes.get(`learner-${n}`) !== undefined)).toEqual([
      false,
      false,
      false,
      false,
      true,
      true,
    ]);
  });
});
