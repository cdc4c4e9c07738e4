import type { ScalingPolicy } from "../domain/scaling/policy.ts";
import { scalingPolicySchema } from "../domain/scaling/policy.ts";
import type { LagSampler } from "../queries/lag-sampler.ts";
import type { QueueWatch } from "../queries/queue-lag.ts";
import { createArrivalsBySpan } from "../queries/scaling/arrivals.ts";
import { createScalingWatch, type ScalingWatch } from "../queries/scaling/scaling-watch.ts";
import type { Engines } from "./compose.ts";
import type { Config } from "./config.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { answersQueries, dutiesOf } from "./roles.ts";

export function scalingPolicyOf(config: Config): ScalingPolicy {
  return scalingPolicySchema.parse({
    utilisation: config.scaleUtilisation,
    requestsUtilisation: config.scaleRequestsUtilisation,
    catchUpSeconds: config.scaleCatchUpSeconds,
    restartSeconds: config.scaleRestartSeconds,
    startSeconds: config.scaleStartSeconds,
    coolDownSeconds: config.scaleCoolDownSeconds,
    downAfterSeconds: config.scaleDownAfterSeconds,
    workersMax: config.scaleWorkersMax,
  });
}

/** Rates of a look are those since the look before, not of the last minute: a worker's pace is seen while it catches up. */
const rates = { windowMs: 1_000, oldestMs: 120_000 };
/** Who answers requests watches by itself, so that there is a history when somebody asks; others look when they are asked. */
const everyMs = 10_000;

export async function watchScaling(
  config: Config,
  { feed, presence }: Pick<Engines, "feed" | "presence">,
  { lag, queues }: { readonly lag: LagSampler; readonly queues: QueueWatch },
  life: Lifecycle,
): Promise<ScalingWatch> {
  const clock = { now: Date.now };
  const watch = createScalingWatch({
    ...{ clock, presence, lag: lag.reader(rates), queues: queues.read, arrivals: createArrivalsBySpan(feed) },
    ...{ policy: scalingPolicyOf(config), shared: config.kafkaBrokers.length > 0 },
  });
  const opened = await life.acquire(
    "scaling watch",
    () => {
      const interval = answersQueries(dutiesOf(config))
        ? setInterval(() => void watch.plan().catch(() => undefined), everyMs).unref()
        : undefined;
      return { watch, interval };
    },
    ({ interval }) => clearInterval(interval),
  );
  return opened.watch;
}
