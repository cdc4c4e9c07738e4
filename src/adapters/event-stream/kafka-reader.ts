import { setTimeout as sleep } from "node:timers/promises";
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";
import type { Consumption, StreamConsumer, StreamMessage } from "../../ports/event-stream.ts";
import type { Log } from "../../ports/log.ts";
import { decodeMessage } from "./messages.ts";
import { within } from "./within.ts";

export interface KafkaReaderTimes {
  /** Without a heartbeat for so long a member is out, and its partitions are others'. */
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  /** How long a change of members waits for those who are still at work. */
  readonly rebalanceMs: number;
  /** Without any sign of life from kafkajs for so long its consumer is replaced. */
  readonly silenceMs: number;
  /** How long leaving may take. */
  readonly leaveMs: number;
  /** Between two consumers. */
  readonly restartMs: number;
}

const defaultTimes: KafkaReaderTimes = {
  sessionMs: 15_000,
  heartbeatMs: 2_000,
  rebalanceMs: 30_000,
  silenceMs: 30_000,
  leaveMs: 10_000,
  restartMs: 1_000,
};

export interface KafkaReaderOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly partitions: number;
  readonly group: string;
  readonly log: Log;
  readonly times: Partial<KafkaReaderTimes>;
}

interface Member {
  /** Resolves, with the reason, when this consumer of kafkajs is of no use any more. */
  readonly ended: Promise<string>;
  leave(): Promise<void>;
}

/**
 * Takes part in a consumer group. kafkajs has been seen to stop without an error, to give up after one, and to go round
 * in rebalances; so it is watched, and one that is silent or has ended is replaced by a new one. Nothing depends on its
 * offsets being right: whoever reads too early or too late is put right by positions.
 */
export function createKafkaReader(options: KafkaReaderOptions) {
  const open = new Set<Consumption>();
  return {
    consume(consumer: StreamConsumer): Consumption {
      const closing = new AbortController();
      const done = supervise(options, consumer, closing.signal);
      const consumption: Consumption = {
        async close() {
          closing.abort();
          await done;
          open.delete(consumption);
        },
      };
      open.add(consumption);
      return consumption;
    },
    async close(): Promise<void> {
      await Promise.all(Array.from(open, (one) => one.close()));
    },
  };
}

async function supervise(options: KafkaReaderOptions, consumer: StreamConsumer, closing: AbortSignal): Promise<void> {
  const { log, topic, times } = options;
  const closed = new Promise<string>((resolve) => closing.addEventListener("abort", () => resolve("closed")));
  while (!closing.aborted) {
    const member = join(options, consumer);
    const why = await Promise.race([member.ended, closed]);
    if (!closing.aborted) log.warn({ topic, why }, "the Kafka consumer is replaced");
    await member.leave();
    await consumer
      .assigned([])
      .catch((err: unknown) => log.error({ err }, "partitions could not be given up in good order"));
    if (closing.aborted) return;
    const restartMs = times.restartMs ?? defaultTimes.restartMs;
    await sleep(restartMs, undefined, { signal: closing }).catch(() => undefined);
  }
}

