import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { Option } from "commander";
import { decodeEvent } from "../../domain/decode-event.ts";
import { answerOf, type LoggedAnswer } from "../../domain/learner-model/answer-of.ts";
import { defaultModel, type ModelName, modelNames } from "../../domain/learner-model/model-names.ts";
import type { Feed } from "../../ports/feed.ts";
import type { Protocol } from "../../queries/evaluate-model/model.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { addEvaluatePolicy } from "./evaluate-policy.ts";
import { openSourceFile } from "./import/source-file.ts";
import { CommandFailure, exitCodes, printResult, usageFailure } from "./io.ts";
import { examples, gathered, wholeNumberOf } from "./options.ts";
import { startProgress } from "./progress.ts";
import { withEngines } from "./with-engines.ts";

interface EvaluateOptions {
  readonly fromLog?: boolean;
  readonly model: ModelName;
  readonly protocol: Protocol;
  readonly seed: number;
  readonly snapshotEvery?: number;
  readonly map?: readonly string[];
  readonly delimiter?: string;
  readonly html?: string;
  readonly json?: boolean;
}

const help = `
prequential: predict each answer, then learn it, in the order of the log.
frozen: train on some learners; for the others only their own state moves, not the weights.
published: predict as learners are served, with the weights published last.

CSV columns: user_id, item_id, skill_ids (separated by ;), timestamp, correct, split (train or test, for frozen).
Others: --map column=field with the fields learner, item, skills, time, correct, split. A log without times, learner
by learner, is merged at random (--seed).
`;

export const addEvaluate: AddCommand = (program, context) => {
  const command = program
    .command("evaluate")
    .description("how well a learner model predicts a log of answers, beside published results")
    .argument("[file]", "CSV")
    .option("--from-log", "the answers in the event log, instead of a file")
    .addOption(new Option("--model <model>", "which").choices(modelNames).default(defaultModel))
    .addOption(
      new Option("--protocol <protocol>", "how").choices(["prequential", "frozen", "published"]).default("prequential"),
    )
    .option("--seed <number>", "of the merge and the split", wholeNumberOf(0), 1)
    .option(
      "--snapshot-every <answers>",
      "published: new weights so often, not by the trainer's rule",
      wholeNumberOf(1),
    )
    .option("--map <column=field>", "read a column as a field; may be given several times", gathered)
    .option("--delimiter <character>", "between the columns", ",")
    .option("--html <file>", "write a report with the calibration plot")
    .option("--json", "print JSON")
    .addHelpText("after", help)
    .addHelpText(
      "after",
      examples(
        "proximal evaluate answers.csv",
        "proximal evaluate answers.csv --model elo --protocol frozen --html report.html",
        "proximal evaluate --from-log --protocol published",
      ),
    )
    .action((file: string | undefined, options: EvaluateOptions) => evaluate(context, file, options));
  addEvaluatePolicy(command, context);
};

async function evaluate(context: CommandContext, name: string | undefined, options: EvaluateOptions): Promise<void> {
  if ((name === undefined) === (options.fromLog !== true)) throw usageFailure("evaluate: give a file, or --from-log");
  if (name !== undefined) return evaluateFile(context, name, options);
  return withEngines(context, ({ feed }) =>
    measure(context, "the event log", answersOf(feed, context.io.signal), options),
  );
}

async function evaluateFile(context: CommandContext, name: string, options: EvaluateOptions): Promise<void> {
  const { readCsvAnswers } = await import("../../adapters/answer-log/csv.ts");
  const { AnswerLogError, problemText } = await import("../../adapters/answer-log/problem.ts");
  const file = await openSourceFile(context.io, name, "csv");
  const columns = columnsOf(options.map ?? []);
  let refused = 0;
  const onProblem = (problem: Parameters<typeof problemText>[0]): void => {
    refused += 1;
    if (refused <= 20) context.io.stderr.write(`${file.name}: ${problemText(problem)}; left out\n`);
  };
  try {
    const answers = readCsvAnswers(file.path, { columns, delimiter: options.delimiter ?? ",", onProblem });
    await measure(context, basename(file.name), answers, options);
  } catch (error) {
    if (error instanceof AnswerLogError) throw new CommandFailure(`${file.name}: ${error.message}`);
    throw error;
  } finally {
    await file.close();
  }
  if (refused === 0) return;
  context.io.stderr.write(`${file.name}: ${refused} rows left out\n`);
  context.exit(exitCodes.partlyRefused);
}

async function measure(
  context: CommandContext,
  logName: string,
  answers: AsyncIterable<LoggedAnswer>,
  options: EvaluateOptions,
): Promise<void> {
  const { evaluateModel, NothingToEvaluate } = await import("../../queries/evaluate-model/model.ts");
  const { publishedResults } = await import("../../queries/evaluate-model/published.ts");
  const { renderEvaluationText } = await import("../../queries/evaluate-model/report.ts");
  const { learnerModels } = await import("../../domain/learner-model/models.ts");
  const { protocol, seed, snapshotEvery, html } = options;
  const progress = startProgress(context.io, "answers", null);
  try {
    const result = await evaluateModel({
      answers,
      model: learnerModels[options.model],
      protocol,
      seed,
      cpuMs: threadMs,
      ...(options.fromLog === true ? { order: "as_given" } : {}),
      ...(snapshotEvery === undefined ? {} : { snapshotEveryAnswers: snapshotEvery }),
      onProgress: ({ done }) => {
        if (context.io.signal.aborted) throw new CommandFailure("stopped");
        progress.update(done);
      },
    });
    if (html !== undefined) {
      const { renderEvaluationHtml } = await import("../../queries/evaluate-model/report.ts");
      await writeFile(html, renderEvaluationHtml(result, publishedResults, logName));
    }
    printResult(context.io, options.json === true, { log: logName, ...result }, () => [
      renderEvaluationText(result, publishedResults).trimEnd(),
      ...(html === undefined ? [] : ["", `report: ${html}`]),
    ]);
  } catch (error) {
    if (error instanceof NothingToEvaluate) throw new CommandFailure(`${logName}: ${error.message}`);
    throw error;
  } finally {
    progress.stop();
  }
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The answers of the event log, in its order. An event that cannot be read ends it: figures without it would lie. */
async function* answersOf(feed: Feed, signal: AbortSignal): AsyncGenerator<LoggedAnswer> {
  let position = 0;
  for (let atHead = false; !atHead && !signal.aborted; ) {
    const page = await feed.read(position, 2000, { categories: ["learner"], types: ["InteractionRecorded"] });
    for (const stored of page.events) {
      const event = decodeEvent(stored);
      const answer = event.type === "InteractionRecorded" ? answerOf(event.data) : null;
      if (answer === null || event.type !== "InteractionRecorded") continue;
      yield { ...answer, learnerId: event.data.learnerId, split: null };
    }
    ({ position, atHead } = page);
  }
}

const columnFields = ["learner", "item", "skills", "time", "correct", "split"] as const;

function columnsOf(pairs: readonly string[]): Partial<Record<(typeof columnFields)[number], string>> {
  const columns: Partial<Record<(typeof columnFields)[number], string>> = {};
  for (const pair of pairs) {
    const at = pair.lastIndexOf("=");
    const field = columnFields.find((name) => name === pair.slice(at + 1));
    if (at < 1 || field === undefined) {
      throw usageFailure(`--map ${pair}: write it as column=field; fields are ${columnFields.join(", ")}`);
    }
    columns[field] = pair.slice(0, at);
  }
  return columns;
}
