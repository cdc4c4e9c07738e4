import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { killAtProcessEnd } from "../../test/support/process-end.ts";

/** Everything the bench starts is stopped when it ends, in whatever way; latest first. */
const undo: (() => Promise<void>)[] = [];
export const onEnd = (stop: () => Promise<void>): void => void undo.push(stop);
let ending: Promise<void> | undefined;
/** Whoever calls it while it runs waits for the same end. What is started afterwards can be ended again. */
export function endAll(): Promise<void> {
  ending ??= (async () => {
    for (let stop = undo.pop(); stop !== undefined; stop = undo.pop()) await stop();
  })().finally(() => {
    ending = undefined;
  });
  return ending;
}

export interface NodeProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  stop(): Promise<void>;
}

/** As bin/proximal.js starts Proximal: a limit may not be slower for want of them. */
const proximalFlags = [
  "--disable-warning=ExperimentalWarning",
  "--max-semi-space-size=64",
  "--no-allocation-site-pretenuring",
];

const proximals = new Set<ChildProcess>();
/** Each `proximal` that runs now. */
export const startedProximals = (): readonly { readonly pid: number }[] =>
  [...proximals].flatMap(({ pid, exitCode, signalCode }) =>
    pid === undefined || exitCode !== null || signalCode !== null ? [] : [{ pid }],
  );

/**
 * Node 24 on a file of the repository: a part of the bench, with an IPC channel, or the launcher as users start it.
 * What it writes to stderr is shown.
 */
export function startNode(file: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): NodeProcess {
  const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
  const part = file.startsWith("load-tests/");
  const more = process.env.BENCH_NODE_FLAGS?.split(" ") ?? [];
  // With all of its flags the launcher goes on in its process: a profiler's signal would kill the one that is put in its place.
  const flags = part ? proximalFlags : more.length > 0 ? [...proximalFlags, ...more] : [];
  const child = spawn(process.execPath, [...flags, path, ...args], {
    stdio: ["ignore", "pipe", "inherit", part ? "ipc" : "ignore"],
    env: { ...process.env, ...env },
  });
  if (!part) proximals.add(child);
  // Also where nobody comes to stop it: a pipe that is closed ends this process at once.
  killAtProcessEnd(child);
  // Nobody may fill the pipe: what is not read for an answer is dropped.
  child.stdout?.resume();
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const gone = await Promise.race([once(child, "exit"), sleep(15_000, null, { ref: false })]);
    if (gone === null) child.kill("SIGKILL");
  };
  onEnd(stop);
  return { child, pid: child.pid ?? 0, stop };
}

/** The next message of a child; rejects when it ends without one. */
export async function messageOf<T>({ child }: NodeProcess): Promise<T> {
  const either = new AbortController();
  const { signal } = either;
  try {
    const message = once(child, "message", { signal });
    const ended = once(child, "exit", { signal });
    const [first] = await Promise.race([
      message,
      ended.then(([code]) => Promise.reject(new Error(`a child process ended with code ${code}`))),
    ]);
    return first as T;
  } finally {
    either.abort();
  }
}

export async function ask<T>(process: NodeProcess, question: object): Promise<T> {
  const answer = messageOf<T>(process);
  process.child.send(question);
  return answer;
}

/** Runs a program of the repository to its end and gives the lines it printed. */
export async function linesOf(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string[]> {
  const { child } = startNode(file, args, env);
  const { lines, ended } = await linesUntilEnd(child);
  if (ended !== 0) throw new Error(`${file} ${args.join(" ")} ended with ${ended}`);
  return lines;
}

/** `ended`: with which code, or by which signal. */
export async function linesUntilEnd(child: ChildProcess): Promise<{ lines: string[]; ended: number | string }> {
  const read = async (): Promise<string[]> => {
    const lines: string[] = [];
    if (child.stdout) for await (const line of createInterface({ input: child.stdout })) lines.push(line);
    return lines;
  };
  // Listened for from the start: it may have ended before its last line is read.
  const [lines, [code, signal]] = await Promise.all([read(), once(child, "exit")]);
  return { lines, ended: code ?? signal };
}

/**
 * CPU seconds that processes have used so far, user and system: what the scheduler counts for each thread, in nanoseconds,
 * of threads that are still there. NaN where the system does not tell (not Linux).
 */
export function cpuSeconds(...pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
}

/** Microseconds of CPU for each operation between two readings; null where the system does not tell. */
export function cpuUsEach(before: number, after: number, operations: number): number | null {
  const us = ((after - before) / operations) * 1e6;
  return Number.isFinite(us) ? us : null;
}

function cpuSecondsOf(pid: number): number {
  try {
    let nanoseconds = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    }
    return nanoseconds / 1e9;
  } catch {
    return Number.NaN;
  }
}
