import { elo } from "./elo.ts";
import type { LearnerModel } from "./learner-model.ts";
import { lrLite } from "./lr-lite.ts";

export { elo, lrLite };

export const modelNames = ["lr-lite", "elo"] as const;
export type ModelName = (typeof modelNames)[number];

/**
 * The models there are, by the name that configuration, events and stored weights know them by. Their weights and
 * local states are opaque here: what one of them made is given back to the same one only.
 */
export const learnerModels: Readonly<Record<ModelName, LearnerModel>> = {
  "lr-lite": lrLite as LearnerModel,
  elo: elo as LearnerModel,
};

/** Null where there is no model of that name. */
export function findModel(name: string): LearnerModel | null {
  return Object.hasOwn(learnerModels, name) ? learnerModels[name as ModelName] : null;
}
