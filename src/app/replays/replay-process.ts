import { fork } from "node:child_process";
import { once } from "node:events";
import type { Config } from "../config.ts";

/** What the process of replay-worker.ts is sent: its order first, and "stop" when it has to go. */
export interface ReplayOrder {
  readonly config: Config;
  readonly replayId: string;
}

/** How long it may take to save where it is. */
const stopMs = 5_000;

/**
 * One turn of a replay in a process of its own, at a low priority: what it allocates and computes takes no turn from
 * requests, and what it breaks is its own. It ends itself where this process dies. Rejects where it could not do its work, and
 * with the signal's reason where it had to go.
 */
export async function runReplayInProcess(config: Config, replayId: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  // The sources run as they are, the build has the other ending.
  const file = import.meta.url.endsWith(".ts") ? "./replay-worker.ts" : "./replay-worker.js";
  const logFormat = config.logFormat === "auto" && process.stderr.isTTY ? "text" : config.logFormat;
  const child = fork(new URL(file, import.meta.url), [], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let killing: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (child.connected) child.send("stop", () => undefined);
    killing = setTimeout(() => child.kill("SIGKILL"), stopMs);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    child.send({ config: { ...config, logFormat }, replayId } satisfies ReplayOrder, () => undefined);
    const [code, by] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`the process of the replay ${replayId} ended with ${code ?? by}`);
  } finally {
    clearTimeout(killing);
    signal.removeEventListener("abort", stop);
  }
}
