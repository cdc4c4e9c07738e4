import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { type Rules, rulesSchema, type Workload, workloadSchema } from "../../domain/capacity/workload.ts";
import { costsFrom, defaultPrices, firstProblem, pricesFrom, workloadFrom, writeReport } from "./capacity/files.ts";
import { addCapacitySimulate } from "./capacity/simulate.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, printResult, usageFailure } from "./io.ts";
import { examples, numberOf, wholeNumberOf } from "./options.ts";

interface PlanOptions {
  readonly learners?: number;
  readonly activeShare?: number;
  readonly interactionsPerDay?: number;
  readonly peakInteractions?: number;
  readonly nextPerInteraction?: number;
  readonly peakFactor?: number;
  readonly retentionDays?: number;
  readonly zones?: number;
  readonly log?: Workload["log"];
  readonly utilisation?: number;
  readonly coreSpeed?: number;
  readonly workload?: string;
  readonly prices?: string;
  readonly costs?: string;
  readonly html?: string;
  readonly json?: boolean;
}

export const addCapacity: AddCommand = (program, context) => {
  const capacity = program
    .command("capacity")
    .description("how much of what to run for so many learners, what it costs, and how it behaves under load");
  addPlan(capacity, context);
  addCapacitySimulate(capacity, context);
  capacity
    .command("files")
    .description("write workload.json and prices.json to edit; none that is there is overwritten")
    .option("--folder <folder>", "where", ".")
    .action(({ folder }: { readonly folder: string }) => writeFiles(context, folder));
};

function addPlan(capacity: Command, context: CommandContext): void {
  capacity
    .command("plan", { isDefault: true })
    .description(
      "processes, partitions, memory, disks, network and monthly cost, from measured costs of each operation",
    )
    .option("--learners <number>", "that have rows, active or not; 10000", wholeNumberOf(1))
    .option("--active-share <share>", "of the learners, on a day; .4", numberOf)
    .option("--interactions-per-day <number>", "of an active learner; 30", numberOf)
    .option("--peak-interactions <rate>", "a second at the peak: instead of --interactions-per-day", numberOf)
    .option("--next-per-interaction <number>", "next lists asked for; 1.1", numberOf)
    .option("--peak-factor <number>", "busiest minutes over the mean of the day; 5", numberOf)
    .option("--retention-days <days>", "that events stay in the log's database; 90", numberOf)
    .option("--zones <number>", "that processes are spread over, one of which may go; 3", wholeNumberOf(1))
    .addOption(
      new Option("--log <engine>", "of the event log; postgres").choices(workloadSchema.shape.log.unwrap().options),
    )
    .option("--utilisation <share>", "of a core at the peak, at the most; .6", numberOf)
    .option("--core-speed <number>", "of the fleet's cores over those that were measured; 1", numberOf)
    .option("--workload <file>", "all of that and more as JSON; options win")
    .option("--prices <file>", "as JSON; else assumptions in round numbers")
    .option("--costs <file>", "what operations cost, by load-tests/measure-costs.ts; else those of the repository")
    .option("--html <file>", "write it as a page, with plots")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "proximal capacity --learners 100000",
        "proximal capacity --learners 10000000 --zones 3 --log eventstoredb --html plan.html",
        "proximal capacity files && proximal capacity --workload workload.json --prices prices.json",
        "proximal capacity simulate --posts 500 --spike 5x --outage redis:30s",
      ),
    )
    .action((options: PlanOptions) => plan(context, options));
}

async function plan({ io }: CommandContext, options: PlanOptions): Promise<void> {
  const [costs, prices] = [await costsFrom(options.costs), await pricesFrom(options.prices)];
  const { workload, rules } = await asked(options);
  const { makeCapacityPlan } = await import("../../queries/capacity/capacity-plan.ts");
  const made = makeCapacityPlan(costs, { workload, rules, prices });
  if (options.html !== undefined) {
    const { renderPlanHtml } = await import("../../queries/capacity/plan-page.ts");
    await writeReport(options.html, renderPlanHtml(made));
    io.stderr.write(`report: ${options.html}\n`);
  }
  const { renderPlanText } = await import("../../queries/capacity/plan-text.ts");
  printResult(io, options.json === true, made, () => renderPlanText(made).trimEnd().split("\n"));
}

/** The file, and on it the options. */
async function asked(options: PlanOptions): Promise<{ readonly workload: Workload; readonly rules: Rules }> {
  const file = await workloadFrom(options.workload);
  const { learners, activeShare, interactionsPerDay, nextPerInteraction, peakFactor, retentionDays, zones, log } =
    options;
  const given = {
    learners,
    activeShare,
    interactionsPerDay,
    nextPerInteraction,
    peakFactor,
    retentionDays,
    zones,
    log,
  };
  const workload = workloadSchema.safeParse({ ...file.workload, ...defined(given) });
  if (!workload.success) throw usageFailure(`capacity: ${firstProblem(workload.error)}`);
  const rules = rulesSchema.safeParse({
    ...file.rules,
    ...defined({ utilisationMax: options.utilisation, coreSpeed: options.coreSpeed }),
  });
  if (!rules.success) throw usageFailure(`capacity: ${firstProblem(rules.error)}`);
  const { peakInteractions } = options;
  if (peakInteractions === undefined) return { workload: workload.data, rules: rules.data };
  if (interactionsPerDay !== undefined)
    throw usageFailure("capacity: give --interactions-per-day or --peak-interactions, not both");
  const { learners: all, activeShare: active, peakFactor: peak } = workload.data;
  const perDay = workloadSchema.safeParse({
    ...workload.data,
    interactionsPerDay: (peakInteractions * 86_400) / peak / (all * active),
  });
  if (!perDay.success)
    throw usageFailure(
      `capacity: ${peakInteractions} interactions a second of ${all} learners: ${firstProblem(perDay.error)}`,
    );
  return { workload: perDay.data, rules: rules.data };
}

const defined = (given: object): object =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));

async function writeFiles({ io }: CommandContext, folder: string): Promise<void> {
  const { workload, rules } = await workloadFrom(undefined);
  const files = {
    "workload.json": `${JSON.stringify({ workload, rules }, null, 2)}\n`,
    "prices.json": defaultPrices(),
  };
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (there) throw new CommandFailure(`${path} is there already: remove it, or give another --folder`);
    await writeReport(path, text);
    io.stdout.write(`${path}\n`);
  }
}
