import type { CourseItem } from "./latent.ts";
import type { Load, ScenarioName } from "./profiles.ts";

/** What the runner tells k6 and Locust, in a file whose path is in the environment variable SETTINGS. */
export interface SettingsFile {
  /** Of a scenario of k6; "personas" for Locust. */
  readonly scenario: ScenarioName | "personas";
  readonly load: Load;
  /** Where commands go; and queries, where another process answers them. */
  readonly commandUrl: string;
  readonly queryUrl: string;
  readonly key: string;
  /** What may be served. */
  readonly items: readonly CourseItem[];
  /** Prerequisites by skill: with the share of the threshold of mastery that is asked of each. */
  readonly prerequisites: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Of a track's default policy: a prerequisite is held from this mastery on, times its share. */
  readonly prerequisiteThreshold: number;
  readonly trackId: string;
  /** Must not be served: retired before the test, and barred by the track. */
  readonly retired: readonly string[];
  readonly barred: readonly string[];
  readonly limits: { readonly p95Ms: number; readonly nextP95Ms: number; readonly errorRate: number };
  readonly checkShare: number;
  readonly mayShed: boolean;
  /** Where the summary goes. */
  readonly summary: string;
}
