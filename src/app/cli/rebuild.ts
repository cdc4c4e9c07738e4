import { setTimeout as sleep } from "node:timers/promises";
import { type RebuildReport, rebuildableNames, reportOf } from "../../workers/projector-operations.ts";
import type { ApiClient } from "../api-client.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, count, printResult, usageFailure } from "./io.ts";
import { type OpsOptions, withOperator } from "./ops-client.ts";
import { examples } from "./options.ts";
import { startProgress } from "./progress.ts";

type RebuildCommandOptions = OpsOptions & { readonly wait: boolean; readonly rollback?: boolean };

export const addRebuild: AddCommand = (program, context) => {
  program
    .command("rebuild")
    .description("make read models again from the log, beside the live ones, then switch; queries go on meanwhile")
    .argument("<name>", "which; a wrong one lists those there are")
    .option("--rollback", "go back to the rows before the last switch, brought up to date first")
    .option("--no-wait", "return when it has started; only where a server does it")
    .option("--url <url>", "have this server do it; without REDIS_URL the one at HOST and PORT does, else this process")
    .option("--key <key>", "an operator's key; one is made for ten minutes when left out")
    .option("--json", "print JSON")
    .addHelpText("after", examples("proximal rebuild learners", "proximal rebuild learners --rollback"))
    .action((name: string, options: RebuildCommandOptions) => rebuild(context, name, options));
};

/** Rows in the memory of a server are rebuilt there; those in Redis by this process, so that the servers' time is theirs. */
async function rebuild(context: CommandContext, name: string, options: RebuildCommandOptions): Promise<void> {
  const { redisUrl, serverUrl } = context.config({ PROXIMAL_URL: options.url });
  const here = redisUrl !== undefined && serverUrl === undefined;
  const report = here ? await inThisProcess(context, name, options) : await onServer(context, name, options);
  printResult(context.io, options.json === true, report, () => sentencesOf(report, options.rollback === true));
  if (report.status === "failed")
    throw new CommandFailure(`rebuild of ${name} failed: ${report.error ?? "no reason given"}`);
}

async function inThisProcess(
  { io, config }: CommandContext,
  name: string,
  { rollback = false, wait }: RebuildCommandOptions,
): Promise<RebuildReport> {
  if (!(rebuildableNames as readonly string[]).includes(name)) {
    throw usageFailure(`nothing is called ${name}; there are ${rebuildableNames.join(", ")}`);
  }
  if (!wait) throw usageFailure("--no-wait is for a rebuild that a server does: give its --url");
  // The engines are heavy to load; `--help` does without.
  const [{ rebuildHere }, { createLogger }] = await Promise.all([
    import("../rebuild-here.ts"),
    import("../observability/logging.ts"),
  ]);
  const startedAt = new Date().toISOString();
  const given = config();
  let progress: ReturnType<typeof startProgress> | null = null;
  try {
    const rebuilt = await rebuildHere({
      ...{
        config: given,
        name,
        rollback,
        signal: io.signal,
        log: createLogger({ ...given, logLevel: "error" }, process.stderr),
      },
      onProgress({ position, head }) {
        progress ??= startProgress(io, "positions", head);
        progress.update(position);
      },
    });
    const finishedAt = new Date().toISOString();
    return { name, status: "done", startedAt, finishedAt, error: null, ...reportOf(rebuilt) };
  } catch (error) {
    if (io.signal.aborted) throw new CommandFailure("stopped: the rows before stay in use");
    throw error;
  } finally {
    (progress as ReturnType<typeof startProgress> | null)?.stop();
  }
}

function onServer(
  context: CommandContext,
  name: string,
  { rollback = false, wait, ...options }: RebuildCommandOptions,
): Promise<RebuildReport> {
  return withOperator(context, options, async (api) => {
    const path = `/v1/ops/rebuild/${encodeURIComponent(name)}`;
    const started = (await api.post(rollback ? `${path}?rollback=true` : path)) as RebuildReport;
    return wait ? finished(context, api, path, started) : started;
  });
}

async function finished({ io }: CommandContext, api: ApiClient, path: string, started: RebuildReport) {
  const { head } = (await api.get("/v1/ops/lag")) as { head: number };
  const progress = startProgress(io, "positions", head);
  try {
    let report = started;
    while (report.status === "waiting" || report.status === "running") {
      await sleep(300, undefined, { signal: io.signal });
      report = (await api.get(path)) as RebuildReport;
      progress.update(report.position);
    }
    return report;
  } finally {
    progress.stop();
  }
}

function sentencesOf(report: RebuildReport, rollback: boolean): string[] {
  const { name, status, events, position, identical, different, differing, behind } = report;
  if (status === "waiting") return [`${name}: waits for a process that takes it up`];
  if (status === "running") return [`${name}: runs, at position ${count(position)}`];
  const what = rollback ? "rolled back, caught up with" : `${status},`;
  const same =
    identical === null
      ? ""
      : identical
        ? "; equal to what was live"
        : different === 0
          ? "; equal to what was live as far as that was"
          : "; not equal to what was live, which it replaces";
  const lines = [`${name}: ${what} ${count(events)} events, up to position ${count(position)}${same}`];
  if (different > 0)
    lines.push(`${count(different)} rows differed: ${differing.join(" ")}${different > differing.length ? " …" : ""}`);
  if (behind > 0) lines.push(`${count(behind)} live rows waited for their projector and were not compared`);
  return lines;
}
