import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, { Kafka, logLevel, type SASLOptions } from "kafkajs";
import { type StreamReader, StreamUnavailable, type StreamWriter } from "../../ports/event-stream.ts";
import type { Log } from "../../ports/log.ts";
import { createKafkaReader, type KafkaReaderTimes } from "./kafka-reader.ts";
import { createKafkaWriter } from "./kafka-writer.ts";
import { mendProduce } from "./kafkajs-produce.ts";
import { mendTimer } from "./kafkajs-timer.ts";
import { within } from "./within.ts";

export interface KafkaOptions {
  /** host:port of some brokers, from which the client learns of the others. */
  readonly brokers: readonly string[];
  readonly security?: KafkaSecurity;
  readonly topic: string;
  /** Of the topic: as many as the projection has. A topic that has another number is refused. */
  readonly partitions: number;
  /** Copies of each partition, where the topic is made here. Default: the brokers'. */
  readonly replicas?: number;
  /** How long the topic keeps messages, where it is made here. What is older is read from the log. Default 7 days. */
  readonly retentionMs?: number;
  /** Who shares the partitions. Default `<topic>.projector`. */
  readonly group?: string;
  readonly log: Log;
  /** An answer that takes longer counts as none, milliseconds. Default 30 s. */
  readonly deadlineMs?: number;
  readonly times?: Partial<KafkaReaderTimes>;
}

/** How connections to brokers are made. The default: no TLS, and nobody in particular. */
export interface KafkaSecurity {
  /** PEM. Without `ca` Node's own authorities count; `cert` and `key` are shown to brokers that ask. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly sasl?: {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  };
}

export interface KafkaStream extends StreamWriter, StreamReader {
  /** Messages of each partition that the group has not committed yet: what it handled last may be among them. */
  lag(): Promise<{ readonly partition: number; readonly messages: number }[]>;
  close(): Promise<void>;
}

export const retentionMsDefault = 7 * 24 * 3_600_000;

/** Connects, and makes the topic where there is none. Rejects with {@link StreamUnavailable}, saying what is wrong. */
export async function openKafka(options: KafkaOptions): Promise<KafkaStream> {
  const { brokers, topic, partitions, log, deadlineMs = 30_000 } = options;
  const group = groupOf(options);
  const kafka = clientOf(options);
  const admin = kafka.admin();
  try {
    await within(deadlineMs, "connecting to Kafka", admin.connect());
    await ensureTopic(admin, options);
  } catch (error) {
    await admin.disconnect().catch(() => undefined);
    if (error instanceof StreamUnavailable) throw error;
    throw new StreamUnavailable(`Kafka at ${brokers.join(", ")}: ${messageOf(error)}`, { cause: error });
  }
  const writer = createKafkaWriter({ kafka, topic, partitions, deadlineMs, log });
  const reader = createKafkaReader({ kafka, topic, partitions, group, log, times: options.times ?? {} });
  return {
    name: topic,
    partitions,
    send: writer.send,
    consume: reader.consume,
    async lag() {
      const [ends, [committed]] = await within(
        deadlineMs,
        "asking Kafka for offsets",
        Promise.all([admin.fetchTopicOffsets(topic), admin.fetchOffsets({ groupId: group, topics: [topic] })]),
      );
      return ends
        .map(({ partition, high, low }) => {
          const offset = committed?.partitions.find((one) => one.partition === partition)?.offset ?? "-1";
          // -1: nothing was committed yet, and all that is kept is still to come.
          return { partition, messages: Number(high) - Number(offset === "-1" ? low : offset) };
        })
        .sort((a, b) => a.partition - b.partition);
    },
    async close() {
      await Promise.all([reader.close(), writer.close()]);
      await within(5_000, "leaving Kafka", admin.disconnect()).catch(() => undefined);
    },
  };
}

/** How many brokers the cluster of these has; changes nothing. Rejects with {@link StreamUnavailable}. */
export async function askKafka(
  options: Pick<KafkaOptions, "brokers" | "security" | "log" | "deadlineMs">,
): Promise<number> {
  const admin = clientOf(options).admin();
  const ask = async (): Promise<number> => {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length;
  };
  try {
    return await within(options.deadlineMs ?? 30_000, "asking Kafka", ask());
  } catch (error) {
    throw new StreamUnavailable(messageOf(error), { cause: error });
  } finally {
    admin.disconnect().catch(() => undefined);
  }
}

