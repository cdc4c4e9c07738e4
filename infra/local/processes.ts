import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly account?: { readonly uid: number; readonly gid: number } | null;
}

/**
 * Starts a process that outlives this one: in a session of its own, so that Ctrl-C in this terminal, and its end, do not
 * reach it. What it writes is appended to the file `log`.
 */
export async function startDetached(command: Command, log: string): Promise<number> {
  const { program, args, env, cwd, account } = command;
  const output = openSync(log, "a");
  try {
    const child = spawn(program, args, {
      ...{ cwd, detached: true, stdio: ["ignore", output, output], env: { ...process.env, ...env } },
      ...(account ?? {}),
    });
    await once(child, "spawn");
    child.unref();
    return child.pid ?? 0;
  } finally {
    closeSync(output);
  }
}

/** Whether there is a process of this pid that has not ended. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A child whose end nobody has asked for yet is still listed. */
function isZombie(pid: number): boolean {
  return statOf(pid)?.[0] === "Z";
}

/** The fields of /proc/PID/stat after the name of the program; null where there is no such file. */
export function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

/** Processes that this one started and that have not ended; none where there is no /proc. */
export function childrenOf(pid: number): number[] {
  const all = existsSync("/proc/self/stat") ? readdirSync("/proc") : [];
  return all.map(Number).filter((one) => Number.isInteger(one) && Number(statOf(one)?.[1]) === pid);
}

/** When the process began: with the pid it names one process and no later one. "" where there is none. */
export function beganAt(pid: number): string {
  const ticks = statOf(pid)?.[19];
  if (ticks !== undefined) return ticks;
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

export function isStill({ pid, began }: { readonly pid: number; readonly began: string }): boolean {
  return isRunning(pid) && beganAt(pid) === began;
}

/** Asks it to end, waits, and ends it by force when the time is up. False where force was needed. */
export async function stopProcess(
  one: { readonly pid: number; readonly began: string; readonly signal: "SIGTERM" | "SIGINT" },
  withinMs: number,
): Promise<boolean> {
  if (!isStill(one)) return true;
  process.kill(one.pid, one.signal);
  for (const end = performance.now() + withinMs; performance.now() < end; await sleep(50)) {
    if (!isStill(one)) return true;
  }
  if (isStill(one)) process.kill(one.pid, "SIGKILL");
  return false;
}
