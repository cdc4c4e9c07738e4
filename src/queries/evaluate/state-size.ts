import { ByteWriter } from "../../domain/byte-writer.ts";
import { newLearnerIds } from "../../domain/learner-model/ids.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";

/** A learner who has met this much. */
export const measuredLearner: Readonly<Record<"skills" | "items" | "answers", number>> = {
  skills: 50,
  items: 500,
  answers: 2_000,
};

export interface StateSize {
  /** What the model keeps of the learner, as it is stored. */
  readonly bytes: number;
  /** The ids of the items and skills, which the model's part shares with the others of a learner's row. */
  readonly idBytes: number;
}

/** Bytes that the model stores of {@link measuredLearner}, with ids of four characters, times and mixed outcomes. */
export function storedStateSize(model: LearnerModel, { skills, items, answers } = measuredLearner): StateSize {
  const ids = newLearnerIds();
  const local = model.newLocal(ids);
  const weights = model.newWeights();
  for (let n = 0; n < answers; n++) {
    // Items come back after a third of all were met, and each has its skill.
    const item = (n * 7 + Math.floor(n / 3)) % items;
    model.observe(weights, local, {
      itemId: `i${String(item).padStart(3, "0")}`,
      skillIds: [`s${String(item % skills).padStart(3, "0")}`],
      correct: (n * n + item) % 7 < 4,
      at: 1_700_000_000_000 + n * 137_000,
    });
  }
  return {
    bytes: lengthOf((writer) => model.writeLocal(local, writer)),
    idBytes: lengthOf((writer) => {
      ids.skills.write(writer);
      ids.items.write(writer);
    }),
  };
}

/** Without the format and the checksum. */
function lengthOf(write: (writer: ByteWriter) => void): number {
  const writer = new ByteWriter(0);
  write(writer);
  return writer.finish().length - 5;
}
