import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onProcessEnd } from "./process-end.ts";

/** Why an engine cannot be started here. */
export interface Skip {
  readonly skip: string;
}

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

/** Full path of a program, in PATH or in one of the extra folders; null where there is none. */
export function findProgram(name: string, extraFolders: readonly string[] = []): string | null {
  const folders = [...extraFolders, ...(process.env.PATH ?? "").split(delimiter)];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** Debian keeps the server's programs out of PATH, one folder for each major version; newest first. */
export function postgresFolders(): string[] {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return [];
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(root, version, "bin"));
}

/** PostgreSQL refuses to run as root: the account to use instead, null where we are not root. */
export function unprivilegedAccount(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const accounts = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = accounts.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("running as root, and there is neither an account postgres nor nobody to run PostgreSQL as");
}

/** Runs a program to its end; throws with its output where it fails. */
export async function run(program: string, args: readonly string[], options: SpawnOptions): Promise<string> {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${output}`);
  return output;
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
  const end = Date.now() + 20_000;
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
