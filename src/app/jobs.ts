import type { Engines } from "./compose.ts";
import type { OpenReadModels } from "./compose-rows.ts";
import type { Config } from "./config.ts";
import type { Job } from "./start-jobs.ts";

/** The background jobs of this deployment. */
export function jobsOf(_config: Config, _engines: Engines, _rows: OpenReadModels | null): Job[] {
  return [];
}
