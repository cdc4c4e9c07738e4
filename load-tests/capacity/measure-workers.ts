import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kafkaCommand, kafkaFiles } from "../../infra/local/kafka.ts";
import { freePort, startServer } from "../../test/support/servers.ts";
import { answer } from "../bench/course.ts";
import { cpuSeconds, onEnd } from "../bench/processes.ts";
import type { PerOperation } from "./measure-api.ts";
import { familyCpuSeconds } from "./processor-time.ts";
import { metricOf, type RoleProcess, redisInfo, type Stack, startOwnRedis, until } from "./stack.ts";

/** What the roles cost that fold, learn and relay: the time from where they stand to the end of the log. */

export interface CatchUp extends PerOperation {
  readonly events: number;
  /** Commands and bytes of Redis for an event. */
  readonly commands: number;
  readonly bytes: number;
}

/**
 * Lets a role that stands still go on, and measures what it takes for the events in between. A look at the lag counts in the log what
 * is behind, of others that stand still too: it is looked once the process has little to do, and what a look takes is taken off.
 */
export async function measureCatchUp(stack: Stack, role: RoleProcess, events: number): Promise<CatchUp> {
  const names = ["total_commands_processed", "total_net_input_bytes", "total_net_output_bytes"] as const;
  const info = () => Promise.all(names.map((name) => redisInfo(stack.redisClient, name)));
  const [app, engines, before] = [cpuSeconds(role.pid), stack.cpu(), await info()];
  process.kill(role.pid, "SIGCONT");
  let looks = 0;
  await until(600_000, "caught up", async () => {
    await hasLittleToDo(role);
    looks += 1;
    return (await role.lag()) === 0;
  });
  const [appAfter, after, redis] = [cpuSeconds(role.pid), stack.cpu(), await info()];
  await role.lag();
  const look = { app: cpuSeconds(role.pid) - appAfter, postgres: stack.cpu().postgres - after.postgres };
  process.kill(role.pid, "SIGSTOP");
  const per = (at: number): number => ((redis[at] ?? 0) - (before[at] ?? 0)) / events;
  return {
    ...{ events, commands: per(0), bytes: per(1) + per(2) },
    app: (appAfter - app - looks * look.app) / events,
    postgres: (after.postgres - engines.postgres - looks * look.postgres) / events,
    redis: (after.redis - engines.redis) / events,
  };
}

/** Two tenths of a second, one after the other, with less than a fifth of a core; or it is gone. */
async function hasLittleToDo({ pid }: RoleProcess): Promise<void> {
  for (let quiet = 0; quiet < 2; ) {
    const before = cpuSeconds(pid);
    await sleep(100);
    quiet = cpuSeconds(pid) - before >= 0.02 ? 0 : quiet + 1;
  }
}

export interface Steady {
  /** CPU seconds of the projector for a batch, beside what its events take. */
  readonly perBatch: number;
  readonly eventsPerBatch: number;
}

/** Single posts one after the other: batches of the projector are small, and most of what it takes is for the batch. */
export async function measureSteady({
  api,
  projector,
  seconds,
  perEvent,
}: Readonly<Record<"api" | "projector", RoleProcess>> & SteadyOptions): Promise<Steady> {
  process.kill(projector.pid, "SIGCONT");
  await projector.caughtUp();
  const idleFrom = cpuSeconds(projector.pid);
  await sleep(2000);
  const idle = (cpuSeconds(projector.pid) - idleFrom) / 2;
  const batchesSoFar = () => metricOf(projector, "projection_batch_duration_seconds_count", 'projection="learners');
  const [before, cpu, started] = [await batchesSoFar(), cpuSeconds(projector.pid), performance.now()];
  let events = 0;
  for (; performance.now() - started < seconds * 1000; events += 1) {
    await api.request("POST", "/v1/interactions", answer(events % 500, 7000 + events));
  }
  await projector.caughtUp();
  const took = (performance.now() - started) / 1000;
  const used = cpuSeconds(projector.pid) - cpu - idle * took;
  const batches = Math.max(1, (await batchesSoFar()) - before);
  process.kill(projector.pid, "SIGSTOP");
  return { perBatch: Math.max(0, used - events * perEvent) / batches, eventsPerBatch: events / batches };
}

interface SteadyOptions {
  readonly seconds: number;
  /** CPU seconds, as {@link measureCatchUp} found. */
  readonly perEvent: number;
}

export interface Streamed {
  readonly relayed: PerOperation & { readonly kafka: number };
  readonly projected: PerOperation & { readonly kafka: number };
}

/** What is posted while both stand still, through a relay into Kafka, and from there into a Redis; null, with the reason printed, without Kafka. */
export async function measureStream(stack: Stack, api: RoleProcess): Promise<readonly Streamed[] | null> {
  const files = await kafkaFiles();
  if ("missing" in files) {
    console.error(`relay and Kafka are not measured: ${files.missing}`);
    return null;
  }
  const folder = mkdtempSync(join(tmpdir(), "proximal-kafka-"));
  const scratch = join(folder, "scratch");
  mkdirSync(scratch);
  const [port, controllerPort] = [await freePort(), await freePort()];
  const { program, args } = await kafkaCommand({ files, folder, port, controllerPort, heapMb: 512 });
  // What a thread has used is gone with it, and compilers that have nothing to do end.
  const kept = ["-XX:-UseDynamicNumberOfCompilerThreads", ...args];
  const kafka = startServer(program, kept, folder, "SIGTERM", { cwd: folder });
  onEnd(() => kafka.stop());
  const broker = kafka.child.pid ?? 0;
  const settings = { KAFKA_BROKERS: `127.0.0.1:${port}`, PROXIMAL_PARTITIONS: "4", PROXIMAL_START_TIMEOUT_S: "60" };
  const redis = await startOwnRedis();
  const relay = await stack.start("relay", settings);
  const projector = await stack.start("projector", { ...settings, REDIS_URL: redis.url });
  for (const role of [relay, projector]) await role.caughtUp();
  const measured = async (role: RoleProcess) => {
    const before = [familyCpuSeconds(broker), cpuSeconds(redis.pid)] as const;
    const caught = await measureCatchUp(stack, role, streamedEvents);
    const [kafkaCpu, redisCpu] = [familyCpuSeconds(broker) - before[0], cpuSeconds(redis.pid) - before[1]];
    return { ...caught, kafka: kafkaCpu / streamedEvents, redis: redisCpu / streamedEvents };
  };
  const found: Streamed[] = [];
  // Three times: what PostgreSQL does by itself meanwhile (vacuum, a checkpoint) is in one of them at most.
  for (let round = 0; round < 3; round += 1) {
    for (const { pid } of [relay, projector]) process.kill(pid, "SIGSTOP");
    for (let from = 0; from < streamedEvents; from += 500) {
      const batch = Array.from({ length: 500 }, (_, i) =>
        answer((from + i) % 2000, 9000 + round * streamedEvents + from),
      );
      await api.request("POST", "/v1/interactions", batch);
    }
    const relayed = await measured(relay);
    // It stays at work: what it tells of the log's end is how a partition whose last event is older knows that it is there.
    process.kill(relay.pid, "SIGCONT");
    found.push({ relayed, projected: await measured(projector) });
    process.kill(projector.pid, "SIGCONT");
  }
  await Promise.all([projector.stop(), relay.stop()]);
  return found;
}

const streamedEvents = 20_000;
