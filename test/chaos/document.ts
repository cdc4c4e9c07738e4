import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { betweenComments } from "../../load-tests/quoted.ts";
import { type ChaosResult, readChaosResult } from "./result.ts";
import { aboutRun, summaryOf, tableOf } from "./table.ts";

const root = join(import.meta.dirname, "../..");
export const resultFile = join(root, "load-tests/results/chaos.json");
const document = join(root, "docs/chaos.md");
const comments = {
  begins: "<!-- from load-tests/results/chaos.json: npm run chaos -- --quote -->",
  ends: "<!-- end of that -->",
};

/** The run that is kept; null where none is. */
export const keptRun = (): ChaosResult | null => (existsSync(resultFile) ? readChaosResult(resultFile) : null);

/** docs/chaos.md with the table of the kept run in it. */
export function withQuote(text: string, result: ChaosResult | null): string {
  const made = result === null ? "No run is kept yet." : quoteOf(result);
  const quoted = betweenComments(text, comments, made);
  if (quoted === null) throw new Error(`docs/chaos.md has no place for figures: ${comments.begins}`);
  return quoted;
}

const quoteOf = (result: ChaosResult): string =>
  [aboutRun(result), summaryOf(result.experiments), tableOf(result.experiments)].join("\n\n");

export function quote(): void {
  writeFileSync(document, withQuote(readFileSync(document, "utf8"), keptRun()));
}
