import { describe, expect, test } from "vitest";
import { createMemoryLog } from "../adapters/event-store/memory.ts";
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

  test("gathers the next commit while one runs, and never runs two", async () => {
    const log = heldLog();
    const group = createGroupCommit(log);
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
