import { expect, test } from "vitest";
import { createMemoryLog } from "../adapters/event-store/memory.ts";
import { currentSchemaVersion } from "../domain/events.ts";
import { idOf, learnerStream } from "../domain/streams.ts";
import { partitionOf } from "../projections/partition.ts";
import { type Follower, readStandings } from "./lag.ts";
import { createLagSampler } from "./lag-sampler.ts";

const filter = { categories: ["learner"] };

/** A log of learners' events, and followers of so many partitions whose positions the test sets. */
function deployment(partitions: number) {
  const log = createMemoryLog();
  let now = Date.parse("2026-03-01T12:00:00.000Z");
  const revisions = new Map<string, number>();
  const positions: (number | null)[] = Array.from({ length: partitions }, () => 0);
  const followers: Follower[] = positions.map((_, partition) => ({
    ...{ name: "learners", partition, filter, position: async () => positions[partition] ?? null },
    ...(partitions === 1 ? {} : { owns: ({ stream }) => partitionOf(idOf(stream), partitions) === partition }),
  }));
  async function append(learners: readonly string[]): Promise<void> {
    for (const learner of learners) {
      const stream = learnerStream(learner);
      const expected = revisions.get(stream) ?? 0;
      revisions.set(stream, expected + 1);
      const event = {
        ...{ eventId: crypto.randomUUID(), type: "InteractionRecorded", data: {} },
        ...{ metadata: { schemaVersion: currentSchemaVersion }, recordedAt: new Date(now).toISOString() },
      };
      await log.append([{ stream, expected: expected === 0 ? "none" : expected, events: [event as never] }]);
    }
  }
  const clock = {
    now: () => now,
    pass(seconds: number) {
      now += seconds * 1000;
    },
  };
  return { log, clock, followers, positions, append, deps: { feed: log, clock, followers } };
}

const learners = Array.from({ length: 40 }, (_, n) => `l${n}`);
const of = (partition: number, partitions: number) =>
  learners.filter((id) => partitionOf(id, partitions) === partition);

test("each partition is behind by its own events, and as old as the oldest of these", async () => {
  const { append, clock, positions, deps } = deployment(2);
  await append(of(0, 2).slice(0, 3));
  clock.pass(10);
  await append(of(1, 2).slice(0, 2));
  clock.pass(5);
  // Partition 1 has written nothing since the beginning, and nothing was there for it until position 4.
  expect(await readStandings(deps)).toMatchObject([
    { partition: 0, behindEvents: 3, behindSeconds: 15 },
    { partition: 1, behindEvents: 2, behindSeconds: 5 },
  ]);
  positions[0] = 5;
  positions[1] = 4;
  expect(await readStandings(deps)).toMatchObject([
    { partition: 0, behindEvents: 0, behindSeconds: 0 },
    { partition: 1, behindEvents: 1, behindSeconds: 5 },
  ]);
  positions[0] = null;
  expect((await readStandings(deps))[0]).toMatchObject({ started: false, position: 0, behindEvents: 3 });
});

test("of many events behind, a partition's share is estimated from the oldest; who stands beyond them is counted", async () => {
  const { append, positions, log, deps } = deployment(2);
  // Three quarters for partition 0.
  const some = [...of(0, 2).slice(0, 3), ...of(1, 2).slice(0, 1)];
  for (let n = 0; n < 1_000; n += 1) await append(some);
  const head = await log.head();
  expect(head).toBe(4_000);
  expect(await readStandings(deps)).toMatchObject([{ behindEvents: 3_000 }, { behindEvents: 1_000 }]);
  positions[1] = head - 3;
  expect(await readStandings(deps)).toMatchObject([{ behindEvents: 3_000 }, { behindEvents: 1 }]);
  positions[1] = head;
  expect(await readStandings(deps)).toMatchObject([{ behindEvents: 3_000 }, { behindEvents: 0 }]);
});

