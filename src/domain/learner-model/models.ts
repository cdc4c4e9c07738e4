import { elo } from "./elo.ts";
import type { LearnerModel } from "./learner-model.ts";
import { lrFull } from "./lr-full.ts";
import { lrLite } from "./lr-lite.ts";
import type { ModelName } from "./model-names.ts";

export type { ModelName } from "./model-names.ts";
export { elo, lrFull, lrLite };

/**
 * The models there are. Their weights and local states are opaque here: what one of them made is given back to the same
 * one only.
 */
export const learnerModels: Readonly<Record<ModelName, LearnerModel>> = {
  "lr-full": lrFull as LearnerModel,
  "lr-lite": lrLite as LearnerModel,
  elo: elo as LearnerModel,
};

/** Null where there is no model of that name. */
export function findModel(name: string): LearnerModel | null {
  return Object.hasOwn(learnerModels, name) ? learnerModels[name as ModelName] : null;
}
