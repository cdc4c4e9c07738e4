import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { readCsvAnswers } from "../../adapters/answer-log/csv.ts";
import { modelNames } from "../../domain/learner-model/model-names.ts";
import { learnerModels, type ModelName } from "../../domain/learner-model/models.ts";
import { evaluateModel, type Protocol } from "./model.ts";
import { isReliable } from "./reliability.ts";

/** 103,561 real answers of 37 learners (Lindsey, Khajah, Mozer 2014); not part of the repository. */
const root = resolve(import.meta.dirname, "../../..");
const file = resolve(root, process.env.PROXIMAL_SPANISH_CSV ?? "../shared/data/spanish.csv");
const present = existsSync(file);
if (!present) process.stderr.write(`skipped: ${file} is not there; PROXIMAL_SPANISH_CSV may name it\n`);

const run = (model: ModelName, protocol: Protocol, seed: number) =>
  evaluateModel({ answers: readCsvAnswers(file), model: learnerModels[model], protocol, seed });

const leastAuc: Readonly<Record<ModelName, number>> = { "lr-full": 0.853, "lr-lite": 0.85, elo: 0.79 };

describe.skipIf(!present)("on real answers", () => {
  test.each(modelNames)("%s, prequential: AUC and calibration", { timeout: 180_000 }, async (model) => {
    for (const seed of [1, 2, 3]) {
      const { metrics, ...result } = await run(model, "prequential", seed);
      expect(result).toMatchObject({ answersRead: 103_561, learners: 37, items: 409, skills: 221 });
      expect(result.order).toBe("merged_at_random");
      expect(metrics.auc).toBeGreaterThanOrEqual(leastAuc[model]);
      expect(result.baselines.map((baseline) => baseline.metrics.auc ?? 0)).toEqual([
        expect.closeTo(0.5, 1),
        expect.closeTo(0.712, 2),
      ]);
      expect(metrics.ece).toBeLessThanOrEqual(0.02);
    }
  });

  test("of what lr-full predicts at 70 to 80 %, 70 to 80 % comes true, and so in every bin", {
    timeout: 180_000,
  }, async () => {
    const { metrics } = await run("lr-full", "prequential", 1);
    for (const bin of metrics.bins) {
      expect(bin.answers).toBeGreaterThan(500);
      expect(isReliable(bin), `predictions from ${bin.from}`).toBe(true);
    }
  });

  test("published weights serve nearly as well as the owner's own", { timeout: 180_000 }, async () => {
    const [owner, readers] = [await run("lr-full", "prequential", 1), await run("lr-full", "published", 1)];
    expect((owner.metrics.auc ?? 0) - (readers.metrics.auc ?? 0)).toBeLessThan(0.002);
  });
});
