import { expect, test } from "vitest";
import { interactionEvent, madeUpAnswer } from "../../test/support/answers-in-log.ts";
import { measure } from "../domain/learner-model/metrics.ts";
import { learnerModels } from "../domain/learner-model/models.ts";
import type { StoredEvent } from "../domain/stored-event.ts";
import { metricsWindow, newTrainerState, recentMetrics, train } from "./trainer-state.ts";

const model = learnerModels.elo;

function storedAnswer(position: number): StoredEvent {
  const data = madeUpAnswer(position % 50);
  return { ...interactionEvent(data, "any"), data, stream: `learner-${data.learnerId}`, revision: 1, position };
}

const noneSkipped = (error: unknown): never => {
  throw error;
};

test("metrics are those of the last answers only", () => {
  const state = newTrainerState(model);
  const answers = metricsWindow + 2_345;
  const predictions: number[] = [];
  const outcomes: number[] = [];
  for (let position = 1; position <= answers; position++) {
    train(model, state, storedAnswer(position), noneSkipped);
    const place = (position - 1) % metricsWindow;
    predictions.push(state.predictions[place] ?? Number.NaN);
    outcomes.push(state.outcomes[place] ?? Number.NaN);
  }
  const last = measure(
    Float64Array.from(predictions.slice(-metricsWindow)),
    Uint8Array.from(outcomes.slice(-metricsWindow)),
  );
  const metrics = recentMetrics(state);
  expect(metrics.recentAnswers).toBe(metricsWindow);
  expect(metrics.recentAuc).toBe(last.auc);
  expect(metrics.recentLogLoss).toBeCloseTo(last.logLoss, 10);
});

test("an event that was learnt from before changes nothing", () => {
  const state = newTrainerState(model);
  for (const position of [1, 2, 3]) train(model, state, storedAnswer(position), noneSkipped);
  const before = model.encodeWeights(state.weights);
  for (const position of [1, 2, 3]) train(model, state, storedAnswer(position), noneSkipped);
  expect(model.encodeWeights(state.weights)).toEqual(before);
  expect(state).toMatchObject({ answers: 3, position: 3, trainedTo: 3 });
});

test("before the first answer there is nothing to say", () => {
  expect(recentMetrics(newTrainerState(model))).toEqual({ recentAnswers: 0 });
});
