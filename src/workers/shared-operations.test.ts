import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type History, historyStart, learningHistory } from "../../test/support/learning-history.ts";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import { learnerModels } from "../domain/learner-model/models.ts";
import { type ReadModels, ReadModelsUnavailable } from "../ports/read-models.ts";
import { readParked } from "../projections/parked-rows.ts";
import { partitionOf } from "../projections/partition.ts";
import { rebuildRows, rollBack } from "../projections/rebuild.ts";
import { countersKey, parkedStreamsField, readLiveView, rebuildKey } from "../projections/rows.ts";
import { type OperatorRequestsDeps, takeOperatorRequests } from "./operator-requests.ts";
import { askedRetries, askRetry } from "./operator-rows.ts";
import { createProjector, type Projector } from "./projector.ts";
import { NobodyAnswers } from "./retry-here.ts";
import { createSharedOperations } from "./shared-operations.ts";

/** Processes that share a log and rows, each with its own objects; the rows are the only way from one to another. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const model = learnerModels["lr-lite"];
const partitions = 4;

async function deployment(seed: number) {
  const history = await learningHistory(seed, { model, events: 80 });
  const readModels = createMemoryReadModels();
  let ahead = 0;
  const clock = { now: () => historyStart + ahead };
  const deps = { feed: history.log, store: history.log, blobs: history.blobs, readModels, model, clock, log: silent };

  async function projects(owned: readonly number[]): Promise<Projector> {
    const projector = createProjector(deps, { partitions, owned, popularTickMs: 0, retryMs: 1, sweptPerSecond: 0 });
    onTestFinished(() => projector.stop());
    await projector.start();
    return projector;
  }

  function takes(projector: Projector | null, more: Partial<OperatorRequestsDeps> = {}) {
    const rebuild: OperatorRequestsDeps["rebuild"] = ({ rollback, ...options }) =>
      (rollback ? rollBack : rebuildRows)(deps, { partitions, ...options });
    const given = { readModels, clock, log: silent, partitions, projector, rebuild, leaveRebuildsMs: 0, pollMs: 5 };
    const taking = takeOperatorRequests({ ...given, ...more });
    onTestFinished(() => taking.stop());
    return taking;
  }

  /** What an operator reaches in a process that projects nothing, unless told otherwise. */
  const asks = (projector: Projector | null = null, patienceMs = 20_000) =>
    createSharedOperations({
      ...{ readModels: async () => readModels, store: history.log, clock, partitions, projector, patienceMs },
    });
  const advance = (ms: number): void => {
    ahead += ms;
  };
  return { history, readModels, projects, takes, asks, advance };
}

const brokenLearners = ["new-a", "new-b", "new-c", "new-d", "new-e"];

async function breakSome(history: History): Promise<void> {
  for (const learnerId of brokenLearners) await history.append(`learner-${learnerId}`, "SomethingElse", { learnerId });
}

