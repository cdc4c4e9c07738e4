import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { type Command, Option } from "commander";
import { eventSchemas } from "../../domain/events.ts";
import { streamCategories } from "../../domain/streams.ts";
import type { ExportSummary } from "../../queries/export/export-kind.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { count, usageFailure } from "./io.ts";
import { examples, gathered, wholeNumberOf } from "./options.ts";
import { withEngines } from "./with-engines.ts";

/** What can be exported, and what is said of it; kept short here: the tables themselves are heavy to load. */
const whats = {
  events: "the log: one row for each event",
  scores: "what learners can do: one row for each learner and skill",
  next: "lists of next items: one row for each learner and place",
  items: "items and what answers say of them",
  popular: "what many learners do",
} as const;
type What = keyof typeof whats;
const formats = ["ndjson", "csv", "parquet"] as const;

interface ExportOptions {
  readonly format?: (typeof formats)[number];
  readonly out: string;
  readonly plainIds?: boolean;
  readonly dictionary?: boolean | string;
  readonly resume?: boolean;
  readonly learner?: string[];
  readonly after?: number;
  readonly upTo?: number;
  readonly from?: string;
  readonly to?: string;
  readonly type?: string[];
  readonly category?: string[];
  readonly track?: string[];
}

export const addExport: AddCommand = (program, context) => {
  const exporting = program
    .command("export")
    .description("the log and the read models as NDJSON, CSV or Parquet, with pseudonyms for learners");
  for (const [what, about] of Object.entries(whats) as [What, string][]) {
    const command = exporting
      .command(what)
      .description(about)
      .addOption(new Option("--format <format>", "as the name of the file says; else ndjson").choices(formats))
      .option("--out <file>", "where to; - for stdout", "-")
      .option("--plain-ids", "learners and sessions by their own ids, and free text of clients")
      .option("--resume", "go on with the export of this file where it was stopped")
      .option("--dictionary [file]", "what each column is: printed, or written beside the export (.json or .md)");
    if (["events", "scores", "next"].includes(what)) {
      command.option("--learner <id>", "only these; may be given several times", gathered);
    }
    if (what === "events") addEventOptions(command);
    command.action((options: ExportOptions) => exportTable(context, what, options));
  }
};

function addEventOptions(command: Command): void {
  const several = (name: string, about: string, allowed: readonly string[]) =>
    new Option(name, about).choices(allowed).argParser((value: string, before: readonly string[] | undefined) => {
      if (!allowed.includes(value))
        throw usageFailure(`${name.split(" ")[0]} ${value}: there are ${allowed.join(", ")}`);
      return gathered(value, before);
    });
  command
    .option("--after <position>", "events after this one", wholeNumberOf(0))
    .option("--up-to <position>", "events up to this one; those there are when left out", wholeNumberOf(0))
    .option("--from <time>", "recorded at this time or later, like 2026-03-01T00:00:00Z")
    .option("--to <time>", "recorded before this time")
    .addOption(several("--type <type>", "only these; may be given several times", Object.keys(eventSchemas)))
    .addOption(several("--category <category>", "only these streams; may be given several times", streamCategories))
    .option("--track <id>", "only what names this track; may be given several times", gathered)
    .addHelpText(
      "after",
      examples(
        "proximal export events --out events.parquet",
        "proximal export events --type InteractionRecorded --track algebra --format csv | head",
        "proximal export events --after 120000 --out later.csv",
        "proximal export events --dictionary",
      ),
    );
}

async function exportTable(context: CommandContext, what: What, options: ExportOptions): Promise<void> {
  const { io } = context;
  const { out, dictionary } = options;
  if (dictionary !== undefined) {
    await writeDictionary(context, what, dictionary);
    if (dictionary === true) return;
  }
  const format = options.format ?? formats.find((one) => extname(out) === `.${one}`) ?? "ndjson";
  if (format === "parquet" && out === "-") throw usageFailure("Parquet goes into a file: --out FILE");
  const { exportInput, exportKind } = await import("../../queries/export/export-kind.ts");
  const { learner: learners, type: types, category: categories, track: tracks } = options;
  const { after, upTo, from, to, plainIds } = options;
  const asked = { what, format, plainIds, learners, types, categories, tracks, after, upTo, from, to };
  const input = exportInput.safeParse(asked);
  if (!input.success) {
    const [issue] = input.error.issues;
    throw usageFailure(`${issue?.path.join(".")}: ${issue?.message}`);
  }
  await withEngines(context, async (engines, config) => {
    const [{ replayDeps }, { createLifecycle }, { silentLogger }, { runHere }] = await Promise.all([
      import("../replays/replay-deps.ts"),
      import("../lifecycle.ts"),
      import("../observability/logging.ts"),
      import("./local-run.ts"),
    ]);
    const log = silentLogger();
    const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
    try {
      const summary = (await runHere(io, exportKind(replayDeps(config, engines, life, log)), input.data, {
        pathOf: () => out,
        statePath: out === "-" ? null : `${out}.resume.json`,
        resume: options.resume === true,
        unit: what === "events" ? "positions" : "done",
      })) as ExportSummary | null;
      if (summary !== null) io.stderr.write(`${sentence(summary)}\n`);
    } finally {
      await life.stop();
    }
  });
}

function sentence({ rows, bytes, position, pseudonymised }: ExportSummary): string {
  const ids = pseudonymised ? "ids of learners are pseudonyms" : "ids of learners are their own";
  const later = position === null ? "" : `, up to position ${position} (later: --after ${position})`;
  return `${count(rows)} rows, ${count(bytes)} bytes${later}; ${ids}`;
}

async function writeDictionary({ io }: CommandContext, what: What, file: string | boolean): Promise<void> {
  const { tables } = await import("../../queries/export/tables.ts");
  const { dictionaryJson, dictionaryMarkdown } = await import("../../queries/export/dictionary.ts");
  const asJson = typeof file === "string" && extname(file) === ".json";
  const text = asJson ? `${JSON.stringify(dictionaryJson(tables[what]), null, 2)}\n` : dictionaryMarkdown(tables[what]);
  if (typeof file === "string") await writeFile(file, text);
  else io.stdout.write(text);
}
