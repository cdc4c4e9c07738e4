import type { SessionType } from "../domain/events.ts";
import type { Freshness } from "../domain/freshness-token.ts";

/** What is asked of a next list, the same for one learner and for many. */
export interface NextRequest {
  /** 1 to {@link countMax}. */
  readonly count: number;
  /** null: the track the learner is in; where there is none, all items under the default policy. */
  readonly trackId: string | null;
  readonly sessionType: SessionType;
  readonly exclude: ReadonlySet<string>;
  /** Only items with one of these skills; null for any. */
  readonly skillIds: readonly string[] | null;
  /** The session that this begins or goes on with, where it is known: for what it has left of its budget. */
  readonly sessionId?: string;
  /** The answer should include this interaction; waits for it, within bounds. */
  readonly after: Freshness | null;
  /** Equal for requests that are equal but for `after`: what a rendered answer is kept under. null: keep none. */
  readonly cacheKey: string | null;
}

export const countDefault = 10;
export const countMax = 50;
export const excludeMax = 500;
export const skillsMax = 50;

/** Where an answer comes from: the learner's own list, what many do, or what this process knew before the read models went away. */
export type NextSource = "personal" | "popular" | "stale";
