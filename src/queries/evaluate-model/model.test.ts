import { describe, expect, test } from "vitest";
import { madeUpAnswer } from "../../../test/support/answers-in-log.ts";
import { answerOf, type LoggedAnswer } from "../../domain/learner-model/answer-of.ts";
import { measure } from "../../domain/learner-model/metrics.ts";
import { learnerModels } from "../../domain/learner-model/models.ts";
import { newTrainerState, recentMetrics, train } from "../../workers/trainer-state.ts";
import { type EvaluationInput, evaluateModel, NothingToEvaluate, type Protocol } from "./model.ts";
import { inLogOrder, trainingLearners } from "./order.ts";

const model = learnerModels["lr-full"];

const answers: readonly LoggedAnswer[] = Array.from({ length: 2_000 }, (_, n) => {
  const interaction = madeUpAnswer(n);
  const answer = answerOf(interaction);
  if (answer === null) throw new Error("not an answer");
  return { ...answer, learnerId: interaction.learnerId, split: null };
});
const untimed = answers.map((answer) => ({ ...answer, at: 0 }));
const learnerByLearner = untimed.toSorted((a, b) => a.learnerId.localeCompare(b.learnerId));

async function* each(given: readonly LoggedAnswer[]): AsyncGenerator<LoggedAnswer> {
  yield* given;
}
const evaluate = (given: readonly LoggedAnswer[], protocol: Protocol, more: Partial<EvaluationInput> = {}) =>
  evaluateModel({ answers: each(given), model, protocol, seed: 1, ...more });

describe("the order of a log", () => {
  const of = (given: readonly LoggedAnswer[], learnerId: string) => given.filter((a) => a.learnerId === learnerId);

  test("by time where there are times", () => {
    const { answers: ordered, order } = inLogOrder(answers.toReversed(), 1);
    expect(order).toBe("by_time");
    expect(ordered).toEqual(answers);
  });

  test("without times, learner by learner: merged at random, each learner's answers in order", () => {
    const { answers: ordered, order } = inLogOrder(learnerByLearner, 1);
    expect(order).toBe("merged_at_random");
    expect(ordered).toHaveLength(learnerByLearner.length);
    for (const learnerId of new Set(answers.map((answer) => answer.learnerId))) {
      expect(of(ordered, learnerId)).toEqual(of(learnerByLearner, learnerId));
    }
    const changes = ordered.filter((answer, k) => k > 0 && answer.learnerId !== ordered[k - 1]?.learnerId).length;
    expect(changes).toBeGreaterThan(ordered.length / 2);
  });

  test("the same seed merges in the same way, another in another", () => {
    expect(inLogOrder(learnerByLearner, 7)).toEqual(inLogOrder(learnerByLearner, 7));
    expect(inLogOrder(learnerByLearner, 7)).not.toEqual(inLogOrder(learnerByLearner, 8));
  });

  test("without times, but learners mixed already: as it stands", () => {
    expect(inLogOrder(untimed, 1)).toEqual({ answers: untimed, order: "as_given" });
  });

  test("one learner alone, or some times missing: as it stands", () => {
    const one = untimed.filter(({ learnerId }) => learnerId === "learner3");
    expect(inLogOrder(one, 1).order).toBe("as_given");
    const holed = answers.map((answer, k) => (k === 5 ? { ...answer, at: null } : answer));
    expect(inLogOrder(holed, 1).order).toBe("as_given");
  });
});

describe("prequential", () => {
  test("is learn, answer by answer, and nothing else", async () => {
    const weights = model.newWeights();
    const locals = new Map<string, unknown>();
    const predictions = answers.map((answer) => {
      const local = locals.get(answer.learnerId) ?? model.newLocal();
      locals.set(answer.learnerId, local);
      return model.learn(weights, local, answer);
    });
    const expected = measure(
      Float64Array.from(predictions),
      Uint8Array.from(answers, ({ correct }) => Number(correct)),
    );
    const result = await evaluate(answers, "prequential");
    expect(result.metrics).toEqual(expected);
    expect(result).toMatchObject({
      answersRead: 2_000,
      learners: 12,
      items: 30,
      skills: 6,
      order: "by_time",
      split: null,
    });
  });

  test("says what the trainer says of the same answers", async () => {
    const state = newTrainerState(model);
    for (let n = 0; n < answers.length; n++) {
      const data = madeUpAnswer(n);
      const place = { eventId: "e", stream: `learner-${data.learnerId}`, revision: 1, position: n + 1 };
      const metadata = { schemaVersion: 1 };
      train(
        model,
        state,
        { ...place, recordedAt: data.occurredAt, type: "InteractionRecorded", data, metadata },
        (e) => {
          throw e;
        },
      );
    }
    const { metrics } = await evaluate(answers, "prequential");
    expect(recentMetrics(state)).toMatchObject({ recentAuc: metrics.auc, recentLogLoss: metrics.logLoss });
  });

  test("the same seed gives the same figures, another seed nearly the same", async () => {
    const first = await evaluate(learnerByLearner, "prequential", { seed: 5 });
    const again = await evaluate(learnerByLearner, "prequential", { seed: 5 });
    const other = await evaluate(learnerByLearner, "prequential", { seed: 6 });
    expect(again.metrics).toEqual(first.metrics);
    expect(other.metrics).not.toEqual(first.metrics);
    expect(Math.abs((other.metrics.auc ?? 0) - (first.metrics.auc ?? 1))).toBeLessThan(0.05);
  });

  test("an answer with several skills is one answer", async () => {
    const several = answers.filter(({ skillIds }) => skillIds.length > 1);
    expect(several.length).toBeGreaterThan(0);
    expect((await evaluate(several, "prequential")).metrics.answers).toBe(several.length);
  });
});

