import { type Command, Option } from "commander";
import type { AddCommand } from "./context.ts";
import { type CatalogueKind, type ImportCatalogueOptions, importCatalogue } from "./import-catalogue.ts";
import { type ImportInteractionsOptions, importInteractions } from "./import-interactions.ts";
import { examples, gathered } from "./options.ts";

const interactionsHelp = `
CSV: the first line names the columns. These names are understood: user_id (or learner_id), item_id, skill_ids
(separated by ;), timestamp (or occurred_at), correct, kind, score, duration_ms, hint_count, session_id, id, seq.
Others: --map column=field, with the fields of POST /v1/interactions. A row is an answer unless a column \`kind\` says
otherwise. NDJSON: each line is the body of a POST, and may add "skillIds".

Again: each row has an id (column id; else from seq; else the number of the row), so a file imported again, or grown
longer, finds its old rows as duplicates. For another log of the same learners give --id-prefix.
Times: seconds or milliseconds since 1970, or ISO 8601. A row without one (empty or 0) is recorded as of now; the
log keeps the order of the file.
Stopped or killed: run it again, it goes on where it was. Exit code 2 says that some rows were refused.
`;

export const addImport: AddCommand = (program, context) => {
  const importing = program.command("import").description("read interactions, items, skills or tracks from a file");
  common(importing.command("interactions"))
    .description("record what learners did, from a CSV or NDJSON file (- for standard input)")
    .option("--map <column=field>", "read a column as a field; may be given several times", gathered)
    .option("--delimiter <character>", "between the columns of a CSV file")
    .option("--skill-separator <text>", "between the skills of a cell", ";")
    .option("--id-prefix <text>", "before the ids made for rows", "")
    .option("--no-catalogue", "do not publish the items and skills that the catalogue does not know")
    .option("--restart", "begin at the first row, also where an earlier run was stopped")
    .addHelpText("after", interactionsHelp)
    .addHelpText(
      "after",
      examples(
        "proximal import interactions answers.csv",
        "proximal import interactions log.csv --map student=learnerId --map exercise=itemId --map ok=correct",
        "zcat answers.ndjson.gz | proximal import interactions - --refused refused.ndjson",
      ),
    )
    .action((file: string, options: ImportInteractionsOptions) => importInteractions(context, file, options));
  catalogueKinds.forEach(({ kind, about, example }) => {
    common(importing.command(kind))
      .description(about)
      .addHelpText("after", examples(...example))
      .action((file: string, options: ImportCatalogueOptions) => importCatalogue(context, kind, file, options));
  });
};

const catalogueKinds: readonly { kind: CatalogueKind; about: string; example: readonly string[] }[] = [
  {
    kind: "items",
    about: "publish items: CSV (item_id, title, skill_ids, kind, difficulty, tags), NDJSON or JSON",
    example: ["proximal import items items.csv", "proximal import items course.json --json"],
  },
  {
    kind: "skills",
    about: "define skills: CSV (skill_id, title, prerequisites like a;b:0.5), NDJSON or JSON",
    example: ["proximal import skills skills.csv"],
  },
  {
    kind: "tracks",
    about: "define tracks: NDJSON or JSON, each the body of POST /v1/tracks",
    example: ["proximal import tracks tracks.ndjson"],
  },
];

function common(command: Command): Command {
  return command
    .argument("<file>")
    .addOption(new Option("--format <format>", "by its name when left out").choices(["csv", "tsv", "ndjson", "json"]))
    .option("--refused <file>", "write every refused line and why to this file, as NDJSON")
    .option("--json", "print the summary as JSON");
}
