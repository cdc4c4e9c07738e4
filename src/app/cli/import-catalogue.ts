import { UnreadableFile } from "../../adapters/item-bank-files/found.ts";
import type { CatalogueCommandDeps } from "../../commands/handle.ts";
import type { Config } from "../config.ts";
import type { CommandContext } from "./context.ts";
import { type CatalogueRow, catalogueRows } from "./import/catalogue-rows.ts";
import { dryRun, type PlannedChange } from "./import/dry-run.ts";
import type { RefusedRow } from "./import/import-rows.ts";
import { type CatalogueKind, type Published, publishRows } from "./import/publish-rows.ts";
import { openRefusals, type Refusals } from "./import/refusals.ts";
import { type FileFormat, openSourceFile } from "./import/source-file.ts";
import { CommandFailure, count, exitCodes, printResult, usageFailure } from "./io.ts";
import { startProgress } from "./progress.ts";
import { withCatalogue } from "./with-catalogue.ts";

/** What every import of a catalogue takes. */
export interface CatalogueImportOptions {
  readonly refused?: string;
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly source?: string;
  readonly retireMissing?: boolean;
}

export interface ImportCatalogueOptions extends CatalogueImportOptions {
  readonly format?: FileFormat;
}

/** An opened source of rows. */
export interface CatalogueSource {
  /** As the user named it. */
  readonly name: string;
  /** Whose entries they are, as the file says; null where it does not. */
  readonly source: string | null;
  /** Elements there are, for the progress bar; null where not known. */
  readonly total: number | null;
  readonly rows: AsyncIterable<CatalogueRow>;
  /** Lines below the summary. */
  readonly notes?: () => readonly string[];
  readonly close: () => Promise<void> | void;
}

/** Publishes what a file of items, skills or tracks holds; a repeat finds everything unchanged. */
export function importCatalogue(
  context: CommandContext,
  kind: CatalogueKind,
  name: string,
  options: ImportCatalogueOptions,
): Promise<void> {
  return importFrom(context, kind, options, async (_commands, { lineLimitBytes }) => {
    const file = await openSourceFile(context.io, name, options.format);
    return {
      ...{ name: file.name, source: null, total: null },
      rows: catalogueRows(file, lineLimitBytes),
      close: file.close,
    };
  });
}

/** `open` is given the commands, on a copy of the catalogue where it is a dry run. */
export function importFrom(
  context: CommandContext,
  kind: CatalogueKind,
  options: CatalogueImportOptions,
  open: (commands: CatalogueCommandDeps, config: Config) => Promise<CatalogueSource>,
): Promise<void> {
  return withCatalogue(context, async ({ commands: real, config }) => {
    const planned = options.dryRun === true ? dryRun(real) : null;
    const commands = planned?.commands ?? real;
    const opened = await explained(() => open(commands, config));
    const refusals = await openRefusals(options.refused, false);
    try {
      const published = await explained(() => run(context, kind, options, { commands, opened, refusals }));
      report(context, kind, options, { opened, published, refusals, changes: planned?.changes ?? null });
    } finally {
      await refusals.close();
      await opened.close();
    }
  });
}

/** What a reader of files says is for the user as it is. */
async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof UnreadableFile ? new CommandFailure(error.message) : error;
  }
}

interface Run {
  readonly commands: CatalogueCommandDeps;
  readonly opened: CatalogueSource;
  readonly refusals: Refusals;
}

async function run(
  { io }: CommandContext,
  kind: CatalogueKind,
  options: CatalogueImportOptions,
  { commands, opened, refusals }: Run,
): Promise<Published> {
  const source = options.source ?? opened.source;
  if (options.retireMissing === true && source === null) {
    throw usageFailure("--retire-missing retires what the same source had before: say which with --source");
  }
  const progress = startProgress(io, kind, opened.total);
  try {
    const onRefused = ({ file, ...row }: RefusedRow): void =>
      refusals.add(file === undefined || file === opened.name ? row : { file, ...row });
    const deps = { commands, onRefused, onProgress: progress.update, signal: io.signal };
    const what = { kind, source, retireMissing: options.retireMissing === true };
    const published = await publishRows(deps, opened.rows, what);
    if (!published.ended) throw new CommandFailure("stopped; run it again to go on, what is published stays");
    return published;
  } finally {
    progress.stop();
  }
}

interface Report {
  readonly opened: CatalogueSource;
  readonly published: Published;
  readonly refusals: Refusals;
  /** Of a dry run. */
  readonly changes: readonly PlannedChange[] | null;
}

function report(
  { io, exit }: CommandContext,
  kind: CatalogueKind,
  options: CatalogueImportOptions,
  { opened, published, refusals, changes }: Report,
): void {
  const { counts, leftOut, keptMissing } = published;
  const value = {
    ...{ file: opened.name, dryRun: changes !== null, ...counts },
    leftOut: Array.from(leftOut, ([reason, at]) => ({ reason, ...at })),
    refusals: refusals.first,
    ...(changes === null ? {} : { changes }),
  };
  printResult(io, options.json === true, value, () => [
    ...(changes === null ? [] : ["dry run: nothing was stored; a run without --dry-run would say:"]),
    `${opened.name}: ${count(counts.published)} ${kind} published, ${count(counts.revised)} revised, ${count(counts.unchanged)} unchanged, ${options.retireMissing === true ? `${count(counts.retired)} retired, ` : ""}${count(counts.refused)} refused`,
    ...refusals.lines(counts.refused),
    ...Array.from(leftOut, ([reason, { count: n, first }]) => `  left out, ${count(n)}: ${reason} (first at ${first})`),
    ...(keptMissing ? ["nothing was retired: what was refused may be what seems to be missing"] : []),
    ...(opened.notes?.() ?? []),
    ...changeLines(changes ?? []),
  ]);
  if (counts.refused > 0) exit(exitCodes.partlyRefused);
}

const changesShownMax = 50;

function changeLines(changes: readonly PlannedChange[]): string[] {
  const lines = changes.slice(0, changesShownMax).map(({ type, id, title, fields }) => {
    const what = fields.length > 0 ? `: ${fields.join(", ")}` : title === null || title === id ? "" : `: ${title}`;
    return `  ${type} ${id}${what}`;
  });
  const more = changes.length - lines.length;
  return more > 0 ? [...lines, `  and ${count(more)} more; --json lists all`] : lines;
}
