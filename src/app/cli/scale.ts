import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type ScaledRole, scaledRoles } from "../../domain/scaling/observation.ts";
import type { ScalingPlan } from "../../queries/scaling/scaling-watch.ts";
import type { ApiClient } from "../api-client.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, printResult, usageFailure } from "./io.ts";
import { type OpsOptions, withOperator } from "./ops-client.ts";
import { durationOf, examples } from "./options.ts";
import { localStack, scaleLocally } from "./scale/local-stack.ts";
import { changesOf, planLines, workerHours } from "./scale/plan-lines.ts";
import { addScaleSimulate } from "./scale/simulate.ts";

interface PlanOptions extends OpsOptions {
  readonly rate: number;
  readonly apply?: "local";
  readonly role?: readonly ScaledRole[];
  readonly folder?: string;
  readonly watch?: boolean;
  readonly every: number;
  readonly prices?: string;
}

export const addScale: AddCommand = (program, context) => {
  const scale = program.command("scale").description("how many workers each role needs, by lag and forecast");
  addPlan(scale, context);
  addScaleSimulate(scale, context);
};

function addPlan(scale: Command, context: CommandContext): void {
  scale
    .command("plan", { isDefault: true })
    .description("workers of each role now and in ten minutes, and why; changes nothing without --apply")
    .option("--rate <factor>", "what if so many times as much came in, like 2x", factorOf, 1)
    .addOption(new Option("--apply <where>", "change what runs: the processes of npm run up").choices(["local"]))
    .addOption(new Option("--role <role...>", "of these roles only").choices(scaledRoles))
    .option("--folder <folder>", "of npm run up; .proximal/up")
    .option("--watch", "again and again, until Ctrl-C; with --apply it scales")
    .option("--every <time>", "between two looks of --watch", durationOf, 15_000)
    .option("--prices <file>", "of a core and a GB for an hour, as JSON; else those of proximal capacity")
    .option("--url <url>", "of the server; HOST and PORT, or the stack's, when left out")
    .option("--key <key>", "an operator's key; one is made for ten minutes, or the stack's taken, when left out")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "proximal scale plan",
        "proximal scale plan --rate 2x",
        "proximal scale plan --apply local --watch --role projector jobs",
        "proximal scale plan --json | jq '.roles[] | {role, desired, why}'",
      ),
    )
    .action((options: PlanOptions) => plan(context, options));
}

async function plan(context: CommandContext, options: PlanOptions): Promise<void> {
  const { rate, apply, watch = false } = options;
  if (apply !== undefined && rate !== 1) throw usageFailure("scale plan: --rate asks what if: it cannot be applied");
  const stack = apply === "local" ? await localStack(options.folder) : null;
  const reach = { ...options, ...(stack && { url: options.url ?? stack.url, key: options.key ?? stack.key }) };
  const hours = await workerHours(options.prices);
  const { io } = context;
  await withOperator(context, reach, async (api) => {
    do {
      const found = ofRoles(await planned(api, rate, io.signal), options.role);
      if (options.json === true && watch) io.stdout.write(`${JSON.stringify(found)}\n`);
      else printResult(io, options.json === true, found, () => planLines(found, hours));
      const changes = changesOf(found);
      if (stack !== null && changes.length > 0) await scaleLocally(io, stack, changes);
      else if (changes.length > 0 && rate === 1 && options.json !== true)
        io.stdout.write(`nothing was changed; --apply local does: npm run scale -- ${changes.join(" ")}\n`);
      if (!watch) return;
      await sleep(options.every, undefined, { signal: io.signal }).catch(() => undefined);
    } while (!io.signal.aborted);
  });
}

const ofRoles = (plan: ScalingPlan, roles: readonly ScaledRole[] | undefined): ScalingPlan =>
  roles === undefined ? plan : { ...plan, roles: plan.roles.filter(({ role }) => roles.includes(role)) };

/** Rates take two looks: a server that nobody has asked yet is asked again. */
async function planned(api: ApiClient, rate: number, signal: AbortSignal): Promise<ScalingPlan> {
  for (let asked = 0; ; asked += 1) {
    const found = (await api.get(`/v1/ops/scaling?rate=${rate}`)) as ScalingPlan;
    if (found.roles.some(({ role }) => role === "projector")) return found;
    if (asked === 3 || found.unreadable.includes("lag"))
      throw new CommandFailure(
        `the server cannot tell how far projections are (${found.unreadable.join(", ")}): proximal lag`,
      );
    await sleep(2_100, undefined, { signal });
  }
}

function factorOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)x?$/.exec(text);
  if (match === null || Number(match[1]) > 1000) throw new InvalidArgumentError("a factor up to 1000, like 2x");
  return Number(match[1]);
}
