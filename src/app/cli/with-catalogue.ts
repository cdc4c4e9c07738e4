import { randomUUID } from "node:crypto";
import type { CatalogueCommandDeps } from "../../commands/handle.ts";
import type { Engines } from "../compose.ts";
import type { Config } from "../config.ts";
import { createLifecycle } from "../lifecycle.ts";
import { silentLogger } from "../observability/logging.ts";
import type { CommandContext } from "./context.ts";
import { withEngines } from "./with-engines.ts";

/** The configured engines with the catalogue as the log has it now, for commands that publish or record. */
export function withCatalogue<T>(
  context: CommandContext,
  work: (deps: {
    readonly commands: CatalogueCommandDeps;
    readonly engines: Engines;
    readonly config: Config;
  }) => Promise<T>,
): Promise<T> {
  return withEngines(context, async (engines, config) => {
    const { createCatalogueFollower } = await import("../../workers/catalogue-follower.ts");
    const log = silentLogger();
    const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
    try {
      const catalogue = await life.acquire(
        "catalogue",
        async () => {
          const follower = createCatalogueFollower({ feed: engines.feed, log });
          follower.start();
          await follower.catchUp();
          return follower;
        },
        (follower) => follower.stop(),
      );
      const { eventStore } = engines;
      const commands = { eventStore, catalogue, clock: { now: Date.now }, randomId: randomUUID };
      return await work({ commands, engines, config });
    } finally {
      await life.stop();
    }
  });
}
