import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Argument } from "commander";
import { ReplayRefused } from "../../queries/replays/replay-kind.ts";
import { makeReport, reportCsv, reportHtml } from "../../queries/reports/make-report.ts";
import type { ReportDocument } from "../../queries/reports/report-document.ts";
import { type ReportName, reportInputSchema, reportNames } from "../../queries/reports/report-input.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, type Io, tableLines, usageFailure, writeText } from "./io.ts";
import { examples, wholeNumberOf } from "./options.ts";
import { startProgress } from "./progress.ts";
import { withEngines } from "./with-engines.ts";

interface ReportOptions {
  readonly track?: string;
  readonly skill?: string;
  readonly from?: string;
  readonly to?: string;
  readonly inactiveDays: number;
  readonly learners?: boolean;
  readonly html?: string;
  readonly plots?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
}

export const addReport: AddCommand = (program, context) => {
  program
    .command("report")
    .description("learning curves, item analysis, funnel and drop-outs, for teachers and authors")
    .addArgument(new Argument("<report>", "which").choices(reportNames))
    .option("--track <id>", "items of this track only, by its policy")
    .option("--skill <id>", "answers to this skill only")
    .option("--from <time>", "count what learners did from then on: 2026-09-01 or 2026-09-01T08:00:00Z")
    .option("--to <time>", "leave out what they did from then on")
    .option("--inactive-days <days>", "a learner who did nothing for so long has stopped", wholeNumberOf(1), 14)
    .option("--learners", "name the learners who stopped or are stuck, by their id")
    .option("--html <file>", "write it as a page, with plots")
    .option("--plots <folder>", "write each plot as an SVG file")
    .option("--json", "print all figures as JSON")
    .option("--csv", "print the whole table as CSV")
    .addHelpText(
      "after",
      examples(
        "proximal report overview --html overview.html",
        "proximal report items --track algebra --csv > items.csv",
        "proximal report drop-outs --from 2026-09-01 --inactive-days 21 --plots plots",
      ),
    )
    .action((name: ReportName, options: ReportOptions) => report(context, name, options));
};

async function report(context: CommandContext, name: ReportName, options: ReportOptions): Promise<void> {
  const { track, skill, from, to, inactiveDays, learners = false, json = false, csv = false } = options;
  if (json && csv) throw usageFailure("report: give --json or --csv, not both");
  const parsed = reportInputSchema.safeParse({
    report: name,
    inactiveDays,
    learners,
    ...(track === undefined ? {} : { trackId: track }),
    ...(skill === undefined ? {} : { skillId: skill }),
    ...(from === undefined ? {} : { from: timeOf("--from", from) }),
    ...(to === undefined ? {} : { to: timeOf("--to", to) }),
  });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw usageFailure(`report: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  const document = await withEngines(context, async ({ feed }, config) => {
    const { learnerModels } = await import("../../domain/learner-model/models.ts");
    const progress = startProgress(context.io, "positions of the log", await feed.head());
    try {
      const onProgress = (done: number): void => progress.update(done);
      const { signal } = context.io;
      return await makeReport({ feed, model: learnerModels[config.model] }, parsed.data, { signal, onProgress });
    } catch (error) {
      if (context.io.signal.aborted) throw new CommandFailure("stopped");
      if (error instanceof ReplayRefused) throw new CommandFailure(`report: ${error.message}`);
      throw error;
    } finally {
      progress.stop();
    }
  });
  await writeFiles(context.io, document, options, track ?? "");
  if (csv) return writeText(context.io.stdout, reportCsv(document));
  if (json) return writeText(context.io.stdout, `${JSON.stringify(document.result, null, 2)}\n`);
  for (const line of linesOf(document)) context.io.stdout.write(`${line}\n`);
}

/** What the files are said to be goes to stderr: stdout is for the result. */
async function writeFiles(io: Io, document: ReportDocument, { html, plots }: ReportOptions, of: string): Promise<void> {
  try {
    if (html !== undefined) {
      await writeFile(html, reportHtml(document, of));
      io.stderr.write(`report: ${html}\n`);
    }
    if (plots === undefined) return;
    await mkdir(plots, { recursive: true });
    for (const { name, svg } of document.plots) await writeFile(join(plots, `${name}.svg`), svg);
    io.stderr.write(`${document.plots.length} plots: ${plots}\n`);
  } catch (error) {
    throw new CommandFailure(`the report cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function linesOf({ title, about, findings, shortTable }: ReportDocument): string[] {
  const cells = shortTable.rows.map((row) => row.map((cell) => cell ?? "–"));
  const found = findings.flatMap(({ what, todo }) => [`  ${what}`, `      ${todo}`]);
  return [
    title,
    `  ${about}`,
    "",
    ...(findings.length === 0 ? ["Nothing stands out."] : ["What to look at first", ...found]),
    ...(cells.length === 0 || title === "Overview" ? [] : ["", ...tableLines(shortTable.columns, cells)]),
  ];
}

/** A day begins at midnight UTC. */
function timeOf(option: string, text: string): string {
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(time.getTime()))
    throw usageFailure(`${option} ${text}: write it like 2026-09-01 or 2026-09-01T08:00:00Z`);
  return time.toISOString();
}
