import { readFile } from "node:fs/promises";
import { guarded } from "../adapters/engines/breaker.ts";
import type { KafkaSecurity, KafkaStream } from "../adapters/event-stream/kafka.ts";
import { createInProcessJobs } from "../adapters/job-queue/in-process.ts";
import type { JobQueue } from "../ports/job-queue.ts";
import type { Log } from "../ports/log.ts";
import { type Breakers, noBreakers } from "./breakers.ts";
import { unavailable } from "./compose.ts";
import { type Config, maskedUrl } from "./config.ts";
import { Explained } from "./explained.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Patience } from "./wait-for-engine.ts";

/** The topic of KAFKA_BROKERS, for who writes it and who reads it. */
export async function openStream(
  config: Config,
  life: Lifecycle,
  log: Log,
  patience: Patience,
  breakers: Breakers,
): Promise<KafkaStream> {
  // Their clients are heavy to load: only who uses one does.
  const { kafkaBrokers: brokers, kafkaTopic: topic, partitions } = config;
  const security = await kafkaSecurity(config);
  const { openKafka } = await import("../adapters/event-stream/kafka.ts");
  const where = `Kafka at ${brokers.join(",")} (KAFKA_BROKERS)`;
  try {
    const opened = await life.acquire(
      "Kafka",
      () => patience.untilOpen(where, () => openKafka({ brokers, security, topic, partitions, log })),
      (stream) => stream.close(),
    );
    return guarded(opened, breakers.before("kafka", "kafka"), ["send"]);
  } catch (error) {
    throw unavailable(where, error);
  }
}

/** What the settings say of connections to Kafka, with the files read. Rejects with an {@link Explained} that names the setting. */
export async function kafkaSecurity(config: Config): Promise<KafkaSecurity> {
  const { kafkaSaslMechanism: mechanism, kafkaSaslUsername: username, kafkaSaslPassword: password } = config;
  const sasl =
    mechanism === undefined || username === undefined || password === undefined
      ? null
      : { mechanism, username, password };
  const [ca, cert, key] = await Promise.all([
    pem("KAFKA_TLS_CA", config.kafkaTlsCa),
    pem("KAFKA_TLS_CERT", config.kafkaTlsCert),
    pem("KAFKA_TLS_KEY", config.kafkaTlsKey),
  ]);
  return {
    ...(config.kafkaTls ? { tls: { ...ca, ...cert, ...key } } : {}),
    ...(sasl === null ? {} : { sasl }),
  };
}

const tlsFields = { KAFKA_TLS_CA: "ca", KAFKA_TLS_CERT: "cert", KAFKA_TLS_KEY: "key" } as const;

async function pem(name: keyof typeof tlsFields, path: string | undefined): Promise<{ [field: string]: string }> {
  if (path === undefined) return {};
  const text = await readFile(path, "utf8").catch((error: Error) => {
    throw new Explained(`${name}: ${error.message}`);
  });
  if (!text.includes("-----BEGIN ")) throw new Explained(`${name}: ${path} is no PEM file`);
  return { [tlsFields[name]]: text };
}

/** One queue of a deployment; jobs of another are other jobs. */
export interface QueueOptions {
  readonly queue: "jobs" | "replays";
  readonly concurrency: number;
  /** How long a stop waits for the jobs in hand before it tells them to end. */
  readonly finishMs: number;
}

/** The short jobs that come by themselves. */
export const jobsQueue = ({ jobsConcurrency, stopTimeoutMs }: Config): QueueOptions => ({
  ...{ queue: "jobs", concurrency: jobsConcurrency },
  // A stop has other parts to stop as well.
  finishMs: stopTimeoutMs / 3,
});

/** Nobody waits for a replay to end: it is told to save where it is, and goes on elsewhere or later. */
export const replaysQueue = ({ replaysConcurrency }: Config): QueueOptions => ({
  ...{ queue: "replays", concurrency: replaysConcurrency, finishMs: 0 },
});

/** BullMQ with JOBS_REDIS_URL, else this process by itself. */
export async function openJobs(
  config: Config,
  { queue, concurrency, finishMs }: QueueOptions,
  life: Lifecycle,
  log: Log,
  patience: Patience,
  breakers: Breakers = noBreakers,
): Promise<JobQueue> {
  const { jobsRedisUrl: url } = config;
  const close = (jobs: JobQueue): Promise<void> => jobs.close();
  if (url === undefined) return life.acquire(queue, () => createInProcessJobs({ log, concurrency, finishMs }), close);
  const { openBullJobs } = await import("../adapters/job-queue/bullmq.ts");
  const where = `the jobs' Redis at ${maskedUrl(url)} (JOBS_REDIS_URL)`;
  try {
    const open = () => openBullJobs({ url, queue, log, concurrency, finishMs });
    const opened = await life.acquire(queue, () => patience.untilOpen(where, open), close);
    return guarded(opened, breakers.before(`jobs redis ${queue}`, "jobs"), ["enqueue", "counts", "failed", "retry"]);
  } catch (error) {
    throw unavailable(where, error);
  }
}
