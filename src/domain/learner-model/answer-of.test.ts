import { expect, test } from "vitest";
import type { InteractionRecorded } from "../events.ts";
import { answerOf } from "./answer-of.ts";

const interaction: InteractionRecorded = {
  interactionId: "x1",
  learnerId: "ana",
  itemId: "i1",
  kind: "answer",
  skillIds: ["s1"],
  correct: true,
  occurredAt: "2026-01-02T03:04:05Z",
};

test("an answer is what a model learns from", () => {
  const at = Date.UTC(2026, 0, 2, 3, 4, 5);
  expect(answerOf(interaction)).toEqual({ itemId: "i1", skillIds: ["s1"], correct: true, at });
});

test("an answer with credit only is correct from one half on", () => {
  const { correct: _, ...without } = interaction;
  expect(answerOf({ ...without, score: 0.5 })?.correct).toBe(true);
  expect(answerOf({ ...without, score: 0.4 })?.correct).toBe(false);
  expect(answerOf({ ...interaction, correct: false, score: 1 })?.correct).toBe(false);
});

test("nothing is learnt from what is not an answer, or says nothing", () => {
  const { correct: _, ...without } = interaction;
  expect(answerOf(without)).toBeNull();
  for (const kind of ["view", "hint", "skip", "rating"] as const) expect(answerOf({ ...interaction, kind })).toBeNull();
});
