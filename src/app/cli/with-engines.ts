import type { Engines } from "../compose.ts";
import type { Config } from "../config.ts";
import { createLifecycle } from "../lifecycle.ts";
import { silentLogger } from "../observability/logging.ts";
import type { CommandContext } from "./context.ts";

/** Runs a command on the configured engines and lets go of them, however it ends. */
export async function withEngines<T>(
  context: CommandContext,
  work: (engines: Engines, config: Config) => Promise<T>,
): Promise<T> {
  const config = context.config();
  // The engines are heavy to load; `--help` does without.
  const { openEngines } = await import("../compose.ts");
  const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log: silentLogger() });
  try {
    return await work(await openEngines(config, life), config);
  } finally {
    await life.stop();
  }
}
