import { CloudEvent, Kafka as CloudEventsKafka } from "cloudevents";
import { Kafka, logLevel } from "kafkajs";
import { describe, expect, onTestFinished, test } from "vitest";
import { privateKafka } from "../../../test/support/kafka.ts";
import { eventStreamContract } from "./event-stream.contract.ts";
import { type KafkaOptions, type KafkaStream, openKafka, removeTopic } from "./kafka.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const times = { sessionMs: 3_000, heartbeatMs: 300, restartMs: 50 };
const kafka = await privateKafka();
let topics = 0;

async function opened(options: Partial<KafkaOptions> = {}): Promise<KafkaStream> {
  topics += 1;
  const brokers = [kafka?.brokers ?? ""];
  return openKafka({ brokers, topic: `topic-${topics}`, partitions: 3, log: silent, times, ...options });
}

if (kafka !== null) {
  eventStreamContract("kafka", async () => {
    const stream = await opened();
    return { stream, close: () => stream.close() };
  });
}

describe.skipIf(kafka === null)("kafka", () => {
  const mark = (partition: number, position: number) => ({ partition, position, prev: position - 1, event: null });

  test("makes the topic with stated partitions and retention, and refuses one of another number", async () => {
    const stream = await opened({ topic: "stated", retentionMs: 3_600_000 });
    onTestFinished(() => stream.close());
    const again = await opened({ topic: "stated", retentionMs: 5 });
    await again.close();
    await expect(opened({ topic: "stated", partitions: 4 })).rejects.toThrow("topic stated has 3 partitions");
    const admin = new Kafka({ brokers: [kafka?.brokers ?? ""], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: "stated", configNames: ["retention.ms", "cleanup.policy"] }],
    });
    const entries = Object.fromEntries(
      resources[0]?.configEntries.map((one) => [one.configName, one.configValue]) ?? [],
    );
    expect(entries).toEqual({ "retention.ms": "3600000", "cleanup.policy": "delete" });
  });

  test("a topic that is removed is gone with what its readers remember: only what is sent later is read", async () => {
    const brokers = [kafka?.brokers ?? ""];
    const read = async (wanted: number): Promise<number[]> => {
      const stream = await opened({ topic: "restored" });
      await stream.send([mark(0, wanted), mark(2, wanted)]);
      const seen: number[] = [];
      const consumption = stream.consume({
        assigned: async () => undefined,
        async handle(_partition, messages) {
          seen.push(...messages.map(({ position }) => position));
        },
      });
      await expect.poll(() => seen.length, { timeout: 30_000 }).toBe(2);
      await consumption.close();
      await stream.close();
      return seen;
    };
    expect(await read(70)).toEqual([70, 70]);
    await removeTopic({ brokers, topic: "restored", log: silent });
    // Again, where there is none: nothing to do.
    await removeTopic({ brokers, topic: "restored", log: silent });
    expect(await read(7)).toEqual([7, 7]);
  });

  test("says which broker cannot be reached", async () => {
    await expect(opened({ brokers: ["127.0.0.1:1"] })).rejects.toThrow("Kafka at 127.0.0.1:1");
  });

  test("its records are CloudEvents 1.0 in the binary binding, with position and trace context", async () => {
    const stream = await opened({ topic: "bound" });
    onTestFinished(() => stream.close());
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const event = {
      eventId: "3f6f5b1e-6f1a-4c59-8e54-0f8b7b6b8b11",
      stream: "learner-anna",
      revision: 4,
      position: 12,
      recordedAt: "2026-03-01T08:00:00.000Z",
      type: "InteractionRecorded",
      data: { learnerId: "anna" },
      metadata: { schemaVersion: 1, traceparent },
    };
    await stream.send([{ partition: 1, position: 12, prev: 7, event }, mark(1, 13)]);
    const consumer = new Kafka({ brokers: [kafka?.brokers ?? ""], logLevel: logLevel.NOTHING }).consumer({
      groupId: "reads-raw",
    });
    onTestFinished(() => consumer.disconnect());
    const records: { headers: Record<string, string>; key: string; value: string }[] = [];
    await consumer.connect();
    await consumer.subscribe({ topics: ["bound"], fromBeginning: true });
    await consumer.run({
      async eachMessage({ message }) {
        const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
        records.push({
          headers: Object.fromEntries(headers),
          key: String(message.key),
          value: String(message.value),
        });
      },
    });
    await expect.poll(() => records.length, { timeout: 30_000 }).toBe(2);
    expect(records[0]?.key).toBe("anna");
    expect(records[0]?.headers).toMatchObject({ position: "12", prev: "7", traceparent });
    const read = records.map((record) => CloudEventsKafka.toEvent({ ...record, body: record.value }));
    for (const one of read) expect(new CloudEvent(one as CloudEvent<unknown>, true).validate()).toBe(true);
    expect(read[0]).toMatchObject({
      ...{ specversion: "1.0", id: event.eventId, type: "proximal.InteractionRecorded", source: "/proximal/log" },
      ...{ subject: "learner-anna", time: event.recordedAt, data: event.data, revision: "4" },
    });
    expect(read[1]).toMatchObject({ type: "proximal.PositionReached", data: { position: 13 } });
  });

  test("goes on through a broker that is killed and comes back: nothing is lost, the watchdog makes a new consumer", async () => {
    const stream = await opened({ deadlineMs: 4_000, times: { ...times, silenceMs: 2_000 } });
    onTestFinished(() => stream.close());
    const seen = new Set<number>();
    const consumption = stream.consume({
      assigned: async () => undefined,
      async handle(_partition, messages) {
        for (const { position } of messages) seen.add(position);
      },
    });
    let position = 0;
    const sendUntilTaken = async (): Promise<void> => {
      position += 1;
      const messages = [mark(0, position), mark(1, position)];
      for (let tries = 0; ; tries += 1) {
        try {
          return await stream.send(messages);
        } catch (error) {
          if (tries > 30) throw error;
        }
      }
    };
    for (let at = 0; at < 20; at += 1) await sendUntilTaken();
    await expect.poll(() => seen.size, { timeout: 30_000 }).toBe(20);
    const restarted = kafka?.restart("SIGKILL");
    for (let at = 0; at < 20; at += 1) await sendUntilTaken();
    await restarted;
    await expect.poll(() => seen.size, { timeout: 60_000 }).toBe(40);
    await expect
      .poll(async () => (await stream.lag()).map(({ messages }) => messages), { timeout: 30_000 })
      .toEqual([0, 0, 0]);
    await consumption.close();
  });

  test("an idle connection does not wake up again and again, and nothing is warned of", async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.name);
    process.on("warning", listen);
    const stream = await opened({ topic: "idle" });
    onTestFinished(() => stream.close());
    await stream.send([mark(0, 1)]);
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const { user, system } = process.cpuUsage(before);
    process.off("warning", listen);
    // kafkajs as it is takes about a hundredth of a core for each connection.
    process.stderr.write(`idle: ${((user + system) / 15_000).toFixed(2)} % of a core\n`);
    expect(warnings).toEqual([]);
  });
});
