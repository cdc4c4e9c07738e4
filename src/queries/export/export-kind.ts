import { z } from "zod";
import { eventSchemas, idSchema } from "../../domain/events.ts";
import { streamCategories } from "../../domain/streams.ts";
import type { Clock } from "../../ports/clock.ts";
import { type EventsDeps, eventPages } from "../events.ts";
import type { ReplayKind, ReplayRun } from "../replays/replay-kind.ts";
import { dictionaryJson } from "./dictionary.ts";
import { eventRow } from "./event-rows.ts";
import { createPseudonyms, type Pseudonyms, plainIds } from "./pseudonyms.ts";
import {
  itemRows,
  nextRows,
  type Pages,
  popularRows,
  type RowsPage,
  type Serving,
  scoreRows,
} from "./read-model-rows.ts";
import type { Row, TableWriter } from "./table.ts";
import { createTableWriter, formats, mediaTypes } from "./table-writer.ts";
import { type TableName, tableNames, tables } from "./tables.ts";

export interface ExportDeps extends EventsDeps {
  readonly clock: Clock;
  /** What queries stand on; opened when it is asked for. */
  serving(): Promise<Serving>;
  /** Of the pseudonyms: the same for every export of a deployment. */
  pseudonymKey(): Promise<string>;
  readonly pace?: Pace;
}

export interface Pace {
  /** Events, or things with rows, read at a time. */
  readonly pageSize: number;
  /** Events looked at, or rows written, between two checkpoints at the least. */
  readonly between: number;
}

const eventTypes = Object.keys(eventSchemas) as [keyof typeof eventSchemas, ...(keyof typeof eventSchemas)[]];
const time = z.iso.datetime({ offset: true });
const some = <Schema extends z.ZodType>(schema: Schema) => z.array(schema).min(1).max(1_000).optional();

/** For which tables each filter has a meaning. */
const filters: Readonly<Record<string, readonly TableName[]>> = {
  ...{ after: ["events"], upTo: ["events"], from: ["events"], to: ["events"] },
  ...{ types: ["events"], categories: ["events"], tracks: ["events"] },
  learners: ["events", "scores", "next"],
};

export const exportInput = z
  .strictObject({
    what: z.enum(tableNames).default("events").describe("The log, or rows of a read model"),
    format: z.enum(formats).default("ndjson"),
    plainIds: z.boolean().default(false).describe("Ids of learners, sessions and the like as they are: operators only"),
    dictionary: z.boolean().default(false).describe("Adds a file that says what each column is"),
    after: z.number().int().min(0).optional().describe("Events after this position"),
    upTo: z.number().int().min(0).optional().describe("Events up to this position; those there are when it begins"),
    from: time.optional().describe("Events recorded at this time or later"),
    to: time.optional().describe("Events recorded before this time"),
    types: some(z.enum(eventTypes)),
    categories: some(z.enum(streamCategories)),
    tracks: some(idSchema).describe("Events that name one of these tracks"),
    learners: some(idSchema).describe("Events, scores or lists of these learners, by their plain ids"),
  })
  .superRefine((input, context) => {
    for (const [field, of] of Object.entries(filters)) {
      if (input[field as keyof typeof input] === undefined || of.includes(input.what)) continue;
      context.addIssue({ code: "custom", path: [field], message: `only for ${of.join(", ")}` });
    }
  });
export type ExportInput = z.output<typeof exportInput>;

export interface ExportSummary {
  readonly rows: number;
  readonly bytes: number;
  /** Events: the log was read up to here. A later export goes on with it as `after`. */
  readonly position: number | null;
  readonly pseudonymised: boolean;
}

/** The log and the read models as files: for analysts, and for other systems. */
export function exportKind(deps: ExportDeps): ReplayKind<ExportInput> {
  return {
    kind: "export",
    input: exportInput as z.ZodType<ExportInput>,
    operatorsOnly: ({ plainIds: asked }) => asked,
    async run(input, run): Promise<ExportSummary> {
      const pseudonyms = input.plainIds ? plainIds : createPseudonyms(await deps.pseudonymKey());
      const { what, format } = input;
      if (input.dictionary) await writeDictionary(what, run);
      const resumed = run.resumeFrom as { readonly table: unknown } | null;
      const file = await run.openFile(`${what}.${format}`, mediaTypes[format]);
      const writer = createTableWriter(format, tables[what].columns, file, resumed?.table ?? null);
      const write = what === "events" ? writeEvents : writeRows;
      const { rows, position } = await write(deps, input, run, { writer, pseudonyms });
      await writer.end();
      return { rows, bytes: file.bytes, position, pseudonymised: !input.plainIds };
    },
  };
}

