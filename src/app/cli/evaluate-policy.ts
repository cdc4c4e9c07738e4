import { type Command, Option } from "commander";
import { fieldProblems, summaryOf } from "../../commands/refusal.ts";
import { learnerModels } from "../../domain/learner-model/models.ts";
import type { PolicyEvaluationInput } from "../../queries/evaluate-policy/policy-evaluation-kind.ts";
import type { RewardName } from "../../queries/evaluate-policy/rewards.ts";
import { silentLogger } from "../observability/logging.ts";
import type { CommandContext } from "./context.ts";
import { CommandFailure, printResult, tableLines, usageFailure } from "./io.ts";
import { examples, jsonFile } from "./options.ts";
import { startProgress } from "./progress.ts";
import { withEngines } from "./with-engines.ts";

interface Options {
  readonly track: string;
  readonly policy: string;
  readonly from?: string;
  readonly to?: string;
  readonly reward: RewardName;
  readonly json?: boolean;
}

const help = `
The file holds the settings in which the policy differs from the track's: {"targetSuccess": 0.7}.
Needs ItemsServed events (PROXIMAL_SERVED_SAMPLE) and answers that name the list they follow from (selectionId).
success: right answers. learning: growth of estimated mastery. docs/experiments.md says what the estimates are.
`;

export function addEvaluatePolicy(evaluate: Command, context: CommandContext): void {
  evaluate
    .command("policy")
    .description("what another policy would have brought, from the lists that were given out")
    .requiredOption("--track <id>", "whose lists")
    .requiredOption("--policy <file>", "JSON: what the other policy has otherwise")
    .option("--from <time>", "lists given out after this time or position of the log")
    .option("--to <time>", "lists given out, and answers, up to this time or position")
    .addOption(new Option("--reward <reward>", "what counts").choices(["success", "learning"]).default("success"))
    .option("--json", "print JSON")
    .addHelpText("after", help)
    .addHelpText("after", examples("proximal evaluate policy --track algebra --policy harder.json"))
    .action((_: unknown, command: Command) => run(context, command.optsWithGlobals()));
}

async function run(context: CommandContext, options: Options): Promise<void> {
  const { evaluatePolicy } = await import("../../queries/evaluate-policy/evaluate-policy.ts");
  const { questionOf } = await import("../../queries/evaluate-policy/policy-evaluation-kind.ts");
  const { estimatesTable, evaluationJson, evidenceLines } = await import("../../queries/evaluate-policy/report.ts");
  const { ReplayRefused } = await import("../../queries/replays/replay-kind.ts");
  const { NoSuchPlace } = await import("../../queries/time-travel/place.ts");
  const input = await readInput(options);
  const { io } = context;
  const progress = startProgress(io, "events", null);
  try {
    const evaluation = await withEngines(context, async ({ analysts, blobs }, config) => {
      const model = learnerModels[config.model];
      const deps = { feed: analysts, store: analysts, blobs, model, log: silentLogger() };
      const question = await questionOf(deps, { now: Date.now }, input);
      return evaluatePolicy(deps, { ...question, signal: io.signal, onProgress: progress.update });
    });
    const { header, rows } = estimatesTable(evaluation);
    printResult(io, options.json === true, evaluationJson(evaluation), () => [
      ...evidenceLines(evaluation),
      "",
      ...tableLines(header, rows),
      ...(evaluation.warnings.length > 0 ? [""] : []),
      ...evaluation.warnings.map((warning) => `warning: ${warning}`),
    ]);
  } catch (error) {
    if (io.signal.aborted) throw new CommandFailure("stopped");
    if (error instanceof ReplayRefused) throw new CommandFailure(error.message);
    if (error instanceof NoSuchPlace) throw usageFailure(`--from, --to: ${error.message}`);
    throw error;
  } finally {
    progress.stop();
  }
}

async function readInput({ policy: file, track, from, to, reward }: Options): Promise<PolicyEvaluationInput> {
  const { policyEvaluationInputSchema } = await import("../../queries/evaluate-policy/policy-evaluation-kind.ts");
  const policy = await jsonFile("--policy", file);
  const parsed = policyEvaluationInputSchema.safeParse({ track, policy, from, to, reward });
  if (!parsed.success) throw usageFailure(`evaluate policy: ${summaryOf(fieldProblems(parsed.error.issues))}`);
  return parsed.data;
}
