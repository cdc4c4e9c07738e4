import { randomUUID } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";
import { describe, expect, onTestFinished, test } from "vitest";
import { privateRedis, sharedPostgres } from "../support/engines.ts";
import { privateKafka } from "../support/kafka.ts";
import { type KafkaSchool, kafkaSchool, type Worker } from "../support/kafka-school.ts";
import { type SeededRandom, seededRandom } from "../support/random.ts";

/**
 * Processes are killed, added, taken away and hung, the broker too; afterwards the rows must be those of a rebuild from
 * the log, byte for byte. Each test names the invariant of the design that it tries to break.
 */
const postgres = await sharedPostgres();
const redis = postgres === null ? null : await privateRedis();
const kafka = redis === null ? null : await privateKafka();
const seed = Number(process.env.PROXIMAL_SEED ?? 20_260_302);
const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 5);
const partitions = 6;
const patience = Math.max(120_000, runs * 15_000);
let schools = 0;

async function school(): Promise<{ school: KafkaSchool; random: SeededRandom; why: string }> {
  schools += 1;
  const engines = {
    postgres: (await postgres?.createDatabase()) ?? "",
    redis: `${redis?.url}/${schools % 16}`,
    brokers: kafka?.brokers ?? "",
    topic: `events-${randomUUID()}`,
    partitions,
  };
  const opened = await kafkaSchool(engines, seed + schools);
  onTestFinished(() => opened.close());
  return { school: opened, random: seededRandom(seed + schools), why: `seed ${seed}` };
}

async function expectRebuilt(one: KafkaSchool, why: string): Promise<void> {
  await one.settled();
  await expect
    .poll(async () => (await one.compare()).differing, { timeout: 20_000, interval: 500, message: why })
    .toEqual([]);
  const { digests, rows } = await one.compare();
  expect(rows).toBeGreaterThan(30);
  expect(digests[0], why).toBe(digests[1]);
}

describe.skipIf(kafka === null)(
  "invariants 3 and 4 through Kafka: the rows are those of a rebuild, whatever happens to",
  () => {
    test(
      "workers that are killed under load, again and again",
      async () => {
        const { school: one, random, why } = await school();
        await one.start("relay");
        const workers = [await one.start("projector"), await one.start("projector")];
        for (let kill = 0; kill < runs; kill += 1) {
          const growing = one.grow(20 + random.below(60));
          await pause(random.below(400));
          await workers.splice(random.below(workers.length), 1)[0]?.end("SIGKILL");
          workers.push(await one.start("projector"));
          await growing;
        }
        await expectRebuilt(one, why);
      },
      patience,
    );

    test(
      "workers that are added and taken away in good order under load",
      async () => {
        const { school: one, random, why } = await school();
        await one.start("relay");
        const workers: Worker[] = [await one.start("projector")];
        for (let change = 0; change < Math.min(runs, 20) + 1; change += 1) {
          const growing = one.grow(20 + random.below(60));
          if (workers.length < 2 || (workers.length < 4 && random.chance(0.6)))
            workers.push(await one.start("projector"));
          else await workers.splice(random.below(workers.length), 1)[0]?.end("SIGTERM");
          await growing;
        }
        await expectRebuilt(one, why);
      },
      patience,
    );

    test(
      "a worker that hangs, loses its partitions, and wakes as the owner of before",
      async () => {
        const { school: one, random, why } = await school();
        await one.start("relay");
        const hung = await one.start("projector");
        await one.grow(100);
        hung.child.kill("SIGSTOP");
        const other = await one.start("projector");
        await one.grow(60 + random.below(60));
        await one.settled();
        const growing = one.grow(200);
        hung.child.kill("SIGCONT");
        await growing;
        await expectRebuilt(one, why);
        await other.end("SIGTERM");
        await one.grow(30);
        await expectRebuilt(one, why);
      },
      patience,
    );

    test(
      "the broker, killed and started again under load",
      async () => {
        const { school: one, why } = await school();
        await one.start("relay");
        await one.start("projector");
        await one.start("projector");
        await one.grow(50);
        const restarted = kafka?.restart("SIGKILL");
        await one.grow(100);
        await restarted;
        await one.grow(50);
        await expectRebuilt(one, why);
      },
      patience,
    );

    test(
      "the relay, killed between the stream's acknowledgement and the saving of its position; and two at once",
      async () => {
        const { school: one, random, why } = await school();
        await one.start("projector");
        for (let kill = 0; kill < Math.min(runs, 10); kill += 1) {
          // It would save in an hour: every restart sends all since the last good end again.
          const relay = await one.start("relay", kill % 2 === 0 ? { saveEveryMs: 3_600_000 } : {});
          const standby = await one.start("relay");
          await one.grow(20 + random.below(50));
          await pause(random.below(800));
          // Hung while it has the lease: the other takes over, and both send when it wakes.
          relay.child.kill("SIGSTOP");
          await one.grow(20);
          await one.settled();
          relay.child.kill("SIGCONT");
          await one.grow(20);
          await relay.end("SIGKILL");
          await standby.end(random.chance(0.5) ? "SIGKILL" : "SIGTERM");
        }
        await one.start("relay");
        await expectRebuilt(one, why);
      },
      patience,
    );

    test(
      "offsets that are set back to the beginning: everything comes twice",
      async () => {
        const { school: one, why } = await school();
        await one.start("relay");
        const worker = await one.start("projector");
        await one.grow(150);
        await one.settled();
        await worker.end("SIGTERM");
        const admin = new Kafka({ brokers: [kafka?.brokers ?? ""], logLevel: logLevel.NOTHING }).admin();
        await admin.connect();
        await admin.resetOffsets({
          groupId: `${one.engines.topic}.projector`,
          topic: one.engines.topic,
          earliest: true,
        });
        await admin.disconnect();
        await one.start("projector");
        await one.start("projector");
        await one.grow(50);
        await expectRebuilt(one, why);
      },
      patience,
    );
  },
);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
