import { describe, expect, test } from "vitest";
import { type LogShape, madeUpLog } from "../../../test/support/made-up-answers.ts";
import type { LoggedAnswer } from "../../domain/learner-model/answer-of.ts";
import { learnerModels, type ModelName } from "../../domain/learner-model/models.ts";
import { evaluateModel } from "./model.ts";
import { isReliable } from "./reliability.ts";

const shapes: Readonly<Record<string, LogShape>> = {
  "few items, each a skill": { learners: 1_000, answers: 35, items: 100, skills: 100 },
  "many items that few answered, some without a skill": {
    learners: 600,
    answers: 60,
    items: 9_000,
    skills: 120,
    twoSkills: 0.2,
    withoutSkill: 0.1,
  },
  "long histories with times": { learners: 60, answers: 600, items: 3_000, skills: 100, twoSkills: 0.4, timed: true },
  "no skills at all": { learners: 300, answers: 120, items: 2_000, skills: 1, withoutSkill: 1 },
};

async function* given(answers: readonly LoggedAnswer[]): AsyncGenerator<LoggedAnswer> {
  yield* answers;
}

describe.each(Object.entries(shapes))("on made-up answers: %s", (_, shape) => {
  const answers = madeUpLog(shape);
  const run = async (name: ModelName) =>
    (await evaluateModel({ answers: given(answers), model: learnerModels[name], protocol: "prequential", seed: 1 }))
      .metrics;

  test("lr-full predicts no worse than lr-lite, and what it predicts comes true", async () => {
    const [full, lite] = [await run("lr-full"), await run("lr-lite")];
    expect(full.auc).toBeGreaterThanOrEqual(lite.auc ?? 1);
    expect(full.logLoss).toBeLessThanOrEqual(lite.logLoss);
    expect(full.ece).toBeLessThanOrEqual(0.02);
    for (const bin of full.bins) expect([true, null], `bin from ${bin.from}`).toContain(isReliable(bin));
  });
});
