import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { readCsvAnswers } from "../../adapters/answer-log/csv.ts";
import { learnerModels, type ModelName } from "../../domain/learner-model/models.ts";
import { evaluateModel, type Protocol } from "./model.ts";

/** 103,561 real answers of 37 learners (Lindsey, Khajah, Mozer 2014); not part of the repository. */
const root = resolve(import.meta.dirname, "../../..");
const file = resolve(root, process.env.PROXIMAL_SPANISH_CSV ?? "../shared/data/spanish.csv");
const present = existsSync(file);
if (!present) process.stderr.write(`skipped: ${file} is not there; PROXIMAL_SPANISH_CSV may name it\n`);

const run = (model: ModelName, protocol: Protocol, seed: number) =>
  evaluateModel({ answers: readCsvAnswers(file), model: learnerModels[model], protocol, seed });

describe.skipIf(!present)("on real answers", () => {
  test.each([1, 2, 3])("lr-lite, prequential, seed %i: AUC and calibration", { timeout: 60_000 }, async (seed) => {
    const { metrics, ...result } = await run("lr-lite", "prequential", seed);
    expect(result).toMatchObject({ answersRead: 103_561, learners: 37, items: 409, skills: 221 });
    expect(result.order).toBe("merged_at_random");
    expect(metrics.auc).toBeGreaterThanOrEqual(0.85);
    expect(metrics.ece).toBeLessThanOrEqual(0.02);
  });

  test.each([1, 2, 3])("elo, prequential, seed %i: AUC and calibration", { timeout: 60_000 }, async (seed) => {
    const { metrics } = await run("elo", "prequential", seed);
    expect(metrics.auc).toBeGreaterThanOrEqual(0.79);
    expect(metrics.ece).toBeLessThanOrEqual(0.02);
  });

  test("published weights serve nearly as well as the owner's own", { timeout: 60_000 }, async () => {
    const [owner, readers] = [await run("lr-lite", "prequential", 1), await run("lr-lite", "published", 1)];
    expect((owner.metrics.auc ?? 0) - (readers.metrics.auc ?? 0)).toBeLessThan(0.002);
  });
});
