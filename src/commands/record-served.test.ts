import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryLog } from "../adapters/event-store/memory.ts";
import { decodeEvent } from "../domain/decode-event.ts";
import type { ItemsServed } from "../domain/events.ts";
import { LogUnavailable } from "../ports/event-store.ts";
import { createServedRecorder, type ServedRecorderOptions } from "./record-served.ts";

const served = (selectionId: string, learnerId = "ada"): ItemsServed => ({
  ...{ selectionId, learnerId, sessionType: "practice", trackId: null, policyVersion: "default@0" },
  ...{ model: "elo", modelVersion: 0, revision: 3, position: 9, source: "personal", computed: "precomputed", size: 30 },
  items: [{ itemId: "sum", p: 0.8, propensity: 0.95, reason: "open_skill" }],
  candidates: ["product"],
});

let log: ReturnType<typeof createMemoryLog>;
let outcomes: Record<string, number>;
beforeEach(() => {
  log = createMemoryLog();
  outcomes = {};
});

function recorder(options: ServedRecorderOptions = {}, append = log.append) {
  const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
  return createServedRecorder(
    {
      eventStore: { append },
      clock: { now: () => Date.parse("2026-03-01T12:00:00.000Z") },
      log: silent,
      onOutcome: (outcome, lists) => {
        if (lists > 0) outcomes[outcome] = (outcomes[outcome] ?? 0) + lists;
      },
    },
    { flushMs: 1, ...options },
  );
}

async function stored() {
  return (await log.read(0, 1_000)).events.map((event) => decodeEvent(event));
}

describe("happened", () => {
  test("a list is stored in a stream of its own, soon after", async () => {
    const lists = recorder();
    lists.offer(() => served("s1"));
    await expect.poll(() => outcomes).toEqual({ recorded: 1 });
    const [event] = await stored();
    expect(event).toMatchObject({ stream: "served-ada", type: "ItemsServed", recordedAt: "2026-03-01T12:00:00.000Z" });
    expect(event?.data).toEqual(served("s1"));
    await lists.close();
  });

  test("what waits at the end is stored, in batches", async () => {
    const sizes: number[] = [];
    const lists = recorder({ flushMs: 60_000, batchMax: 10 }, (requests) => {
      sizes.push(requests.length);
      return log.append(requests);
    });
    for (let n = 0; n < 25; n += 1) lists.offer(() => served(`s${n}`, `learner-${n % 3}`));
    await lists.close();
    await lists.close();
    expect(await stored()).toHaveLength(25);
    expect(sizes).toEqual([10, 10, 5]);
    expect(lists.pending()).toBe(0);
  });

  test("a log that does not answer is asked again, and what came meanwhile waits its turn", async () => {
    let answers = false;
    const lists = recorder({ retryMsMax: 2 }, (requests) =>
      answers ? log.append(requests) : Promise.reject(new LogUnavailable("gone")),
    );
    lists.offer(() => served("s1"));
    await new Promise((resolve) => setTimeout(resolve, 10));
    lists.offer(() => served("s2"));
    answers = true;
    await expect.poll(() => outcomes).toEqual({ recorded: 2 });
    expect((await stored()).map(({ data }) => (data as ItemsServed).selectionId)).toEqual(["s1", "s2"]);
    await lists.close();
  });
});

test("already done: the same list, from whichever process, is stored once", async () => {
  for (const lists of [recorder(), recorder()]) {
    lists.offer(() => served("s1"));
    lists.offer(() => served("s1", "bea"));
    await lists.close();
  }
  expect(outcomes).toEqual({ recorded: 2, duplicate: 2 });
  expect((await stored()).map(({ stream }) => stream)).toEqual(["served-ada", "served-bea"]);
});

describe("refused", () => {
  test("beyond the bound lists are dropped and counted; those that wait are stored", async () => {
    const lists = recorder({ flushMs: 60_000, bufferMax: 3 });
    for (let n = 0; n < 5; n += 1) lists.offer(() => served(`s${n}`));
    expect(outcomes).toEqual({ dropped: 2 });
    await lists.close();
    lists.offer(() => served("late"));
    expect(outcomes).toEqual({ dropped: 3, recorded: 3 });
  });

  test("at the end, a log that does not answer loses them, counted, and holds nobody up", async () => {
    const lists = recorder({ flushMs: 60_000 }, () => Promise.reject(new LogUnavailable("gone")));
    lists.offer(() => served("s1"));
    await lists.close();
    expect(outcomes).toEqual({ dropped: 1 });
  });

  test("a list that cannot be made takes its batch with it, not those behind it", async () => {
    const lists = recorder({ flushMs: 60_000, batchMax: 2 });
    lists.offer(() => {
      throw new Error("a bug");
    });
    for (const id of ["s1", "s2", "s3"]) lists.offer(() => served(id));
    await lists.close();
    expect(outcomes).toEqual({ dropped: 2, recorded: 2 });
  });
});
