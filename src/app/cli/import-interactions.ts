import { recordInteractions } from "../../commands/record-interactions.ts";
import type { CommandContext } from "./context.ts";
import { type Checkpoint, checkpointOf, type ImportCounts, importRows, newCounts } from "./import/import-rows.ts";
import { interactionRows, type RowOptions } from "./import/interaction-rows.ts";
import { createUnknownPublisher, type UnknownPublisher } from "./import/publish-unknown.ts";
import { openRefusals, type Refusals } from "./import/refusals.ts";
import { type FileFormat, openSourceFile, type SourceFile } from "./import/source-file.ts";
import { CommandFailure, count, exitCodes, printResult } from "./io.ts";
import { startProgress } from "./progress.ts";
import { withCatalogue } from "./with-catalogue.ts";

export interface ImportInteractionsOptions {
  readonly map?: readonly string[];
  readonly format?: FileFormat;
  readonly delimiter?: string;
  readonly skillSeparator: string;
  readonly idPrefix: string;
  /** commander's form of --no-catalogue. */
  readonly catalogue: boolean;
  readonly restart?: boolean;
  readonly refused?: string;
  readonly json?: boolean;
}

/** Between two checkpoints, at least. A crash repeats this much, as duplicates. */
const saveEveryMs = 2000;

export function importInteractions(
  context: CommandContext,
  name: string,
  options: ImportInteractionsOptions,
): Promise<void> {
  const { io } = context;
  const map = mapOf(options.map ?? []);
  return withCatalogue(context, async ({ commands, engines, config }) => {
    const file = await openSourceFile(io, name, options.format);
    if (file.format === "json") throw new CommandFailure(`${file.name}: one JSON object a line (.ndjson), or CSV`, 64);
    const publisher = createUnknownPublisher(commands);
    const rowOptions: RowOptions = { ...options, map, lineLimitBytes: config.lineLimitBytes };
    const identity = [
      file.hash,
      JSON.stringify([...map]),
      options.delimiter ?? "",
      options.skillSeparator,
      options.idPrefix,
    ];
    const checkpoint = checkpointOf(engines.blobs, identity);
    const before = options.restart === true ? null : await checkpoint.load();
    const refusals = await openRefusals(options.refused, before !== null);
    try {
      if (before !== null) io.stderr.write(`going on after row ${count(before.rows)}, where this import was stopped\n`);
      const startedAt = performance.now();
      const counts = before ?? newCounts();
      const ignored: string[] = [];
      const ended = await run(context, {
        file,
        rows: interactionRows(file, rowOptions, (columns) => ignored.push(...columns)),
        counts,
        checkpoint,
        refusals,
        record: (inputs) => recordInteractions(commands, inputs),
        publish: options.catalogue ? publisher.publish : async () => {},
      });
      if (!ended) throw new CommandFailure(`stopped after row ${count(counts.rows)}: run it again to go on from there`);
      const seconds = (performance.now() - startedAt) / 1000;
      report(
        context,
        { file, counts, from: before?.rows ?? 0, seconds, publisher, refusals, ignored },
        options.json === true,
      );
    } finally {
      await refusals.close();
      await file.close();
    }
  });
}

interface Run {
  readonly file: SourceFile;
  readonly rows: ReturnType<typeof interactionRows>;
  readonly counts: ImportCounts;
  readonly checkpoint: Checkpoint;
  readonly refusals: Refusals;
  readonly record: Parameters<typeof importRows>[0]["record"];
  readonly publish: Parameters<typeof importRows>[0]["publish"];
}

/** Imports the rows, with a checkpoint kept meanwhile; false where Ctrl-C came first. */
async function run({ io }: CommandContext, parts: Run): Promise<boolean> {
  const { file, counts, checkpoint, refusals, rows, record, publish } = parts;
  const progress = startProgress(io, "lines", file.lines);
  let savedAt = performance.now();
  const onProgress = async (_: ImportCounts, line: number): Promise<void> => {
    progress.update(line);
    if (performance.now() - savedAt < saveEveryMs) return;
    savedAt = performance.now();
    await checkpoint.save(counts);
  };
  let ended = false;
  try {
    const deps = { record, publish, onRefused: refusals.add, onProgress, signal: io.signal };
    ended = await importRows(deps, rows, counts);
    return ended;
  } finally {
    progress.stop();
    if (ended) await checkpoint.clear();
    else if (counts.rows > 0) await checkpoint.save(counts);
  }
}

interface Report {
  readonly file: SourceFile;
  readonly counts: ImportCounts;
  readonly from: number;
  readonly seconds: number;
  readonly publisher: UnknownPublisher;
  readonly refusals: Refusals;
  readonly ignored: readonly string[];
}

function report(context: CommandContext, done: Report, json: boolean): void {
  const { file, counts, from, seconds, publisher, refusals, ignored } = done;
  const rate = Math.round((counts.rows - from) / Math.max(seconds, 0.001));
  const published = { items: publisher.counts.items, skills: publisher.counts.skills };
  const value = { file: file.name, ...counts, published, seconds, rowsPerSecond: rate, refusals: refusals.first };
  printResult(context.io, json, value, () => [
    `${file.name}: ${count(counts.rows)} rows in ${count(seconds)} s (${count(rate)}/s)`,
    `  accepted   ${count(counts.accepted)}`,
    `  duplicates ${count(counts.duplicates)}${counts.duplicates > 0 ? " (they stand in the log already)" : ""}`,
    `  refused    ${count(counts.refused)}`,
    ...refusals.lines(counts.refused),
    ...notesOf(counts, publisher, ignored),
  ]);
  if (counts.refused > 0) context.exit(exitCodes.partlyRefused);
}

function notesOf(
  { withoutTime, conflicts }: ImportCounts,
  { counts, problems }: UnknownPublisher,
  ignored: readonly string[],
) {
  const { items, skills, otherSkills } = counts;
  const notes: string[] = [];
  if (items + skills > 0)
    notes.push(`published, as the catalogue did not know them: ${count(items)} items, ${count(skills)} skills`);
  if (otherSkills > 0)
    notes.push(`${count(otherSkills)} items have rows with other skills; those of the catalogue count`);
  if (withoutTime > 0)
    notes.push(`${count(withoutTime)} rows have no time: recorded as of now, in the order of the file`);
  if (conflicts > 0) {
    notes.push(`${count(conflicts)} rows have the id of others: for another log of the same learners give --id-prefix`);
  }
  if (ignored.length > 0) notes.push(`columns not used: ${ignored.join(", ")}`);
  return [...notes, ...problems];
}

function mapOf(pairs: readonly string[]): Map<string, string> {
  return new Map(
    pairs.map((pair) => {
      const at = pair.lastIndexOf("=");
      if (at < 1)
        throw new CommandFailure(
          `--map ${pair}: write it as column=field, like --map student=learnerId`,
          exitCodes.usage,
        );
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