describe("parked learners, asked from any process", () => {
  test("are those of all partitions, whoever has them, with the event they wait at", async () => {
    const { history, projects, asks } = await deployment(1);
    await breakSome(history);
    const [left, right] = [await projects([0, 1]), await projects([2, 3])];
    await Promise.all([left.caughtUp(), right.caughtUp()]);
    const operations = asks();
    const parked = await operations.parked();
    expect(parked.map(({ learnerId }) => learnerId).sort()).toEqual(brokenLearners);
    for (const one of parked) expect(one.partition).toBe(partitionOf(one.learnerId, partitions));
    expect(new Set(parked.map(({ partition }) => partition)).size).toBeGreaterThan(1);
    expect(await operations.inspect("new-a")).toMatchObject({
      ...{ learnerId: "new-a", revision: 1, attempts: 1, error: expect.stringContaining("SomethingElse") },
      event: { type: "SomethingElse", revision: 1, data: { learnerId: "new-a" } },
    });
    expect(await operations.inspect("learner-0")).toBeNull();
  });

  test("are tried again by the process that has their partition, at the word of another", async () => {
    const { history, readModels, projects, takes, asks } = await deployment(2);
    await breakSome(history);
    const [left, right] = [await projects([0, 1]), await projects([2, 3])];
    takes(left);
    takes(right);
    await Promise.all([left.caughtUp(), right.caughtUp()]);
    const operations = asks(left);
    const outcomes = await Promise.all(brokenLearners.map((learnerId) => operations.retry(learnerId)));
    for (const outcome of outcomes) {
      expect(outcome).toEqual({ status: "still_failing", error: expect.stringContaining("SomethingElse") });
    }
    expect(await operations.retry("learner-0")).toEqual({ status: "not_parked" });
    expect((await operations.parked()).map(({ attempts }) => attempts)).toEqual(brokenLearners.map(() => 2));
    expect(await askedRetries(readModels)).toEqual([]);
  });

  test("are folded where they can be now", async () => {
    const { history, projects, takes, asks } = await deployment(3);
    await breakSome(history);
    const projector = await projects([0, 1, 2, 3]);
    takes(projector);
    await projector.caughtUp();
    // As a new version of the code would: it understands the event.
    const readStream = history.log.readStream;
    const spy = vi.spyOn(history.log, "readStream").mockImplementation(async (stream, options) => {
      const events = await readStream.call(history.log, stream, options);
      return events.filter(({ type }) => type !== "SomethingElse");
    });
    onTestFinished(() => spy.mockRestore());
    const operations = asks();
    expect(await operations.retry("new-a")).toEqual({ status: "retried" });
    expect((await operations.parked()).map(({ learnerId }) => learnerId).sort()).toEqual(brokenLearners.slice(1));
  });

  test("are not waited for without end where the projector of this very process fails; it tries them once it works", async () => {
    const { history, readModels, projects, asks } = await deployment(9);
    await breakSome(history);
    const projector = await projects([0, 1, 2, 3]);
    await projector.caughtUp();
    const gone = new ReadModelsUnavailable("gone");
    const failing = (["read", "write"] as const).map((name) => vi.spyOn(readModels, name).mockRejectedValue(gone));
    const heal = () => failing.map((spy) => spy.mockRestore());
    onTestFinished(() => void heal());
    // The first makes the loop fail, and is told of it; from then on the loop cannot even begin.
    await expect(asks(projector).retry("new-a")).rejects.toThrow("gone");
    const late = asks(projector, 20).retry("new-a");
    await expect(late).rejects.toBeInstanceOf(NobodyAnswers);
    await expect(late).rejects.toThrow(/has not tried new-a again within 0.02 s/);
    heal();
    await vi.waitUntil(() => projector.parked().filter(({ parked }) => parked.attempts === 2).length > 0, 30_000);
  });

  test("that nobody tries in time are said to be so, and the question is withdrawn; so many may wait", async () => {
    const { history, readModels, projects, asks } = await deployment(4);
    await breakSome(history);
    const projector = await projects([0, 1, 2, 3]);
    await projector.caughtUp();
    await expect(asks(null, 1).retry("new-a")).rejects.toThrow(/No process has tried new-a again.*partition \d/);
    expect(await askedRetries(readModels)).toEqual([]);
    for (let n = 0; n < 100; n += 1) await askRetry(readModels, `l${n}`, "2026-03-01T08:00:00Z");
    await askRetry(readModels, "l0", "2026-03-01T08:00:00Z");
    await expect(asks().retry("new-a")).rejects.toThrow("100 retries wait already");
  });

  test("of rows written before there was a list of them are listed once their projector has started", async () => {
    const { history, readModels, projects } = await deployment(5);
    await breakSome(history);
    const before = await projects([0, 1, 2, 3]);
    await before.caughtUp();
    const found = await readParked(readModels);
    await before.stop();
    await forgetLists(readModels);
    expect(await readParked(readModels)).toEqual([]);
    await projects([0, 1, 2, 3]);
    await expect.poll(() => readParked(readModels), { timeout: 30_000 }).toEqual(found);
  });
});

async function forgetLists(readModels: ReadModels): Promise<void> {
  const view = await readLiveView(readModels);
  const keys = Array.from({ length: partitions }, (_, partition) => countersKey(view?.namespace ?? "", partition));
  for (const [at, { version }] of (await readModels.read(keys, [])).entries()) {
    const key = keys[at] as string;
    await readModels.write([{ key, from: version, to: version + 1, set: new Map(), remove: [parkedStreamsField] }]);
  }
}

