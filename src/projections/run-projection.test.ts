import { describe, expect, test } from "vitest";
import type { Feed, FeedPage } from "../ports/feed.ts";
import { type ProjectionOptions, type RunningProjection, runProjection } from "./run-projection.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Positions 1 to `head`; it wakes who waits when it grows. */
function growingFeed(head: number) {
  const waiting = new Set<() => void>();
  let reads = 0;
  const feed: Feed = {
    async read(after, limit): Promise<FeedPage> {
      reads += 1;
      const to = Math.min(head, after + limit);
      const events = Array.from({ length: to - after }, (_, at) => ({ position: after + at + 1 }));
      return { events: events as unknown as FeedPage["events"], position: to, atHead: to === head };
    },
    waitForMore(after, _timeoutMs, signal) {
      if (head > after || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.add(resolve);
        signal.addEventListener("abort", () => resolve());
      });
    },
    head: async () => head,
    behind: async (after) => ({ events: head - after, oldestRecordedAt: null }),
  };
  return {
    feed,
    get reads() {
      return reads;
    },
    growTo(to: number) {
      head = to;
      for (const wake of waiting) wake();
      waiting.clear();
    },
  };
}

function start(feed: Feed, more: Partial<ProjectionOptions> & Pick<ProjectionOptions, "handle">): RunningProjection {
  return runProjection({ name: "test", feed, batchSize: 10, load: async () => 0, log: silent, retryMs: 1, ...more });
}

const positionsOf = (page: FeedPage) => page.events.map((event) => event.position);
const upTo = (n: number) => Array.from({ length: n }, (_, at) => at + 1);

describe("runProjection", () => {
  test("hands out everything once, in order, in bounded batches, and what comes later", async () => {
    const { feed, growTo } = growingFeed(25);
    const seen: number[][] = [];
    const running = start(feed, {
      async handle(page) {
        seen.push(positionsOf(page));
        return page.position;
      },
    });
    await running.caughtUp();
    expect(seen.map((batch) => batch.length)).toEqual([10, 10, 5]);
    growTo(31);
    await running.caughtUp();
    expect(seen.flat()).toEqual(upTo(31));
    expect(running.position()).toBe(31);
    expect(running.status).toMatchObject({ state: "at_head", eventsIn: 31, batches: 4, lastBatchEvents: 6, errors: 0 });
    await running.stop();
    expect(running.status.state).toBe("stopped");
  });

  test("goes on from the position that load and handle say", async () => {
    const { feed } = growingFeed(30);
    const seen: number[] = [];
    let again = true;
    const running = start(feed, {
      load: async () => 7,
      async handle(page) {
        seen.push(...positionsOf(page));
        if (!again) return page.position;
        again = false;
        return 12;
      },
    });
    await running.caughtUp();
    expect(seen).toEqual([...upTo(17).slice(7), ...upTo(30).slice(12)]);
    await running.stop();
  });

  test("after an error loads again and goes on; attempts count up, and start anew after a success", async () => {
    const { feed } = growingFeed(20);
    const errors: [string, number][] = [];
    let stored = 0;
    let failures = 3;
    let loads = 0;
    const running = start(feed, {
      async load() {
        loads += 1;
        return stored;
      },
      async handle(page) {
        if (failures > 0 && page.position > 10) {
          failures -= 1;
          throw new Error("no");
        }
        stored = page.position;
        return stored;
      },
      onError: (error, attempt) => errors.push([(error as Error).message, attempt]),
    });
    await running.caughtUp();
    expect(errors).toEqual([
      ["no", 1],
      ["no", 2],
      ["no", 3],
    ]);
    expect(loads).toBe(4);
    expect(running.status).toMatchObject({ errors: 3, attempt: 0, lastError: "no", position: 20 });
    await running.stop();
  });

  test("a load or a read that fails is tried again too", async () => {
    const { feed } = growingFeed(5);
    let left = 4;
    const flaky = <T>(value: () => Promise<T>) => {
      left -= 1;
      return left >= 0 && left % 2 === 1 ? Promise.reject(new Error("flaky")) : value();
    };
    const running = start(
      { ...feed, read: (...args) => flaky(() => feed.read(...args)) },
      { load: () => flaky(async () => 0), handle: async (page) => page.position },
    );
    await running.caughtUp();
    expect(running.status).toMatchObject({ position: 5, errors: 2 });
    await running.stop();
  });

  test("pauses double up to a bound, spread at random", async () => {
    const { feed } = growingFeed(5);
    const pauses: number[] = [];
    const warn = (fields: object) => pauses.push((fields as { pauseMs: number }).pauseMs);
    const running = start(feed, {
      handle: () => Promise.reject(new Error("never")),
      ...{ retryMs: 1, retryMsMax: 6, random: () => 1, log: { ...silent, warn } },
    });
    await expect.poll(() => pauses.length).toBeGreaterThan(5);
    await running.stop();
    expect(pauses.slice(0, 5)).toEqual([1, 2, 4, 6, 6]);
  });

  test("work between batches never overlaps a batch, and a nudge brings it on", async () => {
    const { feed } = growingFeed(30);
    let inside = 0;
    let overlaps = 0;
    let betweens = 0;
    const alone = async <T>(value: T): Promise<T> => {
      inside += 1;
      if (inside > 1) overlaps += 1;
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      return value;
    };
    const running = start(feed, {
      handle: (page) => alone(page.position),
      async between() {
        betweens += 1;
        await alone(null);
      },
      idleWaitMs: 1_000_000,
    });
    await running.caughtUp();
    const before = betweens;
    running.nudge();
    await expect.poll(() => betweens).toBe(before + 1);
    expect(overlaps).toBe(0);
    await running.stop();
  });

  test("caughtUp means the head at the call, not one seen before", async () => {
    const source = growingFeed(3);
    let release = () => {};
    const running = start(source.feed, {
      async handle(page) {
        if (page.position > 3) await new Promise<void>((resolve) => (release = resolve));
        return page.position;
      },
    });
    await running.caughtUp();
    source.growTo(4);
    let done = false;
    const waiting = running.caughtUp().then(() => {
      done = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toBe(false);
    release();
    await waiting;
    expect(running.position()).toBe(4);
    await running.stop();
  });

  test("stop waits for the batch in hand, is idempotent, and tells those who wait", async () => {
    const { feed } = growingFeed(100);
    let finished = 0;
    let release = () => {};
    const running = start(feed, {
      async handle(page) {
        await new Promise<void>((resolve) => (release = resolve));
        finished += 1;
        return page.position;
      },
    });
    const told = running.caughtUp().catch((error: Error) => error.message);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const stops = Promise.all([running.stop(), running.stop()]);
    expect(finished).toBe(0);
    release();
    await stops;
    expect(finished).toBe(1);
    expect(await told).toBe("projection test was stopped");
    await expect(running.caughtUp()).rejects.toThrow("stopped");
  });

  test("started and stopped at any moment, it ends and leaves nothing running", async () => {
    for (let round = 0; round < 200; round += 1) {
      const source = growingFeed(50);
      const running = start(source.feed, { handle: async (page) => page.position });
      for (let turn = 0; turn < round % 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await running.stop();
      const { reads } = source;
      source.growTo(60);
      await new Promise((resolve) => setImmediate(resolve));
      expect(source.reads).toBe(reads);
    }
  });
});
