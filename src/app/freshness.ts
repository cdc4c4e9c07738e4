import type { Registry } from "prom-client";
import { createFreshnessMetrics } from "../http/freshness-metrics.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Log } from "../ports/log.ts";
import { type Freshness, type FreshnessObjective, readFreshness } from "../queries/freshness.ts";
import { createFreshnessRecorder, type FreshnessRecorder } from "../workers/freshness-recorder.ts";
import type { Config } from "./config.ts";

/** Of a process that projects. */
export interface FreshnessHere extends FreshnessRecorder {
  register(registry: Registry): void;
}

const objectiveOf = ({ freshnessObjective, freshnessWithinMs }: Config): FreshnessObjective => ({
  ...{ objective: freshnessObjective, withinSeconds: freshnessWithinMs / 1000 },
});

export function startFreshness(config: Config, blobs: Blobs, log: Log): FreshnessHere {
  const objective = objectiveOf(config);
  const { observe, register } = createFreshnessMetrics(objective);
  const { withinSeconds } = objective;
  return { ...createFreshnessRecorder({ blobs, clock: { now: Date.now }, log, withinSeconds, observe }), register };
}

/** Of the whole deployment: what projectors have saved, and what this one has not yet. */
export function watchFreshness(config: Config, blobs: Blobs, here: FreshnessHere | null): () => Promise<Freshness> {
  const { partitions } = config;
  return async () => {
    await here?.save();
    return readFreshness({ blobs, clock: { now: Date.now }, partitions }, objectiveOf(config));
  };
}
