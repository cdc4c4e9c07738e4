import { describe, expect, test } from "vitest";
import { createMemoryLog } from "../adapters/event-store/memory.ts";
import { mulberry32 } from "../domain/random.ts";
import { type AppendRequest, type AppendResult, LogUnavailable } from "../ports/event-store.ts";
import { createGroupCommit, LogBusy } from "./group-commit.ts";

let made = 0;
function request(stream = "learner-a"): AppendRequest {
  made += 1;
  const eventId = `00000000-0000-4000-8000-${String(made).padStart(12, "0")}`;
  const event = {
    eventId,
    type: "T",
    data: {},
    metadata: { schemaVersion: 1 },
    recordedAt: "2026-01-01T00:00:00.000Z",
  };
  return { stream, expected: "any", events: [event] };
}

/** A log that answers when it is told to, and remembers what it was asked. */
function heldLog() {
  const commits: { requests: readonly AppendRequest[]; resolve(): void; reject(error: Error): void }[] = [];
  return {
    commits,
    append: (requests: readonly AppendRequest[]) =>
      new Promise<AppendResult[]>((resolve, reject) => {
        const results = requests.map(({ stream }, at): AppendResult => {
          return { status: "appended", revision: Number(stream.slice(8)), position: at + 1 };
        });
        commits.push({ requests, resolve: () => resolve(results), reject });
      }),
  };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe("group commit", () => {
  test("merges what comes in the same moment, and gives each caller the results of its own requests", async () => {
    const log = heldLog();
    const group = createGroupCommit(log);
    const callers = [1, 2, 3].map((n) => group.append([request(`learner-${n}`), request(`learner-${n}0`)]));
    await turn();
    expect(log.commits.map(({ requests }) => requests.length)).toEqual([6]);
    log.commits[0]?.resolve();
    const revisions = (await Promise.all(callers)).map((results) =>
      results.map((result) => "revision" in result && result.revision),
    );
    expect(revisions).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
  });

  test("gathers the next commit while one runs, as long as few wait", async () => {
    const log = heldLog();
    const group = createGroupCommit(log, { besideFrom: 4 });
    const first = group.append([request("learner-1")]);
    await turn();
    const later = [2, 3, 4].map((n) => group.append([request(`learner-${n}`)]));
    await turn();
    expect(log.commits).toHaveLength(1);
    expect(group.pending()).toBe(4);
    log.commits[0]?.resolve();
    await first;
    await turn();
    expect(log.commits.map(({ requests }) => requests.length)).toEqual([1, 3]);
    log.commits[1]?.resolve();
    await Promise.all(later);
    expect(group.pending()).toBe(0);
  });

  test("a second commit is as large as the first, or waits for its end", async () => {
    const log = heldLog();
    const group = createGroupCommit(log, { besideFrom: 1, maxBatch: 4 });
    const sizes = () => log.commits.map(({ requests }) => requests.length);
    let learners = 0;
    const post = async (count: number) => {
      const posts = Array.from({ length: count }, () => group.append([request(`learner-${++learners}`)]));
      await turn();
      return posts;
    };
    const posts = await post(3);
    posts.push(...(await post(2)));
    expect(sizes()).toEqual([3]);
    posts.push(...(await post(1)));
    expect(sizes()).toEqual([3, 3]);
    posts.push(...(await post(2)));
    log.commits[0]?.resolve();
    await posts[0];
    await turn();
    expect(sizes()).toEqual([3, 3]);
    // A full one need not be larger.
    posts.push(...(await post(2)));
    expect(sizes()).toEqual([3, 3, 4]);
    for (const commit of log.commits) commit.resolve();
    await Promise.all(posts);
  });

  test("runs a second commit beside the first, of streams that the first does not have; and no third", async () => {
    const log = heldLog();
    const group = createGroupCommit(log, { besideFrom: 2 });
    const first = group.append([request("learner-1"), request("learner-2")]);
    await turn();
    const same = group.append([request("learner-2"), request("learner-5")]);
    const later = [3, 5, 4, 1].map((n) => group.append([request(`learner-${n}`)]));
    await turn();
    const streams = () => log.commits.map(({ requests }) => requests.map(({ stream }) => Number(stream.slice(8))));
    // 5 waits behind whoever waits for 2.
    expect(streams()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const third = [6, 7].map((n) => group.append([request(`learner-${n}`)]));
    await turn();
    expect(log.commits).toHaveLength(2);
    expect(group.pending()).toBe(10);
    log.commits[0]?.resolve();
    await first;
    await turn();
    expect(streams()[2]).toEqual([2, 5, 5, 1, 6, 7]);
    log.commits[1]?.resolve();
    log.commits[2]?.resolve();
    await Promise.all([same, ...later, ...third]);
    expect(group.pending()).toBe(0);
  });

  // Invariant 1, order of arrival: commits of any length, answered in any order.
  test("random callers: each stream's requests reach the log in order, and no two commits share a stream", async () => {
    const seed = Number(process.env.PROXIMAL_SEED ?? 7);
    const random = mulberry32(seed);
    const open: { requests: readonly AppendRequest[]; answer(): void }[] = [];
    const arrived = new Map<string, string[]>();
    const append = (requests: readonly AppendRequest[]) => {
      for (const { stream, events } of requests) {
        const shared = open.some((other) => other.requests.some((each) => each.stream === stream));
        expect(shared, `PROXIMAL_SEED=${seed}: ${stream} is in one commit at a time`).toBe(false);
        arrived.set(stream, [...(arrived.get(stream) ?? []), ...events.map(({ eventId }) => eventId)]);
      }
      return new Promise<AppendResult[]>((resolve) => {
        const results = requests.map((): AppendResult => ({ status: "appended", revision: 1, position: 1 }));
        open.push({ requests, answer: () => resolve(results) });
      });
    };
    const group = createGroupCommit({ append }, { maxBatch: 8, maxInFlight: 3, besideFrom: 2 });
    const sent = new Map<string, string[]>();
    const answers: Promise<unknown>[] = [];
    for (let round = 0; round < 2_000; round += 1) {
      const requests = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
        request(`learner-${Math.floor(random() * 12)}`),
      );
      for (const { stream, events } of requests) {
        sent.set(stream, [...(sent.get(stream) ?? []), ...events.map(({ eventId }) => eventId)]);
      }
      answers.push(group.append(requests));
      if (random() < 0.5) await turn();
      if (random() < 0.4) open.splice(Math.floor(random() * open.length), 1)[0]?.answer();
    }
    while (group.pending() > 0) {
      await turn();
      open.splice(Math.floor(random() * open.length), 1)[0]?.answer();
    }
    await Promise.all(answers);
    expect(arrived).toEqual(sent);
  });

  test("a failed commit fails exactly its callers", async () => {
    const log = heldLog();
    const group = createGroupCommit(log);
    const failing = [group.append([request("learner-1")]), group.append([request("learner-2")])];
    await turn();
    const next = group.append([request("learner-3")]);
    log.commits[0]?.reject(new LogUnavailable("gone"));
    const outcomes = await Promise.allSettled(failing);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await turn();
    log.commits[1]?.resolve();
    await expect(next).resolves.toHaveLength(1);
  });

  test("keeps a commit within its size, but never splits a caller", async () => {
    const log = heldLog();
    const group = createGroupCommit(log, { maxBatch: 3 });
    const many = (n: number) => group.append(Array.from({ length: n }, () => request()));
    const callers = [many(2), many(2), many(5), many(1)];
    for (let at = 0; at < 4; at += 1) {
      await turn();
      log.commits[at]?.resolve();
    }
    await Promise.all(callers);
    expect(log.commits.map(({ requests }) => requests.length)).toEqual([2, 2, 5, 1]);
  });

  test("refuses at once when the queue is full, and takes again when it is not", async () => {
    const log = heldLog();
    const group = createGroupCommit(log, { maxQueued: 2 });
    const running = group.append([request()]);
    await turn();
    const waiting = [group.append([request()]), group.append([request()])];
    await expect(group.append([request()])).rejects.toBeInstanceOf(LogBusy);
    log.commits[0]?.resolve();
    await running;
    await turn();
    const again = group.append([request()]);
    log.commits[1]?.resolve();
    await Promise.all(waiting);
    await turn();
    log.commits[2]?.resolve();
    await expect(again).resolves.toHaveLength(1);
  });

  test("waits for company as long as it is told, not longer once a commit is full", async () => {
    const log = heldLog();
    const group = createGroupCommit(log, { delayMs: 60_000, maxBatch: 2 });
    const callers = [group.append([request()]), group.append([request()])];
    await turn();
    expect(log.commits.map(({ requests }) => requests.length)).toEqual([2]);
    log.commits[0]?.resolve();
    await Promise.all(callers);
  });

  test("close waits for what was taken in, and refuses the rest", async () => {
    const log = heldLog();
    const group = createGroupCommit(log, { delayMs: 60_000 });
    const taken = group.append([request()]);
    const closed = group.close();
    await expect(group.append([request()])).rejects.toBeInstanceOf(LogBusy);
    await turn();
    log.commits[0]?.resolve();
    await Promise.all([taken, closed, group.close()]);
    expect(group.pending()).toBe(0);
  });

  test("1,000 callers on a real log: each gets revisions of its own stream, in its own order", async () => {
    const commits: number[] = [];
    const group = createGroupCommit(createMemoryLog(), {
      maxBatch: 100,
      onCommit: ({ requests }) => commits.push(requests),
    });
    const all = await Promise.all(
      Array.from({ length: 1_000 }, (_, at) =>
        group.append([request(`learner-${at % 50}`), request(`learner-${at % 50}`)]),
      ),
    );
    const seen = new Map<number, number>();
    for (const [at, results] of all.entries()) {
      for (const result of results) {
        const before = seen.get(at % 50) ?? 0;
        expect(result).toMatchObject({ status: "appended", revision: before + 1 });
        seen.set(at % 50, before + 1);
      }
    }
    expect(commits.reduce((sum, size) => sum + size, 0)).toBe(2_000);
    expect(Math.max(...commits)).toBeLessThanOrEqual(100);
  });

  test("nothing to append needs no commit", async () => {
    const log = heldLog();
    await expect(createGroupCommit(log).append([])).resolves.toEqual([]);
    await turn();
    expect(log.commits).toEqual([]);
  });
});
