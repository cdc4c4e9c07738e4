import { once } from "node:events";
import { readdirSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { runReplay } from "../../queries/replays/run-replay.ts";
import { openEngines } from "../compose.ts";
import { createLifecycle } from "../lifecycle.ts";
import { createLogger } from "../observability/logging.ts";
import { replayDeps } from "./replay-deps.ts";
import { replayKinds } from "./replay-kinds.ts";
import type { ReplayOrder } from "./replay-process.ts";

/** The process of replay-process.ts: one turn of one replay, then it ends. */
if (process.send === undefined) throw new Error("replay-worker.ts runs as the process of a replay");

const leaving = new AbortController();
// Who started it has died, or says so.
process.once("disconnect", () => leaving.abort());
// Ctrl-C goes to every process of a terminal: this one is told by the one that started it.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => leaving.abort());

const [{ config, replayId }] = (await once(process, "message")) as [ReplayOrder];
process.on("message", () => leaving.abort());
giveWay();

const log = createLogger(config, process.stderr);
const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
try {
  const engines = await openEngines(config, life, { log });
  const kinds = replayKinds(replayDeps(config, engines, life, log));
  await runReplay({ store: engines.replays, kinds, clock: { now: Date.now }, log }, replayId, leaving.signal);
} catch (err) {
  log.error({ replay: replayId, err }, "the process of a replay met trouble");
  process.exitCode = 1;
} finally {
  await life.stop();
  if (process.connected) process.disconnect();
}

/** A low priority, but not one that starves beside busy cores; for each thread there is: on Linux a priority is one thread's, and later ones take it from theirs. */
function giveWay(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
    if (process.platform !== "linux") return;
    for (const thread of readdirSync("/proc/self/task"))
      setPriority(Number(thread), constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Not allowed here, or a thread that has just ended: it works all the same.
  }
}
