import type { Result } from "./result.ts";

/** What a load generator is given to run. */
export interface Generating {
  /** For its files. */
  readonly folder: string;
  /** Files: what to do, and where its summary goes. */
  readonly settings: string;
  readonly summary: string;
  readonly signal: AbortSignal;
  readonly onStart: (name: string, pid: number) => void;
  readonly onLine: (line: string) => void;
}

/** What it found, as far as it knows. */
export interface Generated
  extends Pick<
    Result,
    "tool" | "title" | "what" | "seconds" | "verdicts" | "requests" | "checks" | "levels" | "series"
  > {
  readonly toolVersion: string;
  /** When the times of `series` are 0: milliseconds since 1970. */
  readonly beganAt: number;
  readonly totals: Omit<Result["totals"], "hitRatio" | "lagSecondsMax" | "drainSeconds">;
  readonly raw: unknown;
}
