import { Kafka, logLevel } from "kafkajs";
import { describe, expect, onTestFinished, test } from "vitest";
import { newPlace, run, serve } from "../e2e/proximal.ts";
import { privatePostgres, privateRedis } from "../support/engines.ts";
import { privateKafka } from "../support/kafka.ts";
import { query } from "../support/postgres-backup.ts";
import { answers, rowsAreThoseOfTheLog, scoresOf, teach } from "./school.ts";

const postgres = await privatePostgres({ settings: { shared_buffers: "64MB" } });
const redis = postgres === null ? null : await privateRedis({ settings: { "maxmemory-policy": "noeviction" } });
const kafka = redis === null ? null : await privateKafka();

const topic = "proximal.events";
const group = `${topic}.projector`;
/** Of somebody else, who reads the topic too. */
const otherGroup = "analysts";

const eventIds = async (url: string): Promise<unknown[]> =>
  (await query(url, "SELECT event_id FROM events ORDER BY position")).map((row) => row.event_id);

async function kafkaAdmin() {
  const admin = new Kafka({ brokers: [kafka?.brokers ?? ""], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  const sum = (offsets: readonly { offset: string }[]) => offsets.reduce((all, { offset }) => all + Number(offset), 0);
  return {
    messages: async () => sum(await admin.fetchTopicOffsets(topic)),
    /** How far a group read, over all partitions; -1 of one that has no place. */
    async readBy(groupId: string): Promise<number> {
      const [of] = await admin.fetchOffsets({ groupId, topics: [topic] });
      const known = of?.partitions.filter(({ offset }) => offset !== "-1") ?? [];
      return known.length === 0 ? -1 : sum(known);
    },
    async readToTheEnd(groupId: string): Promise<void> {
      const ends = await admin.fetchTopicOffsets(topic);
      await admin.setOffsets({
        groupId,
        topic,
        partitions: ends.map(({ partition, high }) => ({ partition, offset: high })),
      });
    },
  };
}

describe.skipIf(kafka === null)("a deployment with Kafka, whose log was put back to an older state", () => {
  test("topic, offsets and rows know what never happened: it does not start before they are forgotten, and then is as its log", {
    timeout: 300_000,
  }, async () => {
    const before = (await postgres?.createDatabase()) ?? "";
    const place = (url: string) =>
      newPlace({
        ...{ DATABASE_URL: url, REDIS_URL: redis?.url ?? "", KAFKA_BROKERS: kafka?.brokers ?? "" },
        PROXIMAL_PARTITIONS: "2",
      });
    const first = await serve(place(before));
    await teach(first, 0, 60);
    await scoresOf(first);
    expect(await first.end("SIGTERM")).toBe(0);
    const events = await eventIds(before);
    // The backup: the whole database as it stands.
    const restored = new URL(before);
    restored.pathname = "/restored";
    await query(postgres?.url ?? "", `CREATE DATABASE restored TEMPLATE ${new URL(before).pathname.slice(1)}`);

    const lost = await serve(place(before));
    await teach(lost, 60, 60);
    await scoresOf(lost);
    expect(await lost.end("SIGTERM")).toBe(0);
    const admin = await kafkaAdmin();
    const messages = await admin.messages();
    expect(messages).toBeGreaterThan(120);
    expect(await admin.readBy(group)).toBeGreaterThan(60);
    await admin.readToTheEnd(otherGroup);

    const after = place(restored.href);
    await expect(serve(after)).rejects.toThrow("proximal after-restore --yes");
    const told = await run(after, ["after-restore", "--yes", "--json"]);
    expect(told.code, told.stderr).toBe(0);
    expect(JSON.parse(told.stdout)).toMatchObject({ topic, position: events.length });
    // Nobody has a place in a topic that is made anew, whoever read it.
    const second = await serve(after);
    expect(await admin.readBy(otherGroup)).toBe(-1);
    // Other answers take the positions of those that were lost, and one of the lost is posted again.
    expect((await second.post("/v1/interactions", answers(59, 2))).body).toMatchObject({ accepted: 1, duplicates: 1 });
    await teach(second, 1000, 59);
    await scoresOf(second);
    await rowsAreThoseOfTheLog(after, second);
    expect((await eventIds(restored.href)).slice(0, events.length)).toEqual(events);
    expect(await second.end("SIGTERM")).toBe(0);
    // What the topic holds is the log of now, once; and the group has read it.
    expect(await admin.messages()).toBeLessThan(messages * 2);
    expect(await admin.readBy(group)).toBeGreaterThan(60);
  });
});
