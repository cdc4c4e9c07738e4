import { describe, expect, test } from "vitest";
import { logShapes, madeUpLog } from "../../../test/support/made-up-answers.ts";
import type { LoggedAnswer } from "../../domain/learner-model/answer-of.ts";
import { learnerModels, type ModelName } from "../../domain/learner-model/models.ts";
import { evaluateModel } from "./model.ts";
import { isReliable } from "./reliability.ts";

async function* given(answers: readonly LoggedAnswer[]): AsyncGenerator<LoggedAnswer> {
  yield* answers;
}

describe.each(Object.entries(logShapes))("on made-up answers: %s", (_, shape) => {
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
