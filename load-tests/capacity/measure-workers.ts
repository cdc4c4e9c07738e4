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
import { lagEveryMs, type RoleProcess, redisInfo, type Stack, startOwnRedis, until } from "./stack.ts";

/** What the roles cost that fold, learn and relay: the time from where they stand to the end of the log. */

export interface CatchUp extends PerOperation {
  readonly events: number;
  /** Commands and bytes of Redis for an event. */
  readonly commands: number;
  readonly bytes: number;
}

/** Lets a role that stands still go on, and measures what it takes for the events in between. */
export async function measureCatchUp(stack: Stack, role: RoleProcess, events: number): Promise<CatchUp> {
  const names = ["total_commands_processed", "total_net_input_bytes", "total_net_output_bytes"] as const;
  const info = () => Promise.all(names.map((name) => redisInfo(stack.redisClient, name)));
  const [app, engines, before] = [cpuSeconds(role.pid), stack.cpu(), await info()];
  process.kill(role.pid, "SIGCONT");
  await sleep(300);
  await role.caughtUp();
  const [appAfter, after, redis] = [cpuSeconds(role.pid), stack.cpu(), await info()];
  process.kill(role.pid, "SIGSTOP");
  const per = (at: number): number => ((redis[at] ?? 0) - (before[at] ?? 0)) / events;
  return {
    ...{ events, commands: per(0), bytes: per(1) + per(2) },
    app: (appAfter - app) / events,
    postgres: (after.postgres - engines.postgres) / events,
    redis: (after.redis - engines.redis) / events,
  };
}

export interface Steady {
  /** CPU seconds of the projector for a batch, beside what its events take. */
  readonly perBatch: number;
  readonly eventsPerBatch: number;
}

/** Single posts one after the other: batches of the projector are small, and most of what it takes is for the batch. */
export async function measureSteady(
  stack: Stack,
  { api, projector, seconds, perEvent }: Readonly<Record<"api" | "projector", RoleProcess>> & SteadyOptions,
): Promise<Steady> {
  process.kill(projector.pid, "SIGCONT");
  await projector.caughtUp();
  const idleFrom = cpuSeconds(projector.pid);
  await sleep(2000);
  const idle = (cpuSeconds(projector.pid) - idleFrom) / 2;
  const [cpu, rows, started] = [cpuSeconds(projector.pid), await rowsWritten(stack), performance.now()];
  let events = 0;
  for (; performance.now() - started < seconds * 1000; events += 1) {
    await api.request("POST", "/v1/interactions", answer(events % 500, 7000 + events));
  }
  await projector.caughtUp();
  const took = (performance.now() - started) / 1000;
  const used = cpuSeconds(projector.pid) - cpu - idle * took;
  // Beside a row for each event, whose learners differ, a batch writes its counters.
  const batches = Math.max(1, (await rowsWritten(stack)) - rows - events);
  process.kill(projector.pid, "SIGSTOP");
  return { perBatch: Math.max(0, used - events * perEvent) / batches, eventsPerBatch: events / batches };
}

interface SteadyOptions {
  readonly seconds: number;
  /** CPU seconds, as {@link measureCatchUp} found. */
  readonly perEvent: number;
}

/** Rows written so far: each by a call of the one script. */
async function rowsWritten({ redisClient }: Stack): Promise<number> {
  const stats = await redisClient.info("commandstats");
  return Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
}

export interface Streamed {
  readonly relayed: PerOperation & { readonly kafka: number };
  readonly projected: PerOperation & { readonly kafka: number };
}

/** The whole log through a relay into Kafka, and from there into an empty Redis; null, with the reason printed, without Kafka. */
export async function measureStream(stack: Stack): Promise<Streamed | null> {
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
  const kafka = startServer(program, args, folder, "SIGTERM", { cwd: folder });
  onEnd(() => kafka.stop());
  const broker = kafka.child.pid ?? 0;
  const settings = { KAFKA_BROKERS: `127.0.0.1:${port}`, PROXIMAL_PARTITIONS: "4", PROXIMAL_START_TIMEOUT_S: "60" };
  const relay = await stack.start("relay", settings);
  const relayed = await untilAtEnd(stack, relay, broker);
  // It stays: what it tells of the log's end is how a partition whose last event is older knows that it is there.
  const redis = await startOwnRedis();
  const projector = await stack.start("projector", { ...settings, REDIS_URL: redis.url });
  const projected = await untilAtEnd(stack, projector, broker);
  const redisCpu = cpuSeconds(redis.pid);
  await Promise.all([projector.stop(), relay.stop()]);
  return { relayed, projected: { ...projected, redis: redisCpu / projected.events } };
}

/** CPU of a role that has just been started, from its first report to the end of the log. */
async function untilAtEnd(stack: Stack, role: RoleProcess, broker: number) {
  const mark = async () => ({
    app: cpuSeconds(role.pid),
    postgres: stack.cpu().postgres,
    kafka: familyCpuSeconds(broker),
    behind: await role.lag(),
  });
  let first = await mark();
  await until(60_000, "a role reports where it is", async () => {
    first = await mark();
    return Number.isFinite(first.behind);
  });
  await until(600_000, "a role is at the end of the log", async () => (await role.lag()) === 0, lagEveryMs);
  const last = await mark();
  const events = first.behind;
  if (events < 5000) console.error(`only ${events} events were left when the role first said where it is`);
  const per = (from: number, to: number): number => (to - from) / Math.max(1, events);
  return {
    ...{ events, redis: 0 },
    app: per(first.app, last.app),
    postgres: per(first.postgres, last.postgres),
    kafka: per(first.kafka, last.kafka),
  };
}
