import { type Command, InvalidArgumentError } from "commander";
import type { RateProfile, Spike } from "../../../domain/pipeline-simulation/arrivals.ts";
import { type Engine, engines, type Outage, type Scenario } from "../../../domain/pipeline-simulation/model.ts";
import type { CommandContext } from "../context.ts";
import { CommandFailure, printResult, usageFailure } from "../io.ts";
import { durationOf, examples, gathered, numberOf, wholeNumberOf } from "../options.ts";
import { costsFrom, writeReport } from "./files.ts";

interface SimulateOptions {
  readonly posts: number;
  readonly nexts?: number;
  readonly for: number;
  readonly spike?: readonly string[];
  readonly outage?: readonly string[];
  readonly day?: number;
  readonly apiProcesses: number;
  readonly workers: number;
  readonly partitions?: number;
  readonly kafka?: boolean;
  readonly hitShare: number;
  readonly seed: number;
  readonly resolution?: number;
  readonly costs?: string;
  readonly html?: string;
  readonly json?: boolean;
}

const help = `
A spike is FACTORx[:HOW LONG][@FROM WHEN], like 5x or 5x:30s@2m; an outage is ENGINE:HOW LONG[@FROM WHEN], like redis:30s, of
${engines.join(", ")}. Left out: a tenth of the time for a spike, from a third of the time on. Both may be given several times.
What the model leaves out, and how far it was off from a measured run: docs/capacity.md.
`;

export function addCapacitySimulate(capacity: Command, context: CommandContext): void {
  capacity
    .command("simulate")
    .description("the pipeline from POST to visible, event by event: latencies and lag under spikes and outages")
    .option("--posts <rate>", "a second; of one interaction each", numberOf, 100)
    .option("--nexts <rate>", "next lists a second; 1.1 times the posts", numberOf)
    .option("--for <time>", "simulated: 90s, 10m, 1h, 1d", durationOf, 600_000)
    .option("--spike <spike>", "so many times the rate for a while", gathered)
    .option("--outage <outage>", "an engine stands still for a while", gathered)
    .option("--day <factor>", "rates follow a day whose peak is so many times its mean", numberOf)
    .option("--api-processes <number>", "that take requests", wholeNumberOf(1), 1)
    .option("--workers <number>", "projectors", wholeNumberOf(1), 1)
    .option("--partitions <number>", "of the learners; as many as workers", wholeNumberOf(1))
    .option("--kafka", "projectors read from Kafka, through a relay")
    .option("--hit-share <share>", "of the next lists that are in memory", numberOf, 0.5)
    .option("--seed <number>", "the same gives the same", wholeNumberOf(0), 1)
    .option("--resolution <ms>", "arrivals of so many ms are taken together; 0: one by one", wholeNumberOf(0))
    .option("--costs <file>", "what operations cost; else those of the repository")
    .option("--html <file>", "write a page with plots over time")
    .option("--json", "print JSON, with the timeline")
    .addHelpText("after", help)
    .addHelpText(
      "after",
      examples(
        "proximal capacity simulate --posts 300 --spike 5x --outage redis:30s",
        "proximal capacity simulate --posts 2000 --for 1d --day 3 --kafka --workers 4 --partitions 16 --html day.html",
      ),
    )
    .action((options: SimulateOptions) => simulate(context, options));
}