async function writeDictionary(what: TableName, run: ReplayRun): Promise<void> {
  const file = await run.openFile(`${what}.dictionary.json`, "application/json");
  // A run that goes on has it already.
  if (file.bytes === 0) await file.write(`${JSON.stringify(dictionaryJson(tables[what]), null, 2)}\n`);
  await file.close();
}

/** Where an export of events can go on. */
interface SavedEvents {
  readonly position: number;
  readonly upTo: number;
  readonly rows: number;
  readonly table: unknown;
}

interface Writing {
  readonly writer: TableWriter;
  readonly pseudonyms: Pseudonyms;
}

interface Written {
  readonly rows: number;
  readonly position: number | null;
}

const paceOfEvents: Pace = { pageSize: 2_000, between: 25_000 };
const paceOfRows: Pace = { pageSize: 200, between: 20_000 };

async function writeEvents(
  deps: ExportDeps,
  input: ExportInput,
  run: ReplayRun,
  { writer, pseudonyms }: Writing,
): Promise<Written> {
  const { pageSize, between } = deps.pace ?? paceOfEvents;
  const resumed = run.resumeFrom as SavedEvents | null;
  const upTo = resumed?.upTo ?? Math.min(input.upTo ?? Number.POSITIVE_INFINITY, await deps.feed.head());
  let saved = resumed ?? { position: input.after ?? 0, upTo, rows: 0, table: null };
  let { rows, position } = saved;

  async function save(): Promise<void> {
    const table = writer.state();
    if (table === null || position - saved.position < between) return;
    saved = { position, upTo, rows, table };
    await run.checkpoint(saved);
  }

  const request = {
    ...filterOf(input),
    after: position,
    upTo,
    limit: Number.POSITIVE_INFINITY,
    follow: false,
    pageSize,
  };
  for await (const page of position < upTo ? eventPages(deps, request, run.signal) : []) {
    for (let at = 0; at < page.events.length; ) {
      const events = page.events.slice(at, at + writer.room());
      await writer.write(events.map((event) => eventRow(event, pseudonyms)));
      at += events.length;
      rows += events.length;
      position = events.at(-1)?.position ?? position;
      await save();
    }
    ({ position } = page);
    await save();
    run.progress(position, upTo);
    run.signal.throwIfAborted();
  }
  // Reading ends without a word where it is told to.
  run.signal.throwIfAborted();
  return { rows, position };
}

function filterOf({ types, categories, tracks, learners, from, to }: ExportInput) {
  const ms = (text: string | undefined): number | undefined => (text === undefined ? undefined : Date.parse(text));
  return { types, categories, trackIds: tracks, learnerIds: learners, from: ms(from), to: ms(to) };
}

/** Where an export of rows can go on. */
interface SavedRows {
  /** See {@link Pages}. */
  readonly after: string;
  readonly rows: number;
  readonly table: unknown;
}

function readModelRows(
  { clock }: ExportDeps,
  { what, learners: only }: ExportInput,
  serving: Serving,
  pseudonyms: Pseudonyms,
  pages: Pages,
): AsyncIterable<RowsPage<Row>> {
  if (what === "scores") return scoreRows(serving, { pseudonyms, only }, pages);
  if (what === "next") return nextRows(serving, { pseudonyms, only }, pages);
  return what === "items" ? itemRows(serving, clock, pages) : popularRows(serving, clock, pages);
}

/**
 * Rows change all the time: each is of the moment when it is read. A run that was cut off goes on after the last learner, item
 * or scope that was saved, whose rows are all there; one that is new and would have stood before it is left out.
 */
async function writeRows(
  deps: ExportDeps,
  input: ExportInput,
  run: ReplayRun,
  { writer, pseudonyms }: Writing,
): Promise<Written> {
  const { pageSize, between } = deps.pace ?? paceOfRows;
  const resumed = run.resumeFrom as SavedRows | null;
  let saved = resumed?.rows ?? 0;
  let written = saved;
  const pages = { after: resumed?.after ?? null, pageSize };
  for await (const { rows, upTo, done, total } of readModelRows(deps, input, await deps.serving(), pseudonyms, pages)) {
    run.signal.throwIfAborted();
    for (let at = 0; at < rows.length; ) {
      const some = rows.slice(at, at + writer.room());
      await writer.write(some);
      at += some.length;
    }
    written += rows.length;
    if (written - saved >= between) {
      await writer.cut();
      await run.checkpoint({ after: upTo, rows: written, table: writer.state() } satisfies SavedRows);
      saved = written;
    }
    run.progress(done, total);
  }
  return { rows: written, position: null };
}
