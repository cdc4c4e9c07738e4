import type { LearnerModel } from "../domain/learner-model/learner-model.ts";

/** The learner model and the newest published weights that this process knows. */
export interface ModelReader {
  readonly model: LearnerModel;
  /** 0 and fresh weights before the first ModelPublished. */
  current(): { readonly version: number; readonly weights: unknown };
}
