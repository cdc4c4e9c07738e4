import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Option } from "commander";
import { modelNames } from "../../domain/learner-model/model-names.ts";
import type { WhatIfInput } from "../../queries/what-if/input.ts";
import type { WhatIfReport } from "../../queries/what-if/report.ts";
import type { Engines } from "../compose.ts";
import type { Config } from "../config.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { printResult, tableLines, usageFailure } from "./io.ts";
import { examples, jsonFile, wholeNumberOf } from "./options.ts";
import { withEngines } from "./with-engines.ts";

interface WhatIfOptions {
  readonly policy?: string;
  readonly model?: string;
  readonly track?: string;
  readonly from?: string;
  readonly to?: string;
  readonly learners?: number;
  readonly seed: string;
  readonly every: number;
  readonly count: number;
  readonly threads?: number;
  readonly html?: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly json?: boolean;
}

const help = `
The policy file holds the fields that change, {"targetSuccess": 0.85, "reviews": {"retention": 0.85}}; all others stay as they
were in each track. After each answer of the slice the list is made as it was and as it would be; due dates and mastery are
compared at its end.
`;

export const addWhatIf: AddCommand = (program, context) => {
  program
    .command("what-if")
    .description("replay what happened through another policy or model: which choices, due dates, mastery calls change")
    .option("--policy <file>", "JSON with the fields of a policy that change")
    .addOption(new Option("--model <model>", "another learner model").choices(modelNames))
    .option("--track <id>", "only choices made in this track")
    .option("--from <time|position>", "choices after it; the first one when left out")
    .option("--to <time|position>", "and up to it; the last one when left out")
    .option("--learners <number>", "a sample of so many", wholeNumberOf(1))
    .option("--seed <text>", "of the sample", "1")
    .option("--every <answers>", "look after each so manieth answer of a learner", wholeNumberOf(1), 1)
    .option("--count <items>", "items of the lists that are compared", wholeNumberOf(1), 10)
    .option("--threads <number>", "as many as cores when left out", wholeNumberOf(1))
    .option("--html <file>", "write the report with plots")
    .option("--out <folder>", "write report.html and learners.csv (every learner) there")
    .option("--resume", "go on with the one of this --out folder where it was stopped")
    .option("--json", "print JSON")
    .addHelpText("after", help)
    .addHelpText(
      "after",
      examples(
        "proximal what-if --policy easier.json --track algebra --html what-if.html",
        "proximal what-if --model elo --from 2026-01-01T00:00:00Z --learners 500 --out what-if",
      ),
    )
    .action((options: WhatIfOptions) => whatIf(context, options));
};

async function whatIf(context: CommandContext, options: WhatIfOptions): Promise<void> {
  if (options.resume === true && options.out === undefined) throw usageFailure("--resume goes with --out");
  const { whatIfInputSchema } = await import("../../queries/what-if/input.ts");
  const policy = options.policy === undefined ? undefined : await jsonFile("--policy", options.policy);
  const { model, track, from, to, learners, seed, every, count } = options;
  const given = { policy, model, track, from, to, learners, seed, every, count };
  const asked = whatIfInputSchema.safeParse(
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
  if (!asked.success) {
    const [issue] = asked.error.issues;
    const [first, ...inner] = issue?.path ?? [];
    const where = inner.length > 0 ? `--${String(first)}: ${inner.join(".")}` : `--${String(first)}`;
    throw usageFailure(`${where}: ${issue?.message}`);
  }
  const report = await withEngines(context, (engines, config) => replay(context, engines, config, asked.data, options));
  await show(context, report, options);
}

async function replay(
  { io }: CommandContext,
  { analysts }: Engines,
  config: Config,
  input: WhatIfInput,
  { out, html, threads, resume = false }: WhatIfOptions,
): Promise<WhatIfReport> {
  const [{ whatIfKind }, { whatIfThreads }, { runHere }, { learnerModels }] = await Promise.all([
    import("../../queries/what-if/what-if.ts"),
    import("../threads/what-if-threads.ts"),
    import("./local-run.ts"),
    import("../../domain/learner-model/models.ts"),
  ]);
  const model = learnerModels[config.model];
  const workers = whatIfThreads(config, threads);
  const kind = whatIfKind({ feed: analysts, model, clock: { now: Date.now }, workers });
  if (out !== undefined) await mkdir(out, { recursive: true });
  const folder = out ?? (await mkdtemp(join(tmpdir(), "proximal-what-if-")));
  try {
    const report = await runHere(io, kind, input, {
      pathOf: (name) => join(folder, name),
      statePath: out === undefined ? null : join(out, "what-if.state"),
      ...{ resume, unit: "positions" },
    });
    if (html !== undefined) await writeFile(html, await readFile(join(folder, "report.html")));
    return report as WhatIfReport;
  } finally {
    if (out === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function show({ io }: CommandContext, report: WhatIfReport, { html, out, json }: WhatIfOptions): Promise<void> {
  const { describeWhatIf, whatIfTables } = await import("../../queries/what-if/report.ts");
  const files = [...(html === undefined ? [] : [html]), ...(out === undefined ? [] : [join(out, "report.html")])];
  printResult(io, json === true, report, () => [
    ...describeWhatIf(report),
    ...whatIfTables(report).flatMap(({ title, head, rows }) => {
      const names = head.map((column) => (typeof column === "string" ? column : column.name));
      return rows.length === 0 ? [] : ["", title, ...tableLines(names, rows).map((line) => `  ${line}`)];
    }),
    ...files.map((file) => `\nreport: ${file}`),
  ]);
}