test("rates by partition, and the time to drain", async () => {
  const { append, clock, positions, log, deps } = deployment(2);
  const sampler = createLagSampler(deps);
  await append(learners);
  const [hot, other] = [of(0, 2).slice(0, 1), of(1, 2).slice(0, 1)];
  expect((await sampler.read()).projections.map(({ state, rateIn }) => [state, rateIn])).toEqual([
    ["measuring", null],
    ["measuring", null],
  ]);
  for (let second = 1; second <= 10; second += 1) {
    clock.pass(1);
    // Nine a second for partition 0, which folds nothing; one for partition 1, which is at the head.
    for (let n = 0; n < 9; n += 1) await append(hot);
    await append(other);
    positions[1] = await log.head();
    await sampler.read();
  }
  const backlog = of(0, 2).length + 90;
  const { head, projections, unreadable } = await sampler.read();
  expect([head, unreadable]).toEqual([140, []]);
  expect(projections).toMatchObject([
    { state: "stopped", behindEvents: backlog, rateIn: 9, rateOut: 0, rateSeconds: 10, secondsToDrain: null },
    { state: "current", behindEvents: 0, rateIn: 1, secondsToDrain: 0 },
  ]);
  // From the first look on it has folded one a second, and what stood there before.
  expect(projections[1]?.rateOut).toBeCloseTo(1 + of(1, 2).length / 10);
  clock.pass(10);
  positions[0] = (await log.read(0, 1_000, filter)).events.find(({ stream }) => stream === learnerStream(hot[0] ?? ""))
    ?.position as number;
  expect((await sampler.read()).projections[0]).toMatchObject({ rateIn: 4.5 });
});

test("what cannot be read is named, the rest is told; a log that does not answer rejects", async () => {
  const { append, deps, log } = deployment(1);
  await append(["ann"]);
  const broken: Follower = { name: "relay", position: () => Promise.reject(new Error("gone")) };
  let down = false;
  const feed = { ...log, head: () => (down ? Promise.reject(new Error("no log")) : log.head()) };
  const sampler = createLagSampler({ ...deps, feed, followers: [...deps.followers, broken] });
  expect(await sampler.read()).toMatchObject({
    ...{ head: 1, unreadable: ["relay"], projections: [{ projection: "learners", behindEvents: 1 }] },
  });
  down = true;
  await expect(sampler.read()).rejects.toThrow("no log");
  down = false;
  expect((await sampler.read()).head).toBe(1);
});

test("whatever was done before the call shows, also while another look is under way", async () => {
  const { append, deps } = deployment(1);
  const sampler = createLagSampler(deps);
  const before = sampler.read();
  await append(["ann"]);
  const [after, too] = await Promise.all([sampler.read(), sampler.read()]);
  expect((await before).head).toBeLessThanOrEqual(1);
  expect([after.head, too]).toEqual([1, after]);
});

test("who reads at another pace has rates over a time of its own, of the same looks", async () => {
  const { append, clock, positions, deps } = deployment(1);
  let looks = 0;
  const feed = { ...deps.feed, head: () => deps.feed.head().finally(() => (looks += 1)) } as typeof deps.feed;
  const { read, reader } = createLagSampler({ ...deps, feed });
  const readOften = reader({ windowMs: 1_000, oldestMs: 120_000 });
  const both = async () => (await Promise.all([read(), readOften()])).map(({ projections: [one] }) => one?.rateIn);
  expect(await both()).toEqual([null, null]);
  await append(learners.slice(0, 20));
  clock.pass(10);
  expect(await both()).toEqual([2, 2]);
  positions[0] = 20;
  clock.pass(10);
  // Nothing came in since: who reads of the last minute still sees the twenty.
  expect(await both()).toEqual([1, 0]);
  expect(looks).toBe(3);
  // What came in between two reads of one is seen by it, though the other looked meanwhile.
  await append(learners.slice(0, 10));
  clock.pass(5);
  await read();
  clock.pass(5);
  expect((await readOften()).projections[0]?.rateIn).toBe(1);
});
