import { Kafka, logLevel } from "kafkajs";
import { describe, expect, onTestFinished, test } from "vitest";
import { expectRebuilt, faultPatience, faultRuns, kafkaFaults, pause, slowFaultRuns } from "../support/kafka-faults.ts";
import { expectInOrder } from "../support/stream-order.ts";

const faults = await kafkaFaults();

/**
 * The stream itself: the relays that write it, the broker that keeps it, the offsets that say where its readers are.
 * Invariants 1 to 4 of the design: no accepted event is lost or out of its learner's order, and each counts once.
 */
describe.skipIf(faults === null)("the stream through Kafka bears", { timeout: faultPatience }, () => {
  const school = () => (faults ?? expect.fail("no engines")).school();

  test("relays killed between the acknowledgement and the saving of the position, and two relays at once", async () => {
    const { school: one, random, why } = await school();
    await one.start("projector");
    for (let kill = 0; kill < Math.ceil(faultRuns / 2); kill += 1) {
      // It would save in an hour: the next one sends again all since the last one that ended well.
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
    const { learnersEvents } = expectInOrder(await one.topic());
    expect(learnersEvents, why).toBeGreaterThan(50);
  });

  test("a broker that is killed and started again under load, and one that hangs", async () => {
    const { school: one, random, why } = await school();
    await one.start("relay");
    await one.start("projector");
    await one.start("projector");
    for (let fault = 0; fault < slowFaultRuns; fault += 1) {
      await one.grow(random.below(50));
      const restarted = faults?.kafka.restart("SIGKILL");
      await one.grow(60 + random.below(60));
      await restarted;
      await one.grow(random.below(50));
      faults?.kafka.signal("SIGSTOP");
      await one.grow(random.below(50));
      await pause(3_000);
      faults?.kafka.signal("SIGCONT");
      await expectRebuilt(one, `${why}, fault ${fault}`);
    }
    expectInOrder(await one.topic());
  });

  test("offsets that are set back to the beginning: everything comes twice", async () => {
    const { school: one, random, why } = await school();
    await one.start("relay");
    let workers = [await one.start("projector")];
    await one.grow(100);
    const { brokers, topic } = one.engines;
    const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    for (let fault = 0; fault < slowFaultRuns; fault += 1) {
      await one.grow(random.below(50));
      await one.settled();
      await Promise.all(workers.map((worker) => worker.end("SIGTERM")));
      // A worker that went in the middle of a rebalance is missed by the broker a little later.
      const reset = () => admin.resetOffsets({ groupId: `${topic}.projector`, topic, earliest: true });
      await expect.poll(() => reset().then(() => "", String), { timeout: 30_000, interval: 300 }).toBe("");
      workers = [await one.start("projector"), await one.start("projector")];
      await one.grow(random.below(50));
      await expectRebuilt(one, `${why}, fault ${fault}`);
    }
  });
});
