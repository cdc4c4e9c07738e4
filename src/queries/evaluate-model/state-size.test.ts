import { expect, test } from "vitest";
import { modelNames } from "../../domain/learner-model/model-names.ts";
import { learnerModels } from "../../domain/learner-model/models.ts";
import { storedStateSize } from "./state-size.ts";

test.each(modelNames)(
  "%s stores a learner with 50 skills and 500 items in 4 KiB, their ids among them, however many answers",
  (name) => {
    for (const answers of [500, 2_000, 20_000]) {
      const bytes = storedStateSize(learnerModels[name], { skills: 50, items: 500, answers });
      expect(bytes, `${answers} answers`).toBeLessThanOrEqual(4096);
      expect(bytes).toBeGreaterThan(100);
    }
  },
);
