import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { onTestFinished } from "vitest";
import type { Io } from "../../src/app/cli/io.ts";
import { main } from "../../src/app/cli/main.ts";

/** The command line in this process, on a data folder of its own: what it prints, and its exit code. */
export interface CommandLine {
  readonly folder: string;
  /** Writes a file into the folder and gives its path. */
  file(name: string, content: string): string;
  run(...argv: readonly string[]): Promise<Result>;
  runWith(more: Partial<Io>, ...argv: readonly string[]): Promise<Result>;
}

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON. */
  readonly json: ReturnType<typeof JSON.parse>;
}

export function commandLine(environment: Readonly<Record<string, string>> = {}): CommandLine {
  const folder = mkdtempSync(join(tmpdir(), "proximal-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  async function runWith(more: Partial<Io>, ...argv: readonly string[]): Promise<Result> {
    const stdout = new Gathered();
    const stderr = new Gathered();
    const io: Io = {
      environment: { PROXIMAL_DATA: join(folder, "data"), ...environment, ...more.environment },
      stdin: more.stdin ?? Readable.from([]),
      stdout: more.stdout ?? stdout,
      stderr: more.stderr ?? stderr,
      signal: more.signal ?? new AbortController().signal,
    };
    const code = await main(argv, io);
    return {
      ...{ code, stdout: stdout.text, stderr: stderr.text },
      get json() {
        return JSON.parse(stdout.text);
      },
    };
  }
  return {
    folder,
    file(name, content) {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    run: (...argv) => runWith({}, ...argv),
    runWith,
  };
}

export class Gathered extends Writable {
  text = "";
  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
