import { duration } from "./format.ts";
import type { MasteryChange } from "./mastery-changes.ts";

export type Doing = "right" | "wrong" | "hint" | "skip";

/** What became of one interaction. */
export interface Done {
  readonly title: string;
  readonly doing: Doing;
  /** Predicted before. */
  readonly p: number;
  readonly changes: readonly MasteryChange[];
  /** From the reply to the post until an answer had it. Milliseconds; null where none had it in time. */
  readonly visibleMs: number | null;
}

export const visibleInWords = (ms: number | null): string =>
  ms === null
    ? "was not in the list in time"
    : `was in the list after ${ms < 1000 ? `${Math.round(ms)} ms` : duration(ms / 1000)}`;
