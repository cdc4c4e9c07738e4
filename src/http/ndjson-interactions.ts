import { once } from "node:events";
import { PassThrough } from "node:stream";
import {
  type InteractionOutcome,
  type RecordContext,
  type RecordInteractionsDeps,
  recordInteractions,
} from "../commands/record-interactions.ts";
import { readJsonText } from "./json-body.ts";
import { type Line, linesOf } from "./ndjson-lines.ts";
import { patientLog } from "./patient-log.ts";
import { type ProblemBody, problemBody, problemOf, toProblem } from "./problem.ts";

export interface NdjsonOptions {
  readonly lineLimit: number;
  /** Which outcomes are written back; the summary always is. */
  readonly outcomes: "all" | "rejected";
  readonly onOutcomes: (outcomes: readonly InteractionOutcome[]) => void;
}

interface Summary {
  accepted: number;
  duplicates: number;
  rejected: number;
  lines: number;
}

/** Batches on their way to the log at once: enough to keep it busy, few enough to hold in memory. */
const maxBatchesInFlight = 4;

/**
 * Records a stream of interactions, one JSON object a line, and writes an outcome line for each while it is read. Reading stops
 * while the reader of the outcomes, or the log, is behind, so memory stays the same however long the stream is.
 * The last line is `{"summary": {...}}`; one with a `problem` says that the stream was not read to its end.
 */
export function recordNdjson(
  deps: RecordInteractionsDeps,
  body: AsyncIterable<Buffer>,
  context: RecordContext,
  options: NdjsonOptions,
): PassThrough {
  const out = new PassThrough();
  const patient = { ...deps, eventStore: patientLog(deps.eventStore) };
  void pump(patient, body, context, options, out).catch((error: Error) => out.destroy(error));
  return out;
}

async function pump(
  deps: RecordInteractionsDeps,
  body: AsyncIterable<Buffer>,
  context: RecordContext,
  options: NdjsonOptions,
  out: PassThrough,
): Promise<void> {
  const summary: Summary = { accepted: 0, duplicates: 0, rejected: 0, lines: 0 };
  const written: Promise<void>[] = [];
  let last = Promise.resolve();
  let problem: ProblemBody | null = null;
  let index = 0;
  try {
    for await (const lines of linesOf(body, options.lineLimit)) {
      const outcomes = recordLines(deps, lines, index, context);
      index += lines.length;
      last = last.then(async () => write(out, await outcomes, summary, options));
      // Awaited below; until then a failure must not count as unhandled.
      last.catch(() => undefined);
      outcomes.catch(() => undefined);
      written.push(last);
      if (written.length >= maxBatchesInFlight) await written.shift();
      if (out.destroyed) return;
    }
    await last;
  } catch (error) {
    const { code, message, errors } = toProblem(error as Error);
    problem = problemBody(code, message, errors);
  }
  if (out.destroyed) return;
  out.end(`${JSON.stringify(problem === null ? { summary } : { summary, problem })}\n`);
}

type LineOutcome = InteractionOutcome & { readonly line: number };

async function recordLines(
  deps: RecordInteractionsDeps,
  lines: readonly Line[],
  firstIndex: number,
  context: RecordContext,
): Promise<LineOutcome[]> {
  const inputs: unknown[] = [];
  const malformed = new Map<number, string>();
  for (const [at, line] of lines.entries()) {
    const reading = "text" in line ? readJsonText(line.text) : { ok: false as const, message: line.problem };
    if (reading.ok) inputs.push(reading.value);
    else malformed.set(at, reading.message);
  }
  const recorded = await recordInteractions(deps, inputs, context);
  let taken = 0;
  return lines.map(({ line }, at): LineOutcome => {
    const index = firstIndex + at;
    const message = malformed.get(at);
    if (message !== undefined) {
      const problem = { code: "malformed_json", detail: `line ${line}: ${message}`, errors: [{ path: "", message }] };
      return { index, line, id: null, status: "rejected", problem };
    }
    const outcome = recorded[taken] as InteractionOutcome;
    taken += 1;
    return { ...outcome, index, line };
  });
}

async function write(
  out: PassThrough,
  outcomes: readonly LineOutcome[],
  summary: Summary,
  options: NdjsonOptions,
): Promise<void> {
  options.onOutcomes(outcomes);
  let text = "";
  for (const outcome of outcomes) {
    summary.lines = outcome.line;
    if (outcome.status === "accepted") summary.accepted += 1;
    else if (outcome.status === "duplicate") summary.duplicates += 1;
    else summary.rejected += 1;
    if (options.outcomes === "all" || outcome.status === "rejected") text += `${outcomeJson(outcome)}\n`;
  }
  if (text === "" || out.destroyed || out.write(text)) return;
  await Promise.race([once(out, "drain"), once(out, "close")]);
}

/** An outcome as it goes over the wire. */
export function outcomeJson(outcome: InteractionOutcome & { readonly line?: number }): string {
  if (outcome.status === "rejected") return JSON.stringify({ ...outcome, problem: problemOf(outcome.problem) });
  const line = outcome.line === undefined ? "" : `"line":${outcome.line},`;
  const { index, id, status, token } = outcome;
  return `{"index":${index},${line}"id":${JSON.stringify(id)},"status":"${status}","token":"${token}"}`;
}
