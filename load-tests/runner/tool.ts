import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";

export interface ToolRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** What it writes, on both outputs. */
  readonly log: string;
  readonly signal: AbortSignal;
  readonly onStart: (pid: number) => void;
  /** Each line of its standard error. */
  readonly onLine: (line: string) => void;
}

const patienceMs = 15_000;

/**
 * Runs a load generator to its end and gives its exit code. It has a process group of its own, so that Ctrl-C reaches it
 * through us alone: once, as SIGINT, upon which it ends in order; by force where it does not.
 */
export async function runTool({ program, args, env, cwd, log, signal, onStart, onLine }: ToolRun): Promise<number> {
  signal.throwIfAborted();
  const child = spawn(program, args, {
    ...{ cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] },
    env: { ...process.env, ...env },
  });
  const output = createWriteStream(log);
  let rest = "";
  child.stdout.pipe(output, { end: false });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    output.write(chunk);
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
  let force: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill("SIGINT");
    force = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  };
  try {
    await once(child, "spawn");
    onStart(child.pid ?? 0);
    signal.addEventListener("abort", stop, { once: true });
    const [code] = await once(child, "close");
    return typeof code === "number" ? code : 1;
  } finally {
    clearTimeout(force);
    signal.removeEventListener("abort", stop);
    output.end();
  }
}
