import type { JobQueue } from "../../ports/job-queue.ts";
import { createLifecycle } from "../lifecycle.ts";
import { silentLogger } from "../observability/logging.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, count, printResult, tableLines } from "./io.ts";
import { examples } from "./options.ts";

export const addJobs: AddCommand = (program, context) => {
  const jobs = program.command("jobs").description("background jobs of the deployment (JOBS_REDIS_URL)");
  jobs
    .command("list")
    .description("how many wait and run, and which failed")
    .option("--json", "print JSON")
    .action((options: { json?: boolean }) => list(context, options.json === true));
  jobs
    .command("retry")
    .description("do a failed job again")
    .argument("<id>", "as `jobs list` shows it")
    .option("--json", "print JSON")
    .addHelpText("after", examples("proximal jobs retry 17"))
    .action((id: string, options: { json?: boolean }) => retry(context, id, options.json === true));
};

const failedShown = 50;

function list(context: CommandContext, json: boolean): Promise<void> {
  return withJobs(context, async (jobs) => {
    const [counts, failed] = await Promise.all([jobs.counts(), jobs.failed(failedShown)]);
    printResult(context.io, json, { counts, failed }, () => [
      `${count(counts.waiting)} wait, ${count(counts.active)} run, ${count(counts.delayed)} are for later, ${count(counts.failed)} failed`,
      ...(failed.length === 0
        ? []
        : tableLines(
            ["id", "job", "failed", "attempts", "why"],
            failed.map((one) => [one.id, one.name, one.failedAt.slice(0, 19), one.attempts, one.error.slice(0, 100)]),
          )),
    ]);
  });
}

function retry(context: CommandContext, id: string, json: boolean): Promise<void> {
  return withJobs(context, async (jobs) => {
    if (!(await jobs.retry(id))) throw new CommandFailure(`no failed job has the id ${id}: \`proximal jobs list\``);
    printResult(context.io, json, { id, queued: true }, () => [`queued again: ${id}`]);
  });
}

async function withJobs(context: CommandContext, work: (jobs: JobQueue) => Promise<void>): Promise<void> {
  const config = context.config();
  if (config.jobsRedisUrl === undefined) {
    throw new CommandFailure("without JOBS_REDIS_URL the jobs are in the memory of the server: its log tells of them");
  }
  // The engines are heavy to load; `--help` does without.
  const [{ jobsQueue, openJobs }, { noPatience }] = await Promise.all([
    import("../compose-stream.ts"),
    import("../wait-for-engine.ts"),
  ]);
  const log = silentLogger();
  const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
  try {
    await work(await openJobs(config, jobsQueue(config), life, log, noPatience));
  } finally {
    await life.stop();
  }
}
