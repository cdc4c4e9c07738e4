import type { ParkedLearner } from "../../workers/projector-operations.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { exitCodes, printResult, tableLines, usageFailure } from "./io.ts";
import { type OpsOptions, withOperator } from "./ops-client.ts";
import { examples } from "./options.ts";

export const addParked: AddCommand = (program, context) => {
  const parked = program
    .command("parked")
    .description("learners set aside because an event of theirs cannot be folded");
  const common = (name: string, about: string) =>
    parked
      .command(name)
      .description(about)
      .option("--url <url>", "of the server; HOST and PORT when left out")
      .option("--key <key>", "an operator's key; one is made for ten minutes when left out")
      .option("--json", "print JSON");
  common("list", "who is parked, since when and why").action((options: OpsOptions) => list(context, options));
  common("retry", "fold a parked learner's events again")
    .argument("[learner]", "their id")
    .option("--all", "everyone who is parked")
    .addHelpText("after", examples("proximal parked retry ada", "proximal parked retry --all"))
    .action((id: string | undefined, options: OpsOptions & { all?: boolean }) => retry(context, id, options));
};

interface ParkedReply {
  readonly parked: readonly ParkedLearner[];
}

function list(context: CommandContext, options: OpsOptions): Promise<void> {
  return withOperator(context, options, async (api) => {
    const reply = (await api.get("/v1/ops/parked")) as ParkedReply;
    printResult(context.io, options.json === true, reply, () =>
      reply.parked.length === 0
        ? ["nobody is parked"]
        : tableLines(
            ["learner", "revision", "position", "attempts", "since", "why"],
            reply.parked.map((p) => [p.learnerId, p.revision, p.position, p.attempts, p.at.slice(0, 16), p.error]),
          ),
    );
  });
}

interface RetryReply {
  readonly learnerId: string;
  readonly status: "retried" | "still_failing";
  readonly error: string | null;
}

function retry(context: CommandContext, id: string | undefined, options: OpsOptions & { readonly all?: boolean }) {
  if ((id === undefined) === (options.all !== true)) throw usageFailure("parked retry: give a learner's id, or --all");
  return withOperator(context, options, async (api) => {
    const everyone = async () => ((await api.get("/v1/ops/parked")) as ParkedReply).parked.map((p) => p.learnerId);
    const outcomes: RetryReply[] = [];
    for (const learnerId of id === undefined ? await everyone() : [id]) {
      outcomes.push((await api.post(`/v1/ops/parked/${encodeURIComponent(learnerId)}/retry`)) as RetryReply);
    }
    printResult(context.io, options.json === true, { outcomes }, () =>
      outcomes.length === 0
        ? ["nobody is parked"]
        : outcomes.map((o) =>
            o.status === "retried" ? `${o.learnerId}: folded` : `${o.learnerId}: still fails: ${o.error}`,
          ),
    );
    if (outcomes.some(({ status }) => status === "still_failing")) context.exit(exitCodes.failure);
  });
}
