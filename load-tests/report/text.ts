import { kneeOf } from "../runner/read-k6.ts";
import type { Result } from "../runner/result.ts";
import { commitOf, figure, ms, percent, totals } from "./figures.ts";

/** Rows as columns of text: the first to the left, all others to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, k) => Math.max(...rows.map((row) => (row[k] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, k) => (k === 0 ? cell.padEnd(widths[k] ?? 0) : cell.padStart(widths[k] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** What a run found, for a terminal. */
export function verdictText(result: Result): string {
  const { title, load, seconds, target, verdicts, levels } = result;
  const head = `${title}: ${load.users} users, ${Math.round(seconds)} s, ${target}, commit ${commitOf(result)}`;
  const judged = verdicts.map(({ name, limit, value, met }) => [name, limit, value, met ? "met" : "MISSED"]);
  return [
    head,
    "",
    columns([["threshold", "limit", "measured", "verdict"], ...judged]),
    "",
    columns(totals.map(({ name, value }) => [name, value(result)])),
    ...(levels.length === 0 ? [] : ["", levelsText(result)]),
    "",
  ].join("\n");
}

function levelsText({ levels }: Result): string {
  const rows = levels.map((level) => [
    String(level.users),
    ...[figure(level.stepsPerSecond), figure(level.requestsPerSecond), ms(level.p95), ms(level.nextP95)],
    ...[percent(level.errorRate), percent(level.dropped), level.met ? "met" : "MISSED"],
  ]);
  const knee = kneeOf(levels);
  const head = ["users", "steps/s", "requests/s", "p95", "p95 of next", "failed", "left out", "limits"];
  return `${columns([head, ...rows])}\nknee: ${knee === null ? "below the lowest level" : `${knee.users} users within the limits`}`;
}
