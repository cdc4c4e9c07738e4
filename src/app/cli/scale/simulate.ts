import { setImmediate as nextTurn } from "node:timers/promises";
import { type Command, Option } from "commander";
import { days } from "../../../domain/scaling/days.ts";
import { costsFrom } from "../capacity/files.ts";
import type { CommandContext } from "../context.ts";
import { CommandFailure, printResult } from "../io.ts";
import { examples, wholeNumberOf } from "../options.ts";
import { startProgress } from "../progress.ts";

interface SimulateOptions {
  readonly day?: string;
  readonly seeds: number;
  readonly posts: number;
  readonly partitions: number;
  readonly start: number;
  readonly restart: number;
  readonly costs?: string;
  readonly json?: boolean;
}

export function addScaleSimulate(scale: Command, context: CommandContext): void {
  scale
    .command("simulate")
    .description("simulated days with scaling by lag, and by CPU as Kubernetes does it")
    .addOption(new Option("--day <day>", "one of them; all when left out").choices(days.map(({ name }) => name)))
    .option("--seeds <number>", "days of each kind", wholeNumberOf(1), 1)
    .option("--posts <rate>", "a second, mean of the day", wholeNumberOf(1), 1200)
    .option("--partitions <number>", "and workers at the most", wholeNumberOf(1), 16)
    .option("--start <seconds>", "until a new worker takes part", wholeNumberOf(0), 15)
    .option("--restart <seconds>", "that all partitions stand still at each change", wholeNumberOf(0), 3)
    .option("--costs <file>", "what operations cost; else those of the repository")
    .option("--json", "print JSON")
    .addHelpText("after", examples("proximal scale simulate --day spikes", "proximal scale simulate --seeds 5 --json"))
    .action((options: SimulateOptions) => simulate(context, options));
}

async function simulate({ io }: CommandContext, options: SimulateOptions): Promise<void> {
  const { partitions, posts, seeds, start, restart } = options;
  const costs = await costsFrom(options.costs);
  const { liveWith, policyCases } = await import("../../../domain/scaling/compare-policies.ts");
  const { slowProjectors, policyTable } = await import("../../../queries/scaling/policy-table.ts");
  const projectors = slowProjectors(costs, { partitions, startSeconds: start, restartSeconds: restart });
  const cases = policyCases(partitions);
  const asked = days.filter(({ name }) => options.day === undefined || name === options.day);
  const progress = startProgress(io, "days", asked.length * cases.length * seeds);
  const results: { day: string; policy: string; seed: number; outcome: ReturnType<typeof liveWith> }[] = [];
  try {
    for (const day of asked) {
      for (const one of cases) {
        for (let seed = 1; seed <= seeds; seed += 1) {
          results.push({
            day: day.name,
            policy: one.name,
            seed,
            outcome: liveWith(one, projectors, { day, perSecond: posts, seed }),
          });
          progress.update(results.length);
          await nextTurn();
          if (io.signal.aborted) throw new CommandFailure("stopped");
        }
      }
    }
  } finally {
    progress.stop();
  }
  printResult(io, options.json === true, results, () => policyTable(results));
}
