import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram, freePort, postgresFolders, run, unprivilegedAccount } from "../../infra/local/programs.ts";
import { onProcessEnd } from "./process-end.ts";

// `npm run up` finds and runs programs in the same way.
export { findProgram, freePort, postgresFolders, run, unprivilegedAccount };

/** Why an engine cannot be started here. */
export interface Skip {
  readonly skip: string;
}

/**
 * Starts a server that stays. It and its folder are gone at the end, also where a test threw or never called stop:
 * `stop` asks with `signal` and waits; when the process exits without it, the server is killed by its pid.
 */
export function startServer(
  program: string,
  args: readonly string[],
  folder: string,
  signal: NodeJS.Signals,
  options: SpawnOptions,
): {
  readonly child: ChildProcess;
  readonly log: () => string;
  stop(options?: { readonly keepFolder?: boolean }): Promise<void>;
} {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  const keep = (chunk: Buffer) => {
    log = (log + chunk).slice(-20_000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  child.on("error", (error) => keep(Buffer.from(error.message)));
  const closed = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const forget = onProcessEnd(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return {
    child,
    log: () => log,
    async stop({ keepFolder = false } = {}) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        const patience = setTimeout(() => child.kill("SIGKILL"), 10_000);
        await closed;
        clearTimeout(patience);
      }
      forget();
      if (!keepFolder) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Tries until it works; throws the server's log when the server ends or the time is up. */
export async function untilReady(
  server: { readonly child: ChildProcess; readonly log: () => string },
  tryOnce: () => Promise<void>,
): Promise<void> {
  const end = Date.now() + 60_000;
  for (;;) {
    try {
      return await tryOnce();
    } catch (error) {
      if (server.child.exitCode !== null || Date.now() > end) {
        throw new Error(`server did not start: ${String(error)}\n${server.log()}`);
      }
      await sleep(30);
    }
  }
}
