import { learnerModels } from "../../domain/learner-model/models.ts";
import { silentLogger } from "../observability/logging.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, printResult, tableLines } from "./io.ts";
import { examples } from "./options.ts";
import { startProgress } from "./progress.ts";
import { withEngines } from "./with-engines.ts";

interface Options {
  readonly json?: boolean;
}

export const addExperiments: AddCommand = (program, context) => {
  const experiments = program.command("experiments").description("what is compared on tracks, and what came of it");
  experiments
    .command("list")
    .description("all experiments of the log, running and ended")
    .option("--json", "print JSON")
    .action((options: Options) => list(context, options));
  experiments
    .command("show")
    .description("its arms side by side, each figure with its interval")
    .argument("<id>", "of the experiment")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples("proximal experiments show harder-items", "proximal experiments show harder-items --json"),
    )
    .action((id: string, options: Options) => show(context, id, options));
};

async function list(context: CommandContext, { json = false }: Options): Promise<void> {
  const { experimentsInLog } = await import("../../queries/experiments/experiments-in-log.ts");
  const { experimentsTable } = await import("../../queries/experiments/results-text.ts");
  const experiments = await withEngines(context, ({ feed }) => experimentsInLog(feed));
  printResult(context.io, json, { experiments }, () => {
    if (experiments.length === 0) return ["no track has had an experiment: docs/experiments.md says how to begin one"];
    const { header, rows } = experimentsTable(experiments);
    return tableLines(header, rows);
  });
}

async function show(context: CommandContext, id: string, { json = false }: Options): Promise<void> {
  const { experimentsInLog } = await import("../../queries/experiments/experiments-in-log.ts");
  const { experimentResults } = await import("../../queries/experiments/results.ts");
  const { resultsJson, resultsTable } = await import("../../queries/experiments/results-text.ts");
  const { io } = context;
  const progress = startProgress(io, "events", null);
  try {
    const results = await withEngines(context, async ({ analysts, blobs }, config) => {
      const experiment = (await experimentsInLog(analysts)).find((one) => one.experimentId === id);
      if (experiment === undefined) {
        throw new CommandFailure(`there is no experiment ${id}; \`proximal experiments list\` shows those there are`);
      }
      const model = learnerModels[config.model];
      const deps = { feed: analysts, store: analysts, blobs, model, log: silentLogger() };
      return experimentResults(deps, experiment, { signal: io.signal, onProgress: progress.update });
    });
    const { header, rows } = resultsTable(results);
    printResult(io, json, resultsJson(results), () => [
      `${id} on track ${results.trackId}, ${results.status}, since ${results.startedAt.slice(0, 16)}: ${results.learners} learners`,
      "",
      ...tableLines(header, rows),
      "",
      "One look: holds if you look once, at a number of learners fixed beforehand. At every look: however often you look.",
      ...results.warnings.map((warning) => `warning: ${warning}`),
    ]);
  } catch (error) {
    if (io.signal.aborted) throw new CommandFailure("stopped");
    throw error;
  } finally {
    progress.stop();
  }
}
