import { type Kafka, Partitioners, type Producer } from "kafkajs";
import { type StreamMessage, StreamUnavailable } from "../../ports/event-stream.ts";
import type { Log } from "../../ports/log.ts";
import { encodeMessage, type KafkaRecord } from "./messages.ts";
import { within } from "./within.ts";

/** A request is sent when it holds so much, so that no broker's limit on a batch (1 MB) is met. */
const requestBytes = 512 * 1024;
/** A larger event does not go on the topic: its readers are told that it is there, and read it from the log. */
const messageBytesMax = 400 * 1024;

export interface KafkaWriterOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly partitions: number;
  readonly deadlineMs: number;
  readonly log: Log;
}

/**
 * Sends by an idempotent producer, one request in flight, acknowledged by all replicas in sync. After a failure the
 * producer is thrown away: kafkajs has been seen to stay out of step with the broker for ever (its issue 1790).
 */
export function createKafkaWriter({ kafka, topic, partitions, deadlineMs, log }: KafkaWriterOptions) {
  let producer: Promise<Producer> | null = null;

  async function connect(): Promise<Producer> {
    const created = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      // The caller tries again, with what it knows then.
      retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 },
    });
    try {
      await created.connect();
      return created;
    } catch (error) {
      leave(Promise.resolve(created));
      throw error;
    }
  }

  function leave(left: Promise<Producer>): void {
    void left
      .then((one) => within(5_000, "leaving Kafka", one.disconnect()))
      .catch((err: unknown) => log.debug({ err }, "a producer did not leave well"));
  }

  function forget(): void {
    if (producer !== null) leave(producer);
    producer = null;
  }

  async function sendRequest(messages: KafkaRecord[]): Promise<void> {
    producer ??= connect();
    const connected = await producer;
    await connected.send({ topic, acks: -1, timeout: Math.min(deadlineMs, 30_000), messages });
  }

  return {
    async send(messages: readonly StreamMessage[]): Promise<void> {
      try {
        for (const request of requests(messages, partitions, log)) {
          await within(deadlineMs, `sending ${request.length} messages to ${topic}`, sendRequest(request));
        }
      } catch (error) {
        forget();
        const why = error instanceof Error ? error.message : String(error);
        throw new StreamUnavailable(`Kafka took no messages: ${why}`, { cause: error });
      }
    },
    async close(): Promise<void> {
      const last = producer;
      producer = null;
      await last?.then((one) => within(5_000, "leaving Kafka", one.disconnect())).catch(() => undefined);
    },
  };
}

function* requests(messages: readonly StreamMessage[], partitions: number, log: Log): Generator<KafkaRecord[]> {
  let request: KafkaRecord[] = [];
  let bytes = 0;
  for (const message of messages) {
    if (message.partition >= partitions) throw new Error(`there is no partition ${message.partition}`);
    const record = encodeBounded(message, log);
    const size = sizeOf(record);
    if (bytes + size > requestBytes && request.length > 0) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(record);
    bytes += size;
  }
  if (request.length > 0) yield request;
}

function encodeBounded(message: StreamMessage, log: Log): KafkaRecord {
  const record = encodeMessage(message);
  const size = sizeOf(record);
  if (size <= messageBytesMax) return record;
  const { position } = message;
  log.warn({ position, size }, "an event is too large for the topic; its readers read it from the log");
  return encodeMessage({ ...message, prev: position, event: null });
}

/** Close enough: lengths of strings, with room for headers' lengths. */
function sizeOf({ key, value, headers }: KafkaRecord): number {
  let size = 100 + key.length + Buffer.byteLength(value);
  for (const name in headers) size += name.length + (headers[name]?.length ?? 0) + 4;
  return size;
}
