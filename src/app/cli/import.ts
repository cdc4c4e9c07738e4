import { type Command, Option } from "commander";
import type { AddCommand } from "./context.ts";
import type { CatalogueKind } from "./import/publish-rows.ts";
import { type ImportCaseOptions, importCase } from "./import-case.ts";
import { type ImportCatalogueOptions, importCatalogue } from "./import-catalogue.ts";
import { type ImportInteractionsOptions, importInteractions } from "./import-interactions.ts";
import { type ImportQtiOptions, importQti } from "./import-qti.ts";
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
  withFormat(importing.command("interactions"))
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
    catalogueOptions(withFormat(importing.command(kind)))
      .description(about)
      .addHelpText("after", examples(...example))
      .action((file: string, options: ImportCatalogueOptions) => importCatalogue(context, kind, file, options));
  });
  addQti(importing, context);
  addCase(importing, context);
};

const addQti: AddCommand = (importing, context) => {
  catalogueOptions(common(importing.command("qti")))
    .description("publish the items of a QTI 3 or 2.x package (.zip or folder), or of one item file")
    .addOption(
      new Option("--unknown-skills <what>", "an item that links to a skill the catalogue does not know")
        .choices(["refuse", "ignore", "define"])
        .default("refuse"),
    )
    .option("--id-prefix <text>", "before the identifiers of items", "")
    .option("--content-base <uri>", "before the path of an item's file, to make its contentUri", "")
    .option("--kind <kind>", "the kind of all items", "exercise")
    .addHelpText("after", "\nWhat becomes of which element: docs/import.md.\n")
    .addHelpText("after", examples("proximal import qti course.zip --dry-run", "proximal import qti course.zip"))
    .action((path: string, options: ImportQtiOptions) => importQti(context, path, options));
};

const addCase: AddCommand = (importing, context) => {
  catalogueOptions(common(importing.command("case")))
    .description("define the skills of a CASE competency framework (a CFPackage as JSON; - for standard input)")
    .addOption(
      new Option("--skill-id <from>", "the id of a skill: its CASE identifier, or its human coding scheme")
        .choices(["identifier", "code"])
        .default("identifier"),
    )
    .addHelpText("after", "\nWhat becomes of which element: docs/import.md.\n")
    .addHelpText("after", examples("proximal import case framework.json --skill-id code"))
    .action((path: string, options: ImportCaseOptions) => importCase(context, path, options));
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

function withFormat(command: Command): Command {
  return common(command).addOption(
    new Option("--format <format>", "by its name when left out").choices(["csv", "tsv", "ndjson", "json"]),
  );
}

/** Of imports that make the catalogue stand as a file says. */
function catalogueOptions(command: Command): Command {
  return command
    .option("--dry-run", "store nothing, and list what would change")
    .option("--source <id>", "whose entries these are; what the file says of itself when left out")
    .option("--retire-missing", "retire what the same source had before and the file has no more");
}

function common(command: Command): Command {
  return command
    .argument("<file>")
    .option("--refused <file>", "write every refused line and why to this file, as NDJSON")
    .option("--json", "print the summary as JSON");
}