describe("published", () => {
  test.each(["lr-full", "lr-lite"] as const)(
    "%s: with new weights after each answer readers say what the owner says, but for what is rounded",
    async (name) => {
      const given = { model: learnerModels[name], answers: answers.slice(0, 500) };
      const owner = await evaluate(given.answers, "prequential", { model: given.model });
      const readers = await evaluate(given.answers, "published", { model: given.model, snapshotEveryAnswers: 1 });
      expect(readers.metrics.auc).toBeCloseTo(owner.metrics.auc ?? 0, name === "lr-lite" ? 15 : 3);
      expect(readers.metrics.logLoss).toBeCloseTo(owner.metrics.logLoss, name === "lr-lite" ? 15 : 4);
    },
  );

  test("with weights that are never published readers know nothing of items", async () => {
    const never = await evaluate(answers, "published", { snapshotEveryAnswers: 1e9 });
    const byRule = await evaluate(answers, "published");
    expect(byRule.metrics.auc ?? 0).toBeGreaterThan((never.metrics.auc ?? 1) + 0.05);
    expect([byRule.snapshotEveryAnswers, never.snapshotEveryAnswers]).toEqual([null, 1e9]);
  });
});

describe("frozen", () => {
  const split = answers.map((answer): LoggedAnswer => {
    return { ...answer, split: Number(answer.learnerId.slice(7)) % 3 === 0 ? "test" : "train" };
  });

  test("measures the log's own test learners only", async () => {
    const result = await evaluate(split, "frozen");
    expect(result.split).toBe("of_the_log");
    expect(result.metrics.answers).toBe(split.filter((answer) => answer.split === "test").length);
  });

  test("what a test learner answers teaches nothing about the others", async () => {
    const only = (learnerId: string) => split.filter((a) => a.split === "train" || a.learnerId === learnerId);
    const alone = await Promise.all(
      ["learner0", "learner3", "learner6", "learner9"].map((id) => evaluate(only(id), "frozen")),
    );
    const together = await evaluate(split, "frozen");
    const mean = (squares: typeof alone) =>
      squares.reduce((sum, { metrics }) => sum + metrics.rmse ** 2 * metrics.answers, 0) / together.metrics.answers;
    expect(together.metrics.rmse ** 2).toBeCloseTo(mean(alone), 10);
  });

  test("without a split: four of five learners train, chosen by the seed", async () => {
    const result = await evaluate(answers, "frozen");
    expect(result.split).toBe("at_random");
    const { isTraining } = trainingLearners(answers, 1);
    const training = new Set(answers.filter(isTraining).map(({ learnerId }) => learnerId));
    expect(training.size).toBe(9);
    expect(result.metrics.answers).toBe(answers.filter((answer) => !isTraining(answer)).length);
    const chosen = (seed: number) => answers.filter(trainingLearners(answers, seed).isTraining).length;
    expect(new Set([1, 2, 3, 4, 5].map(chosen)).size).toBeGreaterThan(1);
  });

  test("refuses a log of one learner", async () => {
    const one = answers.filter(({ learnerId }) => learnerId === "learner3");
    await expect(evaluate(one, "frozen")).rejects.toThrow(NothingToEvaluate);
  });
});

test("refuses a log without answers", async () => {
  await expect(evaluate([], "prequential")).rejects.toThrow("there are no answers to evaluate on");
});

test("the order of recording can be asked for", async () => {
  expect((await evaluate(learnerByLearner, "prequential", { order: "as_given" })).order).toBe("as_given");
});

test("times of reading and of the model are told apart, and progress is reported", async () => {
  let now = 0;
  const progress: string[] = [];
  const result = await evaluate(answers, "prequential", {
    nowMs: () => {
      now += 500;
      return now;
    },
    cpuMs: () => now / 2,
    onProgress: ({ phase, done, total }) => progress.push(`${phase} ${done}/${total}`),
  });
  expect(result).toMatchObject({ readMs: 500, modelMs: 500, modelCpuMs: 250, answersPerSecond: 8_000 });
  expect(progress).toEqual(["reading 2000/2000", "predicting 2000/2000"]);
});
