import { expect, test } from "vitest";
import { currentSchemaVersion, type EventOf, type InteractionRecorded, policySchema } from "../events.ts";
import { isMastered } from "../item-selection/mastered.ts";
import { learnerModels } from "../learner-model/models.ts";
import { heldMastery, nextLapseAt } from "./held-mastery.ts";
import { evolveLearner, type LearnerState, newLearnerState } from "./learner-state.ts";

const model = learnerModels["lr-full"];
const weights = model.newWeights();
const dayMs = 86_400_000;
const start = Date.UTC(2026, 0, 5);
const policy = policySchema.parse({});
const forGood = { ...policy, masteryNeeds: { ...policy.masteryNeeds, recallMin: 0 } };

function answered(state: LearnerState, skillId: string, times: number, at: number, by = policy): void {
  for (let k = 0; k < times; k += 1) {
    const revision = state.revision + 1;
    const occurredAt = new Date(at).toISOString();
    const data: InteractionRecorded = {
      ...{ interactionId: `i${revision}`, learnerId: "ada", itemId: `${skillId}-${k}`, skillIds: [skillId] },
      ...{ kind: "answer", correct: true, occurredAt },
    };
    const event: EventOf<"InteractionRecorded"> = {
      ...{ type: "InteractionRecorded", eventId: `e${revision}`, stream: "learner-ada", data, revision },
      ...{ position: revision, recordedAt: occurredAt, metadata: { schemaVersion: currentSchemaVersion } },
    };
    evolveLearner(state, event, { model, weights, policy: by });
  }
}
const mastered = (state: LearnerState, at: number, by = policy): boolean => {
  const held = heldMastery(state, "s", by);
  return held !== null && isMastered(held, by, at);
};

test("what was mastered lapses after a rest, one right answer shows it again, and for longer", () => {
  const state = newLearnerState(model);
  expect(heldMastery(state, "s", policy)).toBeNull();
  expect(nextLapseAt(state, policy, start)).toBeNull();
  answered(state, "s", 8, start);
  answered(state, "weak", 1, start);
  const lapse = heldMastery(state, "s", policy)?.lapsesAt ?? Number.NaN;
  expect((lapse - start) / dayMs).toBeGreaterThan(4);
  expect((lapse - start) / dayMs).toBeLessThan(15);
  // The skill with one answer is not mastered and cannot lapse.
  expect(nextLapseAt(state, policy, start)).toBe(lapse);
  expect(nextLapseAt(state, policy, lapse)).toBeNull();
  expect([start, lapse - 1, lapse, lapse + 400 * dayMs].map((at) => mastered(state, at))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  answered(state, "s", 1, lapse);
  const later = heldMastery(state, "s", policy)?.lapsesAt ?? Number.NaN;
  expect(mastered(state, lapse)).toBe(true);
  expect(later - lapse).toBeGreaterThan(2 * (lapse - start));
});

test("it stays mastered for good where the policy asks for no recall, or keeps cards for each item", () => {
  const state = newLearnerState(model);
  answered(state, "s", 8, start, { ...policy, reviewBy: "item" });
  expect(heldMastery(state, "s", policy)?.lapsesAt).toBe(Number.POSITIVE_INFINITY);
  expect(mastered(state, start + 400 * dayMs)).toBe(true);
  answered(state, "s", 1, start + 400 * dayMs);
  expect(mastered(state, start + 800 * dayMs, forGood)).toBe(true);
  expect(nextLapseAt(state, forGood, start)).toBeNull();
  expect(mastered(state, start + 800 * dayMs)).toBe(false);
});
