import { describe, expect, test } from "vitest";
import { expectRebuilt, faultPatience, faultRuns, kafkaFaults, pause, slowFaultRuns } from "../support/kafka-faults.ts";
import type { Worker } from "../support/kafka-school.ts";

const faults = await kafkaFaults();

/**
 * Workers are processes that share the partitions of a topic. Invariants 3 and 4 of the design: a worker that lost a
 * partition cannot overwrite its successor, and every effect is there once. Afterwards the rows must be those of a
 * rebuild from the log.
 */
describe.skipIf(faults === null)(
  "invariants 3 and 4 through Kafka hold for workers",
  { timeout: faultPatience },
  () => {
    const school = () => (faults ?? expect.fail("no engines")).school();

    test("that are killed under load, again and again", async () => {
      const { school: one, random, why } = await school();
      await one.start("relay");
      const workers = [await one.start("projector"), await one.start("projector")];
      for (let kill = 0; kill < faultRuns; kill += 1) {
        const growing = one.grow(20 + random.below(60));
        await pause(random.below(400));
        await workers.splice(random.below(workers.length), 1)[0]?.end("SIGKILL");
        workers.push(await one.start("projector"));
        await growing;
      }
      await expectRebuilt(one, why);
    });

    test("that are added and taken away in good order under load", async () => {
      const { school: one, random, why } = await school();
      await one.start("relay");
      const workers: Worker[] = [await one.start("projector")];
      for (let change = 0; change < faultRuns; change += 1) {
        const growing = one.grow(20 + random.below(60));
        if (workers.length < 2 || (workers.length < 4 && random.chance(0.6)))
          workers.push(await one.start("projector"));
        else await workers.splice(random.below(workers.length), 1)[0]?.end("SIGTERM");
        await growing;
      }
      await expectRebuilt(one, why);
    });

    test("of which one hangs, loses its partitions, and wakes as the owner of before", async () => {
      const { school: one, random, why } = await school();
      await one.start("relay");
      let hung = await one.start("projector");
      await one.grow(100);
      for (let fault = 0; fault < slowFaultRuns; fault += 1) {
        hung.child.kill("SIGSTOP");
        const other = await one.start("projector");
        await one.grow(60 + random.below(60));
        await one.settled();
        const growing = one.grow(100 + random.below(100));
        hung.child.kill("SIGCONT");
        await growing;
        await expectRebuilt(one, `${why}, fault ${fault}`);
        const [leaves, stays] = random.chance(0.5) ? [hung, other] : [other, hung];
        await leaves.end("SIGTERM");
        hung = stays;
        await one.grow(30);
        await expectRebuilt(one, `${why}, fault ${fault}`);
      }
    });
  },
);
