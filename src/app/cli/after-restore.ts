import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { usualLeaseMs } from "../../workers/sole-owner.ts";
import type { Engines } from "../compose.ts";
import type { Config } from "../config.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, count, printResult, usageFailure } from "./io.ts";
import { examples } from "./options.ts";
import { startProgress } from "./progress.ts";
import { withEngines } from "./with-engines.ts";

export const addAfterRestore: AddCommand = (program, context) => {
  program
    .command("after-restore")
    .description("the log was put back from a backup: remove what was made from what it no longer holds")
    .option("--yes", "every process of the deployment is stopped, and the log stands as it shall stay")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `\nRows, checkpoints and the topic of Kafka are removed; all of it comes again from the log. docs/recovery.md\n${examples("proximal after-restore --yes")}`,
    )
    .action((options: { yes?: boolean; json?: boolean }) => afterRestore(context, options));
};

/** Names under which a process that works holds a lease. */
const leasesOf = ({ model, kafkaTopic }: Config): string[] => [`trainer ${model}`, `relay ${kafkaTopic}`];

async function afterRestore(
  context: CommandContext,
  { yes, json = false }: { yes?: boolean; json?: boolean },
): Promise<void> {
  const { io } = context;
  if (yes !== true) {
    throw usageFailure("stop every process of the deployment, then say so: proximal after-restore --yes");
  }
  await withEngines(context, async (engines, config) => {
    await nobodyWorks(engines, config);
    const { forgetDerived } = await import("../../workers/forget-derived.ts");
    const rows = await openRows(config);
    const progress = startProgress(io, "rows removed", null);
    try {
      const forgotten = await forgetDerived({ readModels: rows, blobs: engines.blobs }, progress.update);
      await rm(join(resolve(config.dataFolder), "read-models.snapshot"), { force: true });
      const topic = await removeTopic(config);
      const done = { ...forgotten, topic, position: await engines.feed.head() };
      printResult(io, json, done, () => [
        `removed ${count(done.rows)} rows and ${count(done.checkpoints)} checkpoints${topic === null ? "" : `, and the topic ${topic}`}`,
        `the log ends at position ${count(done.position)}; start the processes: they make all of it from there`,
      ]);
    } finally {
      progress.stop();
      await rows?.close();
    }
  });
}

/** A lease that another holds is a process that still runs, or was killed a moment ago. */
async function nobodyWorks({ lease }: Engines, config: Config): Promise<void> {
  const holder = `after-restore ${process.pid}`;
  for (const name of leasesOf(config)) {
    if ((await lease.take(name, holder, usualLeaseMs)) === null) {
      throw new CommandFailure(
        `a process still works (${name}): stop all of them; one that was killed counts for ten seconds more`,
      );
    }
    await lease.release(name, holder);
  }
}

async function openRows({ redisUrl }: Config) {
  if (redisUrl === undefined) return null;
  const { openRedisReadModels } = await import("../../adapters/read-models/redis.ts");
  return openRedisReadModels({ url: redisUrl });
}

/** Messages of what never happened would be folded as if it had. */
async function removeTopic(config: Config): Promise<string | null> {
  if (config.kafkaBrokers.length === 0) return null;
  const [{ removeTopic: remove }, { kafkaSecurity }, { silentLogger }] = await Promise.all([
    import("../../adapters/event-stream/kafka.ts"),
    import("../compose-stream.ts"),
    import("../observability/logging.ts"),
  ]);
  const { kafkaBrokers: brokers, kafkaTopic: topic } = config;
  await remove({ brokers, topic, security: await kafkaSecurity(config), log: silentLogger() });
  return topic;
}
