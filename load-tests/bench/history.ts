import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BenchResult, benchResultSchema, type Machine } from "./result.ts";

/*
 * Where runs are kept, one file each: `results/local/` has all of this clone (not committed), `results/bench-history/` those
 * that were saved for everybody; `results/bench.json` is the newest of these, which documents quote.
 */

const results = join(import.meta.dirname, "../results");
export const quotedFile = join(results, "bench.json");

/**
 * Keeps a run in this clone, or for everybody in the history, or there and as the one that documents quote. The files that
 * were written.
 */
export function keep(result: BenchResult, how: "local" | "history" | "quoted", folder: string = results): string[] {
  const json = `${JSON.stringify(benchResultSchema.parse(result), null, 2)}\n`;
  const name = `bench-${result.at.slice(0, 19).replaceAll(":", "")}.json`;
  const files = [join(folder, how === "local" ? "local" : "bench-history", name)];
  if (how === "quoted") files.push(join(folder, "bench.json"));
  for (const file of files) {
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, json);
  }
  return files;
}

/** A kept run. Throws with a line that says what is wrong with the file. */
export function readResult(file: string): BenchResult {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as Error).message}`);
  }
  const read = benchResultSchema.safeParse(json);
  if (!read.success) throw new Error(`${file} is not a run of this bench: ${read.error.issues[0]?.message}`);
  return read.data;
}

/**
 * The run to compare with: the newest kept one of the same scale on a machine of the same class, or else the newest of
 * any. Null where there is none. Files of other forms (of before) are passed over.
 */
export function previousRun(
  { scale, machine }: Pick<BenchResult, "scale" | "machine">,
  folder: string = results,
): { readonly file: string; readonly result: BenchResult } | null {
  const kept = ["bench-history", "local"].flatMap((part) => runsIn(join(folder, part)));
  kept.sort((a, b) => (a.result.at < b.result.at ? 1 : -1));
  const alike = ({ result }: { result: BenchResult }): boolean =>
    result.scale === scale && sameClass(result.machine, machine);
  return kept.find(alike) ?? kept.find(({ result }) => sameClass(result.machine, machine)) ?? kept[0] ?? null;
}

function runsIn(folder: string): { file: string; result: BenchResult }[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    if (!/^bench-.*\.json$/.test(name)) return [];
    const file = join(folder, name);
    try {
      return [{ file, result: readResult(file) }];
    } catch {
      return [];
    }
  });
}

/** Figures, and not only ratios, may be held against each other. */
export const sameClass = (a: Machine, b: Machine): boolean => a.cpu === b.cpu && a.cores === b.cores;