async function simulate({ io }: CommandContext, options: SimulateOptions): Promise<void> {
  const { apiProcesses, workers, kafka = false, hitShare } = options;
  const partitions = options.partitions ?? workers;
  if (hitShare < 0 || hitShare > 1) throw usageFailure("capacity simulate: --hit-share: a share from 0 to 1");
  if (partitions > 256) throw usageFailure("capacity simulate: --partitions: 256 at the most");
  if (workers > partitions)
    throw usageFailure(`capacity simulate: ${workers} workers share ${partitions} partitions: give more --partitions`);
  const scenario = scenarioOf(options);
  const costs = await costsFrom(options.costs);
  const { pipelineModelOf } = await import("../../../domain/pipeline-simulation/model-from-costs.ts");
  const { simulatePipeline } = await import("../../../domain/pipeline-simulation/simulate-pipeline.ts");
  const { renderSimulationHtml, renderSimulationText } = await import("../../../queries/capacity/simulation-text.ts");
  const size = { apiProcesses, partitions, workers, streamed: kafka, memoryHitShare: hitShare };
  const model = pipelineModelOf(costs, size);
  const result = simulatePipeline(model, scenario);
  if (io.signal.aborted) throw new CommandFailure("stopped");
  if (options.html !== undefined) {
    await writeReport(options.html, renderSimulationHtml(scenario, result));
    io.stderr.write(`report: ${options.html}\n`);
  }
  printResult(io, options.json === true, { model, scenario, result }, () =>
    renderSimulationText(scenario, result).trimEnd().split("\n"),
  );
}

function scenarioOf(options: SimulateOptions): Scenario {
  const { posts, nexts = 1.1 * posts, day, seed, resolution } = options;
  const seconds = options.for / 1000;
  if (!(posts >= 0) || !(nexts >= 0)) throw usageFailure("capacity simulate: rates are 0 or more");
  if (day !== undefined && !(day >= 1 && day <= 20))
    throw usageFailure("capacity simulate: --day: from 1 (every hour alike) to 20");
  const spikes = (options.spike ?? []).map((text) => spikeOf(text, seconds));
  const outages = (options.outage ?? []).map((text) => outageOf(text, seconds));
  refuseOverlaps(outages);
  const profile = (perSecond: number): RateProfile => ({
    ...{ perSecond, spikes },
    ...(day === undefined ? {} : { dayPeakFactor: day }),
  });
  return {
    ...{ seconds, seed, outages, posts: profile(posts), nexts: profile(nexts) },
    ...(resolution === undefined ? {} : { resolutionMs: resolution }),
  };
}

function spikeOf(text: string, seconds: number): Spike {
  const match = /^(\d+(?:\.\d+)?)x(?::(\w+))?(?:@(\w+))?$/.exec(text);
  if (match === null) throw usageFailure(`capacity simulate: --spike ${text}: like 5x or 5x:30s@2m`);
  const [, factor, length, from] = match;
  return {
    factor: Number(factor),
    ...intervalOf(`--spike ${text}`, length, from, seconds),
  };
}

function outageOf(text: string, seconds: number): Outage {
  const match = /^(\w+):(\w+)(?:@(\w+))?$/.exec(text);
  const engine = engines.find((each): each is Engine => each === match?.[1]);
  if (match === null || engine === undefined)
    throw usageFailure(`capacity simulate: --outage ${text}: like redis:30s or log:5s@2m; of ${engines.join(", ")}`);
  return { engine, ...intervalOf(`--outage ${text}`, match[2], match[3], seconds) };
}

function intervalOf(option: string, length: string | undefined, from: string | undefined, seconds: number) {
  const inSeconds = (text: string | undefined, usual: number): number => {
    if (text === undefined) return usual;
    try {
      return durationOf(text) / 1000;
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw usageFailure(`capacity simulate: ${option}: ${error.message}`);
      throw error;
    }
  };
  const interval = {
    fromSeconds: inSeconds(from, Math.round(seconds / 3)),
    seconds: inSeconds(length, Math.max(1, Math.round(seconds / 10))),
  };
  if (interval.fromSeconds >= seconds)
    throw usageFailure(`capacity simulate: ${option}: the simulation ends after ${seconds} s`);
  return interval;
}

function refuseOverlaps(outages: readonly Outage[]): void {
  const inOrder = [...outages].sort((a, b) => a.fromSeconds - b.fromSeconds);
  for (const [at, outage] of inOrder.entries()) {
    const after = inOrder.slice(at + 1).find(({ engine }) => engine === outage.engine);
    if (after !== undefined && after.fromSeconds < outage.fromSeconds + outage.seconds)
      throw usageFailure(`capacity simulate: two outages of ${outage.engine} at the same time`);
  }
}
