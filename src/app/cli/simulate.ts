import { writeFile } from "node:fs/promises";
import { InvalidArgumentError } from "commander";
import type { z } from "zod";
import { simulationSchema } from "../../queries/simulate/simulation.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, printResult, usageFailure } from "./io.ts";
import { examples, wholeNumberOf } from "./options.ts";
import { startProgress } from "./progress.ts";

interface SimulateOptions {
  readonly generators?: readonly string[];
  readonly policies?: readonly string[];
  readonly seeds?: number;
  readonly firstSeed?: number;
  readonly learners?: number;
  readonly skills?: number;
  readonly itemsPerSkill?: number;
  readonly graph?: string;
  readonly budgetPerSkill?: number;
  readonly horizonPerSkill?: number;
  readonly careless?: number;
  readonly absent?: number;
  readonly model?: string;
  readonly policy?: unknown;
  readonly threads?: number;
  readonly html?: string;
  readonly json?: boolean;
}

const help = `
Each seed is a class: learners whose knowledge is known, on a course of their own, who come and go over weeks. Every policy is
given the same classes. The first policy is compared with each of the others; docs/simulation.md says by what.
`;

const { generators, policies, graph, model } = simulationSchema.shape;
const choices = (schema: { readonly unwrap: () => { readonly element: { readonly options: readonly string[] } } }) =>
  schema.unwrap().element.options.join(", ");

export const addSimulate: AddCommand = (program, context) => {
  program
    .command("simulate")
    .description("how well the selection teaches, beside other policies, on simulated learners")
    .option("--generators <names>", `separated by commas: ${choices(generators)}; all`, listed)
    .option("--policies <names>", `the first is compared with the others: ${choices(policies)}; all`, listed)
    .option("--seeds <number>", "classes of each generator; 20", wholeNumberOf(2))
    .option("--first-seed <number>", "the number of the first class; 1", wholeNumberOf(0))
    .option("--learners <number>", "in a class; 20", wholeNumberOf(1))
    .option("--skills <number>", "of the course; 10", wholeNumberOf(1))
    .option("--items-per-skill <number>", "in the bank; 20", wholeNumberOf(1))
    .option("--graph <shape>", `of prerequisites: ${graph.unwrap().options.join(", ")}; chain`)
    .option(
      "--budget-per-skill <number>",
      "items given before knowledge is measured, for each skill; 12",
      wholeNumberOf(1),
    )
    .option(
      "--horizon-per-skill <number>",
      "items after which a learner gives up, for each skill; 40",
      wholeNumberOf(1),
    )
    .option("--careless <share>", "of the learners, 0 to 1; .1", shareOf)
    .option("--absent <share>", "of the learners, 0 to 1; .1", shareOf)
    .option("--model <model>", `learner model: ${model.unwrap().options.join(", ")}`)
    .option("--policy <json>", "the track's policy, like '{\"reviewShare\":0.1}'; the defaults", jsonOf)
    .option("--threads <number>", "at once; as many as there are cores", wholeNumberOf(1))
    .option("--html <file>", "write a report with a plot of each measure")
    .option("--json", "print JSON")
    .addHelpText("after", help)
    .addHelpText(
      "after",
      examples(
        "proximal simulate --html simulation.html",
        "proximal simulate --generators forgetting --policies proximal,random --seeds 50",
        "proximal simulate --policy '{\"targetSuccess\":0.7}' --json > other-target.json",
      ),
    )
    .action((options: SimulateOptions) => simulate(context, options));
};

async function simulate(context: CommandContext, options: SimulateOptions): Promise<void> {
  const { io } = context;
  const { threads, html, json, ...asked } = options;
  const parsed = simulationSchema.safeParse(asked);
  if (!parsed.success) throw usageFailure(`simulate: ${problemOf(parsed.error)}`);
  const simulation = parsed.data;
  const { simulationTasks, summariseTasks } = await import("../../queries/simulate/run-task.ts");
  const { renderSimulationHtml, renderSimulationText } = await import("../../queries/simulate/report.ts");
  const { simulateInThreads } = await import("../threads/simulate-threads.ts");
  const progress = startProgress(io, "runs", simulationTasks(simulation).length);
  const run = { signal: io.signal, onProgress: progress.update, ...(threads === undefined ? {} : { threads }) };
  const results = await simulateInThreads(simulation, run).finally(() => progress.stop());
  const summary = summariseTasks(simulation, results);
  if (io.signal.aborted)
    io.stderr.write(`stopped after ${summary.seeds} of ${simulation.seeds} classes of each kind\n`);
  if (summary.seeds === 0) throw new CommandFailure("stopped before the first class was complete: nothing to tell");
  if (html !== undefined) await writeReport(html, renderSimulationHtml(summary));
  printResult(io, json === true, summary, () => [
    renderSimulationText(summary).trimEnd(),
    ...(html === undefined ? [] : ["", `report: ${html}`]),
  ]);
}

async function writeReport(file: string, page: string): Promise<void> {
  try {
    await writeFile(file, page);
  } catch (error) {
    throw new CommandFailure(`--html ${file}: ${(error as Error).message}`);
  }
}

/** The first thing that is wrong, by the name of its option. */
function problemOf(error: z.ZodError): string {
  const [issue] = error.issues;
  const [name = "", ...inside] = issue?.path ?? [];
  const option = String(name).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const where = inside.filter((part) => typeof part === "string").join(".");
  return `--${option}${where === "" ? "" : ` ${where}`}: ${issue?.message ?? "not understood"}`;
}

const listed = (text: string): string[] => text.split(",").map((name) => name.trim());

function shareOf(text: string): number {
  const value = /^(0|1|0?\.\d+|1\.0+)$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError("a share from 0 to 1");
  return value;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError("it is not JSON");
  }
}
