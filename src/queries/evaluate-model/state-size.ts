import { ByteWriter } from "../../domain/byte-writer.ts";
import { newLearnerIds } from "../../domain/learner-model/ids.ts";
import { asNumbered } from "../../domain/learner-model/item-order.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";

/** A learner who has met this much. */
export const measuredLearner: Readonly<Record<"skills" | "items" | "answers", number>> = {
  skills: 50,
  items: 500,
  answers: 2_000,
};

/** Bytes that are stored of {@link measuredLearner}: the model's part and the ids of items and skills, with times and mixed outcomes. */
export function storedStateSize(model: LearnerModel, { skills, items, answers } = measuredLearner): number {
  const ids = newLearnerIds();
  const local = model.newLocal(ids);
  const weights = model.newWeights();
  for (let n = 0; n < answers; n++) {
    // Items come back after a third of all were met, and each has its skill.
    const item = (n * 7 + Math.floor(n / 3)) % items;
    model.observe(weights, local, {
      itemId: `item-${item}`,
      skillIds: [`skill-${item % skills}`],
      correct: (n * n + item) % 7 < 4,
      at: 1_700_000_000_000 + n * 137_000,
    });
  }
  return lengthOf((writer) => {
    ids.skills.write(writer);
    ids.items.write(writer);
    model.writeLocal(local, writer, asNumbered(ids.items.list.length));
  });
}

/** Without the format and the checksum. */
function lengthOf(write: (writer: ByteWriter) => void): number {
  const writer = new ByteWriter(0);
  write(writer);
  return writer.finish().length - 5;
}
