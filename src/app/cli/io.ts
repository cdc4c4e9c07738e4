import type { Readable, Writable } from "node:stream";
import type { Environment } from "../config.ts";
import { Explained } from "../explained.ts";

/** What a command may touch of the process it runs in: tests give their own. */
export interface Io {
  readonly environment: Environment;
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Aborts at Ctrl-C: a command finishes what it has in hand and returns. */
  readonly signal: AbortSignal;
}

/** Exit codes, as `proximal --help` states them. */
export const exitCodes = { ok: 0, failure: 1, partlyRefused: 2, usage: 64 } as const;

/** Ends a command: one line for stderr that says what to do, and an exit code. */
export class CommandFailure extends Explained {
  override readonly name = "CommandFailure";
  readonly exitCode: number;
  constructor(message: string, exitCode: number = exitCodes.failure, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export const usageFailure = (message: string): CommandFailure => new CommandFailure(message, exitCodes.usage);

/** Writes, and waits while the reader is slower. Resolves at once when the other end (`| head`) has gone. */
export async function writeText(stream: Writable, text: string): Promise<void> {
  if (stream.destroyed || stream.writableEnded || stream.write(text)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      stream.off("error", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
    stream.on("error", done);
  });
}

/** A value as JSON when asked for, else as the lines made for people. */
export function printResult(io: Io, json: boolean, value: unknown, lines: () => readonly string[]): void {
  if (json) io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  else for (const line of lines()) io.stdout.write(`${line}\n`);
}

/** Columns padded to their widest cell; numbers to the right. */
export function tableLines(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = [header, ...rows].map((row) => row.map((cell) => (typeof cell === "number" ? count(cell) : cell)));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const right = header.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === "number"));
  return cells.map((row) =>
    row
      .map((cell, column) => (right[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** 103561 -> "103,561". */
export function count(n: number): string {
  return n.toLocaleString("en-US", { maximumFractionDigits: 1 });
}