/**
 * Removes the topic, and what its readers remember; nothing where there is none. Resolves once the brokers no longer list it.
 * Rejects with {@link StreamUnavailable}.
 */
export async function removeTopic(
  options: Pick<KafkaOptions, "brokers" | "security" | "log" | "deadlineMs" | "topic" | "group">,
): Promise<void> {
  const { topic, deadlineMs = 30_000 } = options;
  const admin = clientOf(options).admin();
  const group = groupOf(options);
  const until = performance.now() + deadlineMs;
  const remove = async (): Promise<void> => {
    await admin.connect();
    if ((await admin.listTopics()).includes(topic)) await admin.deleteTopics({ topics: [topic] });
    while ((await admin.listTopics()).includes(topic)) {
      if (performance.now() > until) throw new Error(`topic ${topic} is still there`);
      await sleep(100);
    }
    const { groups } = await admin.listGroups();
    if (groups.some(({ groupId }) => groupId === group)) await admin.deleteGroups([group]);
  };
  try {
    await within(deadlineMs, "removing the topic", remove());
  } catch (error) {
    throw new StreamUnavailable(`Kafka at ${options.brokers.join(", ")}: ${messageOf(error)}`, { cause: error });
  } finally {
    admin.disconnect().catch(() => undefined);
  }
}

const groupOf = ({ group, topic }: Pick<KafkaOptions, "group" | "topic">): string => group ?? `${topic}.projector`;

function clientOf({
  brokers,
  security: { tls, sasl } = {},
  log,
  deadlineMs = 30_000,
}: Pick<KafkaOptions, "brokers" | "security" | "log" | "deadlineMs">): Kafka {
  mendTimer();
  mendProduce();
  return new Kafka({
    clientId: "proximal",
    brokers: [...brokers],
    ...(tls === undefined ? {} : { ssl: { ...tls } }),
    ...(sasl === undefined ? {} : { sasl: { ...sasl } as SASLOptions }),
    connectionTimeout: 3_000,
    authenticationTimeout: 5_000,
    requestTimeout: Math.min(deadlineMs, 10_000),
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 4 },
    logCreator: () => kafkaLog(log),
    logLevel: logLevel.WARN,
  });
}

async function ensureTopic(admin: ReturnType<Kafka["admin"]>, options: KafkaOptions): Promise<void> {
  const { topic, partitions, replicas = -1, retentionMs = retentionMsDefault } = options;
  const configEntries = [
    { name: "cleanup.policy", value: "delete" },
    { name: "retention.ms", value: String(retentionMs) },
  ];
  if (!(await admin.listTopics()).includes(topic)) {
    const made = { topic, numPartitions: partitions, replicationFactor: replicas, configEntries };
    // Another process may make it at the same moment.
    await admin.createTopics({ topics: [made], waitForLeaders: true }).catch((error: unknown) => {
      if (!isThere(error)) throw error;
    });
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const found = topics[0]?.partitions.length ?? 0;
  if (found !== partitions) {
    throw new StreamUnavailable(
      `topic ${topic} has ${found} partitions, and PROXIMAL_PARTITIONS is ${partitions}: learners keep their partition, ` +
        `so another number needs another topic (PROXIMAL_KAFKA_TOPIC)`,
    );
  }
}

function isThere(error: unknown): boolean {
  const errors = error instanceof Error && "errors" in error && Array.isArray(error.errors) ? error.errors : [error];
  return errors.every((one) => one instanceof kafkajs.KafkaJSProtocolError && one.type === "TOPIC_ALREADY_EXISTS");
}

const sameAgainMs = 30_000;
const rememberedMax = 200;

/**
 * What kafkajs calls an error it mostly mends by itself; what it does not comes back to the caller as one. A broker that
 * is away makes it say the same ten times a second, and every change of members is an error to it.
 */
function kafkaLog(log: Log): (entry: { label: string; log: { message: string } }) => void {
  const saidAt = new Map<string, number>();
  return ({ label, log: { message, ...fields } }) => {
    const { broker, groupId, error, retryCount } = fields as Record<string, unknown>;
    const told = { broker, groupId, err: error, retryCount };
    const now = performance.now();
    const again = now - (saidAt.get(message) ?? Number.NEGATIVE_INFINITY) < sameAgainMs;
    if (label !== "ERROR" || again || /rebalanc/i.test(String(error))) return log.debug(told, `kafkajs: ${message}`);
    if (saidAt.size >= rememberedMax) saidAt.clear();
    saidAt.set(message, now);
    log.warn(told, `kafkajs: ${message}`);
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
