import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { onTestFinished } from "vitest";
import { ofThisProcess } from "../support/environment.ts";

/** Proximal as its users have it: the launcher, in a process of its own, and its HTTP API. */
export const root = dirname(dirname(import.meta.dirname));

export interface Place {
  /** Told at a start how to read what it says before it is ready. */
  readonly onOutput?: (output: Running["output"]) => void;
  /** Environment variables of its own. */
  readonly environment: Readonly<Record<string, string>>;
  /** For a process that makes none for itself: one of many. */
  readonly key?: string;
  /** Where Proximal is installed; left out: this repository. */
  readonly installed?: string;
  /** When what was started here is to end: after the test, when left out. */
  readonly atEnd?: AtEnd;
}

export type AtEnd = (undo: () => void) => void;

/** An empty data folder, removed after the test. */
export function newPlace(
  more: Readonly<Record<string, string>> = {},
  atEnd: AtEnd = onTestFinished,
): Place & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "proximal-e2e-"));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  // What makes the event loop late here is the machine, which has other tests at work: nothing is refused for it.
  const environment = { PROXIMAL_DATA: folder, LOG_LEVEL: "warn", PROXIMAL_SHED_DELAY_MS: "0", ...more };
  return { folder, atEnd, environment };
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One command, to its end. */
export async function run(place: Place, args: readonly string[], input = ""): Promise<Ran> {
  const child = spawnProximal(place, args);
  const output = gather(child);
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...output() };
}

export interface Running {
  readonly url: string;
  readonly key: string;
  readonly pid: number;
  /** Milliseconds until it said that it is ready. */
  readonly readyMs: number;
  output(): { readonly stdout: string; readonly stderr: string };
  /** Resolves with the exit code, or the name of the signal that ended it. */
  end(signal: "SIGINT" | "SIGTERM" | "SIGKILL"): Promise<number | string>;
  /** Resolves when standard output matches. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  get(path: string): Promise<Reply>;
  post(path: string, body: unknown): Promise<Reply>;
}

export interface Reply {
  readonly status: number;
  // The tests say what they expect of a body by comparing it.
  readonly body: ReturnType<typeof JSON.parse>;
}

/** Starts `serve` on a free port and waits until it is ready; it is killed after the test, if it still runs. */
export async function serve(place: Place, ...args: readonly string[]): Promise<Running> {
  const startedAt = performance.now();
  const child = spawnProximal(place, ["serve", "--port", "0", ...args]);
  const output = gather(child);
  place.onOutput?.(output);
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const { atEnd = onTestFinished } = place;
  atEnd(() => void child.kill("SIGKILL"));

  async function says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(output().stdout);
      if (found !== null) return found;
      const over = await Promise.race([ended.then(() => true), once(child.stdout, "data").then(() => false)]);
      if (over && pattern.exec(output().stdout) === null) {
        throw new Error(`ended before it said ${pattern}:\n${output().stdout}\n${output().stderr}`);
      }
    }
  }

  const [, url = ""] = await says(/ready at (http:\S+) /);
  const key = place.key ?? (await says(/pxl_[0-9a-f]{16}_[0-9a-f]{64}/))[0];
  const readyMs = performance.now() - startedAt;
  const call = async (path: string, init: RequestInit): Promise<Reply> => {
    const response = await fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${key}`, ...init.headers },
    });
    return { status: response.status, body: await response.json() };
  };
  return {
    ...{ url, key, pid: child.pid ?? 0, readyMs, output, says },
    async end(signal) {
      child.kill(signal);
      const [code, by] = await ended;
      return code ?? by ?? "unknown";
    },
    get: (path) => call(path, {}),
    post: (path, body) =>
      call(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  };
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

function spawnProximal({ environment, installed = root }: Place, args: readonly string[]): Child {
  const env = { ...ofThisProcess(), ...environment };
  const launcher = join(installed, "bin", "proximal.js");
  return spawn(process.execPath, [launcher, ...args], { cwd: installed, env, stdio: ["pipe", "pipe", "pipe"] });
}

function gather(child: Child): () => { stdout: string; stderr: string } {
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return () => ({ stdout, stderr });
}

/** Resolves when `holds` does, asking again each 50 ms; rejects after the time. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  holds: (value: T) => boolean,
  limitMs = 60_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}; last: ${JSON.stringify(value)}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Three skills in a chain, and six items of each. */
export const chain = {
  skills: ["count", "add", "multiply"].map((skillId, i, all) => ({
    skillId,
    title: `To ${skillId}`,
    prerequisites: i === 0 ? [] : [{ skillId: all[i - 1] }],
  })),
  items: ["count", "add", "multiply"].flatMap((skillId) =>
    [1, 2, 3, 4, 5, 6].map((n) => ({
      itemId: `${skillId}-${n}`,
      title: `Exercise ${n} to ${skillId}`,
      skillIds: [skillId],
    })),
  ),
};

export async function publishChain(server: Running): Promise<void> {
  const skills = await server.post("/v1/skills", chain.skills);
  const items = await server.post("/v1/items", chain.items);
  if (skills.body.published !== 3 || items.body.published !== 18) throw new Error(JSON.stringify([skills, items]));
}
