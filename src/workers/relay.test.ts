import { describe, expect, onTestFinished, test } from "vitest";
import { learningHistory } from "../../test/support/learning-history.ts";
import { expectInOrder } from "../../test/support/stream-order.ts";
import { createMemoryBlobs } from "../adapters/blobs/memory.ts";
import { createMemoryStream } from "../adapters/event-stream/memory.ts";
import { createMemoryLease } from "../adapters/lease/memory.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { lrLite } from "../domain/learner-model/models.ts";
import type { Feed } from "../ports/feed.ts";
import { createRelay, type Relay, type RelayOptions } from "./relay.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

async function relaying(events: number) {
  const history = await learningHistory(1, { model: lrLite as LearnerModel, events });
  const stream = createMemoryStream({ partitions: 3 });
  const blobs = createMemoryBlobs();
  const lease = createMemoryLease({ now: () => performance.now() });
  let relays = 0;
  return {
    history,
    stream,
    blobs,
    async relay(options: RelayOptions = {}, feed: Feed = history.log): Promise<Relay> {
      relays += 1;
      const relay = createRelay(
        { feed, stream, blobs, lease, holder: `relay ${relays}`, log: silent },
        { batchSize: 10, leaseMs: 120, saveEveryMs: 0, markEveryMs: 0, remindEveryMs: 60_000, retryMs: 1, ...options },
      );
      onTestFinished(() => relay.stop());
      await relay.start();
      return relay;
    },
    sent: () => stream.sent.flat().filter(({ event }) => event !== null).length,
    async saved() {
      const bytes = await blobs.get("relay", stream.name);
      return bytes === null ? null : (JSON.parse(bytes.toString()) as { position: number }).position;
    },
  };
}

describe("the relay", () => {
  test("tells every partition how far the log is, also where nothing happened to it", async () => {
    const { history, relay, stream } = await relaying(60);
    await relay();
    const head = await history.log.head();
    await expect.poll(() => stream.sent.map((messages) => messages.at(-1)?.position)).toEqual([head, head, head]);
    expectInOrder(stream.sent);
  });

  test("goes on after a good end without a message twice", async () => {
    const { history, relay, sent } = await relaying(60);
    const first = await relay();
    await first.caughtUp();
    await first.stop();
    const before = sent();
    await history.append("learner-a", "InteractionRecorded", {});
    const second = await relay();
    await second.caughtUp();
    expect(sent()).toBe(before + 1);
  });

  test("never remembers a position that the stream has not acknowledged", async () => {
    const { relay, stream, saved, history } = await relaying(60);
    const { send } = stream;
    let acknowledged = 0;
    let away = false;
    stream.send = async (messages) => {
      if (away) throw new Error("the stream is away");
      await send(messages);
      acknowledged = Math.max(acknowledged, ...messages.map(({ position }) => position));
    };
    const first = await relay();
    await first.caughtUp();
    await expect.poll(saved).toBe(acknowledged);
    away = true;
    await history.grow(20);
    await expect.poll(() => first.status().errors).toBeGreaterThan(2);
    expect(first.status().lastError).toBe("the stream is away");
    await first.stop();
    expect(await saved()).toBe(acknowledged);
    away = false;
    await (await relay()).caughtUp();
    expectInOrder(stream.sent);
  });

  test("stands by while another relays, and takes over when that one says nothing more", async () => {
    const { history, relay, stream } = await relaying(60);
    let hang = false;
    const { log } = history;
    const hanging: Feed = {
      ...log,
      read: (...args) => (hang ? new Promise(() => undefined) : log.read(...args)),
      waitForMore: (...args) => log.waitForMore(...args),
      head: () => log.head(),
      behind: (...args) => log.behind(...args),
    };
    const first = await relay({ stalledMs: 40 }, hanging);
    const second = await relay();
    expect([first.status().active, second.status().active]).toEqual([true, false]);
    await expect(second.caughtUp()).rejects.toThrow("another process relays");
    await first.stop();
    await expect.poll(() => second.status().active, { timeout: 30_000 }).toBe(true);
    await second.caughtUp();
    expectInOrder(stream.sent);
    // Its own watchdog replaces a loop that hangs.
    await second.stop();
    hang = true;
    const third = await relay({ stalledMs: 40 }, hanging);
    await history.grow(5);
    hang = false;
    await expect.poll(() => third.position(), { timeout: 30_000 }).toBe(await log.head());
    await third.stop();
    expectInOrder(stream.sent);
  });

  test("begins anew where what it remembers is of another log", async () => {
    const { history, relay, blobs, stream } = await relaying(30);
    await blobs.put("relay", stream.name, Buffer.from(JSON.stringify({ position: 9_999, last: [1, 2, 3] })));
    const first = await relay();
    await first.caughtUp();
    expect(first.position()).toBe(await history.log.head());
    expect(expectInOrder(stream.sent).learnersEvents).toBeGreaterThan(10);
  });
});