function join(options: KafkaReaderOptions, consumer: StreamConsumer): Member {
  const { kafka, topic, group, log } = options;
  const times = { ...defaultTimes, ...options.times };
  const member = kafka.consumer({
    groupId: group,
    sessionTimeout: times.sessionMs,
    heartbeatInterval: times.heartbeatMs,
    rebalanceTimeout: times.rebalanceMs,
    maxWaitTimeInMs: Math.min(500, times.heartbeatMs),
    maxBytesPerPartition: 2 * 1024 * 1024,
    maxBytes: 16 * 1024 * 1024,
    allowAutoTopicCreation: false,
    // One place decides on new starts: the supervisor.
    retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 2_000, restartOnFailure: async () => false },
  });
  const inHand = new Set<AbortController>();
  let lastSign = performance.now();
  let left = false;
  let end: (why: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  const sign = (): void => {
    lastSign = performance.now();
  };
  /** What it owns, as far as the consumer has taken it in. */
  let settled: Promise<void> = Promise.resolve();
  const { FETCH, HEARTBEAT, GROUP_JOIN, CRASH } = member.events;
  member.on(FETCH, sign);
  member.on(HEARTBEAT, sign);
  member.on(CRASH, ({ payload }) => end(`crashed: ${payload.error.message}`));
  member.on(GROUP_JOIN, ({ payload }) => {
    sign();
    if (left) return;
    const partitions = payload.memberAssignment[topic] ?? [];
    log.info({ topic, partitions }, "partitions assigned");
    settled = settled.then(() => consumer.assigned(partitions));
    settled.catch((error: unknown) => end(`partitions could not be taken: ${String(error)}`));
  });
  const watch = setInterval(() => {
    if (performance.now() - lastSign > times.silenceMs) end(`no sign of life for ${times.silenceMs} ms`);
  }, times.silenceMs / 4);
  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    if (left) throw new Error("this consumer was replaced");
    const { batch, heartbeat, isStale, resolveOffset } = payload;
    const beat = async (): Promise<void> => {
      await heartbeat();
      sign();
    };
    await beating(beat, times.heartbeatMs, settled);
    if (isStale()) return;
    const messages = decoded(batch.partition, batch.messages, log);
    const lost = new AbortController();
    inHand.add(lost);
    try {
      await handling(lost, (signal) => consumer.handle(batch.partition, messages, signal), beat, times.heartbeatMs);
    } finally {
      inHand.delete(lost);
    }
    // kafkajs commits what is resolved right after: after the effect, and not before.
    resolveOffset(batch.lastOffset());
  }
  void run(member, topic, options.partitions, eachBatch).catch((error: unknown) => end(`no start: ${String(error)}`));
  return {
    ended,
    async leave() {
      clearInterval(watch);
      try {
        // It finishes and commits what it has in hand first.
        await within(times.leaveMs, "leaving the group", leaveGroup(member));
      } catch (err) {
        log.warn({ err, topic }, "a Kafka consumer did not leave well");
      }
      left = true;
      for (const lost of inHand) lost.abort(new Error("the consumer has left"));
      await settled.catch(() => undefined);
    },
  };
}

async function run(
  member: Consumer,
  topic: string,
  partitions: number,
  eachBatch: (batch: EachBatchPayload) => Promise<void>,
): Promise<void> {
  await member.connect();
  await member.subscribe({ topics: [topic], fromBeginning: true });
  const options = { autoCommit: true, eachBatchAutoResolve: false, partitionsConsumedConcurrently: partitions };
  await member.run({ ...options, eachBatch });
}

async function leaveGroup(member: Consumer): Promise<void> {
  await member.stop();
  await member.disconnect();
}

/** The group changes, or this consumer is no longer its member: the work ends before anybody else gets the partition. */
async function handling(
  lost: AbortController,
  handle: (signal: AbortSignal) => Promise<void>,
  beat: () => Promise<void>,
  heartbeatMs: number,
): Promise<void> {
  const handled = handle(lost.signal);
  try {
    await beating(beat, heartbeatMs, handled);
  } catch (error) {
    lost.abort(error);
    await handled.catch(() => undefined);
    throw error;
  }
}

/** Waits for the work, telling the group all the while that this member lives; rejects when the group says otherwise. */
async function beating(beat: () => Promise<void>, heartbeatMs: number, work: Promise<void>): Promise<void> {
  const over = new AbortController();
  const stop = (): void => over.abort();
  work.then(stop, stop);
  while (!over.signal.aborted) {
    await sleep(heartbeatMs / 2, undefined, { signal: over.signal }).catch(() => undefined);
    if (!over.signal.aborted) await beat();
  }
  await work;
}

/** What is none of ours is passed over: if something of the log was meant by it, the next message's `prev` will tell. */
function decoded(partition: number, records: readonly KafkaMessage[], log: Log): StreamMessage[] {
  const messages: StreamMessage[] = [];
  for (const record of records) {
    try {
      messages.push(decodeMessage(partition, record));
    } catch (err) {
      log.error({ err, partition, offset: record.offset }, "a record of the topic cannot be read, passed over");
    }
  }
  return messages;
}
