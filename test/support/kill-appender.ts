import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { killAtProcessEnd } from "./process-end.ts";

const script = fileURLToPath(new URL("./append-until-killed.ts", import.meta.url));

export interface Appender {
  /** Ids of the requests it has seen acknowledged, so far. */
  readonly acknowledged: ReadonlySet<string>;
  /** Resolves when it has seen so many. */
  until(count: number): Promise<void>;
  /** kill -9, and the ids of all requests that had been acknowledged. */
  kill(): Promise<ReadonlySet<string>>;
}

/** Starts a process that appends until it is killed, see append-until-killed.ts. */
export function startAppender(engine: "sqlite" | "postgres", target: string): Appender {
  const child: ChildProcess = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", script, engine, target],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const acknowledged = new Set<string>();
  let rest = "";
  let complaint = "";
  let waiting: { count: number; resolve: () => void; reject: (error: Error) => void } | null = null;
  child.stdout?.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) acknowledged.add(line);
    if (waiting !== null && acknowledged.size >= waiting.count) waiting.resolve();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint += chunk;
  });
  const closed = new Promise<void>((resolve) => child.on("close", () => resolve()));
  void closed.then(() => waiting?.reject(new Error(`the appender ended by itself: ${complaint}`)));
  killAtProcessEnd(child);
  return {
    acknowledged,
    until: (count) =>
      new Promise((resolve, reject) => {
        waiting = { count, resolve, reject };
        if (acknowledged.size >= count) resolve();
        else if (child.exitCode !== null) reject(new Error(`the appender ended by itself: ${complaint}`));
      }),
    async kill() {
      child.kill("SIGKILL");
      await closed;
      if (child.signalCode !== "SIGKILL") throw new Error(`the appender ended by itself: ${complaint}`);
      return acknowledged;
    },
  };
}
