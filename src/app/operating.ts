import type { Log } from "../ports/log.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { takeOperatorRequests } from "../workers/operator-requests.ts";
import type { ProjectorOperations } from "../workers/projector-operations.ts";
import { createSharedOperations } from "../workers/shared-operations.ts";
import type { Engines } from "./compose.ts";
import { type OpenReadModels, openReadModels } from "./compose-rows.ts";
import type { Config } from "./config.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { once } from "./once.ts";
import { rebuildOf } from "./rebuild-here.ts";
import { type Duties, dutiesOf } from "./roles.ts";
import type { AnyProjector } from "./start-parts.ts";
import { noPatience } from "./wait-for-engine.ts";

/** What this process works with; null where that is not its work. */
interface Operating {
  readonly config: Config;
  readonly engines: Engines;
  readonly rows: OpenReadModels | null;
  readonly projector: AnyProjector | null;
  readonly life: Lifecycle;
  readonly log: Log;
}

const clock = { now: Date.now };
/** A rebuild takes all cores for a while: a process that works on jobs has them, one that projects may need them. */
const leaveRebuildsMs = ({ runsJobs }: Duties): number => (runsJobs ? 0 : 3_000);

/**
 * The rows of this deployment, opened at the first call where this process does without them otherwise; null where they are in the
 * memory of another process.
 */
export function rowsOfDeployment({
  config,
  engines,
  rows,
  life,
  log,
}: Omit<Operating, "projector">): (() => Promise<ReadModels>) | null {
  if (rows !== null) return async () => rows.readModels;
  if (config.redisUrl === undefined) return null;
  return once(async () => (await openReadModels(config, life, engines.feed, log, noPatience)).readModels);
}

/** What operators may ask of the projections here: of this process where the rows are in its memory, else of all that share them. */
export function operationsOf(
  { config, engines, projector }: Operating,
  readModels: (() => Promise<ReadModels>) | null,
): ProjectorOperations | null {
  const { redisUrl, partitions } = config;
  if (redisUrl === undefined || readModels === null) return projector?.operations ?? null;
  return createSharedOperations({ readModels, store: engines.eventStore, clock, partitions, projector });
}

/** Until the stop, in a process that has the time for it or owns what is asked about. */
export async function takeRequests({ config, engines, rows, projector, life, log }: Operating): Promise<void> {
  const duties = dutiesOf(config);
  if (config.redisUrl === undefined || rows === null || !(duties.runsJobs || duties.projects)) return;
  const { readModels } = rows;
  const { partitions } = config;
  const rebuild = rebuildOf(config, engines, readModels, log);
  await life.acquire(
    "requests of operators",
    () =>
      takeOperatorRequests({
        ...{ readModels, clock, log, partitions, projector, rebuild, leaveRebuildsMs: leaveRebuildsMs(duties) },
      }),
    (taking) => taking.stop(),
  );
}
