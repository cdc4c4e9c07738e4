import { readFile } from "node:fs/promises";
import { InvalidArgumentError } from "commander";
import { usageFailure } from "./io.ts";

/** For commander: a whole number of at least `min`. */
export const wholeNumberOf =
  (min: number) =>
  (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min)) throw new InvalidArgumentError(`a whole number of at least ${min}`);
    return value;
  };

/** For commander: any number; what is allowed is said elsewhere. */
export function numberOf(text: string): number {
  const value = /^-?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new InvalidArgumentError("a number");
  return value;
}

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** For commander: "90s", "10m", "12h", "30d" in milliseconds. */
export function durationOf(text: string): number {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  const unit = unitsMs[match?.[2] ?? ""];
  if (match === null || unit === undefined) throw new InvalidArgumentError("a number and s, m, h or d, like 30d");
  return Number(match[1]) * unit;
}

/** For commander: an option that may be given several times. */
export function gathered(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** The lines under a command's help that show it in use. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((l) => `  $ ${l}`).join("\n")}\n`;

/** What a file that an option names holds. Rejects with a usage failure that says what is wrong with it. */
export async function jsonFile(option: string, path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw usageFailure(`${option} ${path}: ${error.code === "ENOENT" ? "there is no such file" : error.message}`);
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageFailure(`${option} ${path}: not JSON: ${(error as Error).message}`);
  }
}
