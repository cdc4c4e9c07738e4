import type { Logger } from "pino";
import type { StreamReader } from "../ports/event-stream.ts";
import type { Feed } from "../ports/feed.ts";
import type { OpenReadModels } from "./compose-rows.ts";
import type { Config } from "./config.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { saveNowAndThen } from "./saving.ts";
import { type AnyProjector, type ProjectorEngines, startProjector } from "./start-parts.ts";
import { EngineUnavailable, type Patience } from "./wait-for-engine.ts";

/** The rows are acquired before whoever writes them, so that they are saved after the last write. */
export async function startProjecting(
  config: Config,
  engines: Omit<ProjectorEngines, "readModels">,
  open: OpenReadModels,
  stream: StreamReader | null,
  starting: { readonly life: Lifecycle; readonly log: Logger; readonly patience: Patience },
): Promise<AnyProjector> {
  await starting.life.acquire(
    "read models",
    () => open,
    () => open.save(),
  );
  return startProjector(config, { ...engines, readModels: open.readModels }, stream, starting);
}

/** Resolves when everything that stands in the log is in the rows, and these are saved; from then on now and then. */
export async function catchUp(
  config: Config,
  projector: AnyProjector,
  { save }: OpenReadModels,
  feed: Feed,
  { life, log, patienceNow }: { readonly life: Lifecycle; readonly log: Logger; patienceNow(): Patience },
): Promise<void> {
  await saveNowAndThen({ save, projector, everyMs: config.snapshotIntervalSeconds * 1000, life, log });
  await projector.caughtUp();
  // That may have taken long: what fails after it is waited for anew.
  const patience = patienceNow();
  await patience.untilOpen("the event log", () => mustNotBeAhead(projector, feed));
  await patience.untilOpen("the read models", save);
}

/** What is ahead of the log would pass over its next events. */
async function mustNotBeAhead(projector: AnyProjector, feed: Feed): Promise<void> {
  const [position, head] = [projector.position() ?? 0, await feed.head()];
  if (position <= head) return;
  throw new EngineUnavailable(
    `the read models know position ${position}, but the log ends at ${head}: it was put back from a backup; stop every process and run: proximal after-restore --yes (without Redis: remove read-models.snapshot)`,
  );
}
