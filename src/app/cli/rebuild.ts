import { setTimeout as sleep } from "node:timers/promises";
import type { RebuildReport } from "../../workers/projector-operations.ts";
import type { ApiClient } from "../api-client.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, count, printResult } from "./io.ts";
import { type OpsOptions, withOperator } from "./ops-client.ts";
import { examples } from "./options.ts";
import { startProgress } from "./progress.ts";

export const addRebuild: AddCommand = (program, context) => {
  program
    .command("rebuild")
    .description("make read models again from the log, beside the live ones, then switch; queries go on meanwhile")
    .argument("<name>", "which; a wrong one lists those there are")
    .option("--no-wait", "return when it has started")
    .option("--url <url>", "of the server; HOST and PORT when left out")
    .option("--key <key>", "an operator's key; one is made for ten minutes when left out")
    .option("--json", "print JSON")
    .addHelpText("after", examples("proximal rebuild learners", "proximal rebuild learners --no-wait --json"))
    .action((name: string, options: OpsOptions & { wait: boolean }) => rebuild(context, name, options));
};

function rebuild(
  context: CommandContext,
  name: string,
  options: OpsOptions & { readonly wait: boolean },
): Promise<void> {
  return withOperator(context, options, async (api) => {
    const path = `/v1/ops/rebuild/${encodeURIComponent(name)}`;
    const started = (await api.post(path)) as RebuildReport;
    const report = options.wait ? await finished(context, api, path, started) : started;
    printResult(context.io, options.json === true, report, () => [sentenceOf(report)]);
    if (report.status === "failed")
      throw new CommandFailure(`rebuild of ${name} failed: ${report.error ?? "no reason given"}`);
  });
}

async function finished({ io }: CommandContext, api: ApiClient, path: string, started: RebuildReport) {
  const { head } = (await api.get("/v1/ops/lag")) as { head: number };
  const progress = startProgress(io, "events", head);
  try {
    let report = started;
    while (report.status === "running") {
      await sleep(300, undefined, { signal: io.signal });
      report = (await api.get(path)) as RebuildReport;
      progress.update(report.position);
    }
    return report;
  } finally {
    progress.stop();
  }
}

function sentenceOf({ name, status, events, position, identical }: RebuildReport): string {
  if (status === "running") return `${name}: runs, at position ${count(position)}`;
  const same =
    identical === null
      ? ""
      : identical
        ? "; equal to what was live"
        : "; not equal to what was live, which it replaces";
  return `${name}: ${status}, ${count(events)} events, up to position ${count(position)}${same}`;
}
