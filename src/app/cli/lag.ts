import { setTimeout as sleep } from "node:timers/promises";
import type { Lag } from "../../queries/lag.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { printResult, tableLines } from "./io.ts";
import { type OpsOptions, withOperator } from "./ops-client.ts";
import { examples } from "./options.ts";

export const addLag: AddCommand = (program, context) => {
  program
    .command("lag")
    .description("how far each projection of the running server is behind the log")
    .option("--watch", "again each second, until Ctrl-C")
    .option("--url <url>", "of the server; HOST and PORT when left out")
    .option("--key <key>", "an operator's key; one is made for ten minutes when left out")
    .option("--json", "print JSON")
    .addHelpText("after", examples("proximal lag", "proximal lag --watch", "proximal lag --json | jq .head"))
    .action((options: OpsOptions & { watch?: boolean }) => lag(context, options));
};

interface LagReply {
  readonly head: number;
  readonly projections: readonly Lag[];
}

function lag(context: CommandContext, options: OpsOptions & { readonly watch?: boolean }): Promise<void> {
  const { io } = context;
  return withOperator(context, options, async (api) => {
    do {
      const reply = (await api.get("/v1/ops/lag")) as LagReply;
      printResult(io, options.json === true, reply, () => linesOf(reply));
      if (options.watch !== true) return;
      await sleep(1000, undefined, { signal: io.signal }).catch(() => {});
    } while (!io.signal.aborted);
  });
}

function linesOf({ head, projections }: LagReply): string[] {
  const rows = projections.map((p) => [
    p.projection,
    p.partition,
    p.position,
    p.behindEvents,
    Math.round(p.behindSeconds * 10) / 10,
    p.started ? "" : "never started",
  ]);
  return [
    ...tableLines(["projection", "partition", "position", "events behind", "seconds behind", ""], rows),
    `log: ${head}`,
  ];
}
