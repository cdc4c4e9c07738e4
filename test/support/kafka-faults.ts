import { randomUUID } from "node:crypto";
import { expect, onTestFinished } from "vitest";
import { privateRedis, sharedPostgres } from "./engines.ts";
import { privateKafka } from "./kafka.ts";
import { type KafkaSchool, kafkaSchool } from "./kafka-school.ts";
import type { KafkaServerForTests } from "./kafka-server.ts";
import { type SeededRandom, seededRandom } from "./random.ts";

const seed = Number(process.env.PROXIMAL_SEED ?? 20_260_302);

/** How often something is killed: few by default, more for a long run. */
export const faultRuns = Number(process.env.PROXIMAL_FAULT_RUNS ?? 5);
/** The same for what takes ten seconds each. */
export const slowFaultRuns = Number(process.env.PROXIMAL_FAULT_RUNS ?? 1);
/** Milliseconds for one test. */
export const faultPatience = Math.max(300_000, faultRuns * 30_000);
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export interface KafkaFaults {
  readonly kafka: KafkaServerForTests;
  /** A school of its own on the file's engines; all its processes end with the test. */
  school(): Promise<{ readonly school: KafkaSchool; readonly random: SeededRandom; readonly why: string }>;
}

/** PostgreSQL, Redis and Kafka for a file; null, with a printed reason, where one of them is not here. */
export async function kafkaFaults(): Promise<KafkaFaults | null> {
  const postgres = await sharedPostgres();
  const redis = postgres === null ? null : await privateRedis();
  const kafka = redis === null ? null : await privateKafka();
  if (postgres === null || redis === null || kafka === null) return null;
  let schools = 0;
  return {
    kafka,
    async school() {
      const number = schools;
      schools += 1;
      const opened = await kafkaSchool(
        {
          postgres: await postgres.createDatabase(),
          redis: `${redis.url}/${number % 16}`,
          brokers: kafka.brokers,
          topic: `events-${randomUUID()}`,
          partitions: 6,
        },
        seed + number,
      );
      onTestFinished(() => opened.close());
      return { school: opened, random: seededRandom(seed + number), why: `PROXIMAL_SEED=${seed}` };
    },
  };
}

/** Waits until the rows hold the whole log, and fails unless they are those of a rebuild from it, byte for byte. */
export async function expectRebuilt(school: KafkaSchool, why: string): Promise<void> {
  await school.settled();
  const patience = { timeout: 60_000, interval: 500, message: why };
  await expect.poll(async () => (await school.compare()).differing, patience).toEqual([]);
  const { digests, rows } = await school.compare();
  expect(rows).toBeGreaterThan(30);
  expect(digests[0], why).toBe(digests[1]);
}
