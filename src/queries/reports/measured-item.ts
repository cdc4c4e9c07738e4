import type { Estimate } from "../statistics/intervals.ts";
import type { ItemFit } from "./item-fit.ts";

/** What answers say of an item. */
export interface MeasuredItem {
  readonly itemId: string;
  readonly title: string;
  readonly skillIds: readonly string[];
  readonly answers: number;
  /** Lists that were given out with it; null where the log has no such lists. */
  readonly served: number | null;
  /** Views, hints, skips and ratings too. */
  readonly interactions: number;
  readonly learners: number;
  /** Share correct of first answers, with its interval (Wilson). */
  readonly facility: Estimate;
  /** Logits, positive is harder: of the learner model; of first answers alone (Rasch), null for none; as its author guessed. */
  readonly modelDifficulty: number;
  readonly difficulty: number | null;
  readonly difficultyError: number | null;
  readonly authorDifficulty: number | null;
  /** Corrected item-rest correlation, with its interval (Fisher); NaN ends for fewer than four. */
  readonly discrimination: Estimate | null;
  readonly fit: ItemFit | null;
  readonly medianMs: number | null;
  readonly hintShare: number | null;
}