describe("a rebuild, asked for in any process", () => {
  const finished = async (operations: ReturnType<typeof createSharedOperations>) => {
    const ended = async () => (await operations.rebuildStatus("learners"))?.status;
    await expect.poll(ended, { timeout: 30_000 }).not.toMatch(/waiting|running/);
    return operations.rebuildStatus("learners");
  };

  test("waits, is taken up by one, and every process sees how it goes; and back", async () => {
    const { readModels, projects, takes, asks } = await deployment(6);
    const projector = await projects([0, 1, 2, 3]);
    await projector.caughtUp();
    const operations = asks();
    expect(await operations.rebuildStatus("learners")).toBeNull();
    expect(await operations.rebuild("learners")).toMatchObject({ name: "learners", status: "waiting" });
    // Asked again, it is the same one.
    expect(await operations.rebuild("next-items")).toMatchObject({ name: "learners", status: "waiting" });
    const before = await readLiveView(readModels);
    for (let process = 0; process < 3; process += 1) takes(null);
    expect(await finished(asks())).toMatchObject({ status: "done", identical: true, different: 0, error: null });
    const after = await readLiveView(readModels);
    expect(after?.namespace).not.toBe(before?.namespace);
    await operations.rebuild("learners", { rollback: true });
    expect(await finished(operations)).toMatchObject({ status: "done", identical: null });
    expect(await readLiveView(readModels)).toEqual(before);
    await expect(operations.rebuild("everything")).rejects.toThrow("everything cannot be rebuilt");
  });

  test("is left to those with more time first", async () => {
    const { projects, takes, asks, advance } = await deployment(7);
    const projector = await projects([0, 1, 2, 3]);
    await projector.caughtUp();
    let looks = 0;
    takes(projector, {
      leaveRebuildsMs: 3_000,
      projector: { retry: projector.retry, status: () => (++looks > 0 ? projector.status() : []) },
    });
    const operations = asks();
    await operations.rebuild("learners");
    const seen = looks;
    await expect.poll(() => looks, { timeout: 30_000 }).toBeGreaterThan(seen + 3);
    expect((await operations.rebuildStatus("learners"))?.status).toBe("waiting");
    advance(3_000);
    expect((await finished(operations))?.status).toBe("done");
  });

  test("that nobody takes up, or whose process is gone, counts as failed, and another may begin", async () => {
    const { projects, takes, asks, advance } = await deployment(8);
    const projector = await projects([0, 1, 2, 3]);
    await projector.caughtUp();
    const operations = asks();
    await operations.rebuild("learners");
    advance(31_000);
    expect(await operations.rebuildStatus("learners")).toMatchObject({
      ...{ status: "failed", error: expect.stringContaining("no process took it up") },
    });
    // What is too old is not taken up either; what is asked for again is.
    let begun = 0;
    const rebuild = () => {
      begun += 1;
      return Promise.reject(new Error("the disk is full"));
    };
    let looks = 0;
    const status = () => (++looks > 0 ? projector.status() : []);
    takes(null, { rebuild, projector: { retry: projector.retry, status } });
    await expect.poll(() => looks, { timeout: 30_000 }).toBeGreaterThan(3);
    expect(begun).toBe(0);
    expect((await operations.rebuild("learners")).status).toBe("waiting");
    expect(await finished(operations)).toMatchObject({ status: "failed", error: "the disk is full" });
    expect(begun).toBe(1);
  });

  test("says why it failed; a stop of the process that does it is one reason", async () => {
    const { readModels, projects, takes, asks } = await deployment(9);
    await (await projects([0, 1, 2, 3])).caughtUp();
    const operations = asks();
    const taking = takes(null, {
      rebuild: ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    });
    await operations.rebuild("learners");
    const running = async () => (await operations.rebuildStatus("learners"))?.status;
    await expect.poll(running, { timeout: 30_000 }).toBe("running");
    // Lost with Redis, what runs is told of again.
    await readModels.remove([rebuildKey]);
    await expect.poll(running, { timeout: 30_000 }).toBe("running");
    await taking.stop();
    expect(await operations.rebuildStatus("learners")).toMatchObject({
      ...{ status: "failed", error: "the process that rebuilt was stopped", finishedAt: expect.any(String) },
    });
  });
});
