import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { delayed, type FaultKind, faultsAt } from "../../test/support/faulty-ports.ts";
import { type History, historyStart, learningHistory } from "../../test/support/learning-history.ts";
import { seededRandom } from "../../test/support/random.ts";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import { learnerModels } from "../domain/learner-model/models.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { digestNamespace } from "../projections/digest.ts";
import { fillRange, fillRows, writeRangeCounters } from "../projections/fill.ts";
import { newView, readView } from "../projections/live-view.ts";
import type { PipelineDeps } from "../projections/pipeline.ts";
import { type RebuildOptions, rebuildRows, rollBack } from "../projections/rebuild.ts";
import { generationOf, learnerKey, stateField } from "../projections/rows.ts";
import { createProjector, type Projector } from "./projector.ts";

const model = learnerModels["lr-full"];
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const clock = { now: () => historyStart };

export interface RebuildContractOptions {
  /** Empty. */
  readonly open: () => Promise<{ readModels: ReadModels; close(): Promise<void> }>;
  readonly events: number;
  /** Every so manieth port call is made to fail. */
  readonly faultStep: number;
  readonly runs: number;
}

export function projectionDeps(history: History, readModels: ReadModels): PipelineDeps {
  return { feed: history.log, store: history.log, blobs: history.blobs, readModels, model, clock, log: silent };
}

/** The digest of rows made by one projector that has nothing to do with all this. */
export async function expectedDigest(history: History, partitions: number): Promise<string> {
  const readModels = createMemoryReadModels();
  const projector = createProjector(projectionDeps(history, readModels), { partitions, popularTickMs: 0 });
  await projector.start();
  await projector.caughtUp();
  const digest = await digestNamespace(readModels, projector.view()?.namespace ?? "");
  await projector.stop();
  return digest;
}

/** Invariants 3, 4 and 6 of the design: rows are rebuilt beside the live ones and switched to, whatever happens meanwhile. */
export function rebuildContract({ open, events, faultStep, runs }: RebuildContractOptions): void {
  describe("a rebuild by a process that does not project", () => {
    const seed = Number(process.env.PROXIMAL_SEED ?? 20_260_302);
    let readModels: ReadModels;
    let close: () => Promise<void> = async () => undefined;
    beforeAll(async () => {
      ({ readModels, close } = await open());
    });
    afterAll(() => close());

    const removeAll = async (): Promise<void> => {
      for (const prefix of ["n", "live"]) {
        for await (const page of readModels.keys(prefix)) await readModels.remove(page);
      }
    };

    async function projecting(history: History, partitions: number, given = readModels): Promise<Projector> {
      const options = { partitions, popularTickMs: 0, retryMs: 1, batchSize: 20, viewPollMs: 20, sweptPerSecond: 0 };
      const projector = createProjector(projectionDeps(history, given), options);
      onTestFinished(() => projector.stop());
      await projector.start();
      return projector;
    }

    async function school(partitions: number, at = seed): Promise<{ history: History; projector: Projector }> {
      await removeAll();
      const history = await learningHistory(at, { model, events });
      const projector = await projecting(history, partitions);
      await projector.caughtUp();
      return { history, projector };
    }

    /** Small pages and little memory, so that there is much to go wrong. */
    function options(deps: PipelineDeps, partitions: number, more: Partial<RebuildOptions> = {}): RebuildOptions {
      const settings = { batchSize: 30, popularTickMs: 0, retryMs: 1 };
      const fill: RebuildOptions["fill"] = (given) => fillRows(deps, { ...given, pageSize: 37, learnersInMemory: 4 });
      return { partitions, settings, fill, patienceMs: 2000, ...more };
    }

    const rebuildAs = (deps: PipelineDeps, partitions: number, more: Partial<RebuildOptions> = {}) =>
      rebuildRows(deps, options(deps, partitions, more));

    async function liveDigest(projector: Projector): Promise<string> {
      const { view } = await readView(readModels);
      await expect.poll(() => projector.view()?.namespace).toBe(view?.namespace);
      await projector.caughtUp();
      return digestNamespace(readModels, view?.namespace ?? "");
    }

    async function namespaces(): Promise<string[]> {
      const found = new Set<string>();
      for await (const page of readModels.keys("n")) for (const key of page) found.add(key.split(":")[0] ?? "");
      return [...found].sort();
    }

    test.each([
      [1, 1],
      [1, 3],
      [2, 2],
      [2, 4],
    ])("rows of %i partitions, filled in %i ranges, are those of a pipeline", async (partitions, ranges) => {
      await removeAll();
      const history = await learningHistory(seed, { model, events });
      // Cannot be folded: parks its learner, in the middle of a page.
      const poison = { learnerId: "learner-3" };
      await history.append("learner-learner-3", "SomethingElse", poison);
      await history.grow(60);
      const deps = projectionDeps(history, readModels);
      const view = newView(1, model, partitions);
      const given = { view, to: await history.log.head(), listSize: 30, learnersInMemory: 2, pageSize: 23 };
      const counted = await Promise.all(
        Array.from({ length: ranges }, (_, range) => fillRange(deps, { range, ranges }, given)),
      );
      for (let partition = 0; partition < partitions; partition += 1) {
        const own = counted.filter((_, range) => range % partitions === partition);
        await writeRangeCounters(deps, given, partition, own);
      }
      expect(await digestNamespace(readModels, view.namespace)).toBe(await expectedDigest(history, partitions));
    });

    test("projectors elsewhere go over to the new rows and on with them, while events pour in", async () => {
      const { history, projector } = await school(2);
      let pouring = true;
      const pour = (async () => {
        while (pouring) {
          await history.grow(3);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      })();
      const before = projector.view()?.namespace ?? "";
      const rebuilt = await rebuildAs(projectionDeps(history, readModels), 2);
      expect(rebuilt).toMatchObject({ kept: before, comparison: { different: 0, behind: 0 } });
      expect(rebuilt.comparison?.learners).toBe(history.learnerIds.length);
      pouring = false;
      await pour;
      expect(await liveDigest(projector)).toBe(await expectedDigest(history, 2));
      expect(projector.view()?.namespace).toBe(rebuilt.namespace);
      expect(await namespaces()).toEqual([before, rebuilt.namespace].sort());
    });

    test("two projectors that share the partitions follow as well, and never write each other's rows back", async () => {
      await removeAll();
      const history = await learningHistory(seed + 1, { model, events });
      const random = seededRandom(seed);
      const slow = (): ReadModels =>
        callsThrough(
          readModels,
          delayed(readModels, () => random.below(3)),
        );
      const first = await projecting(history, 2, slow());
      // Both own everything: the worst case of a partition that changes hands.
      const second = await projecting(history, 2, slow());
      await Promise.all([first.caughtUp(), second.caughtUp()]);
      for (let round = 0; round < 3; round += 1) {
        const rebuilding = rebuildAs(projectionDeps(history, readModels), 2);
        await history.grow(30);
        await rebuilding;
        await history.grow(10);
      }
      expect(await liveDigest(first)).toBe(await expectedDigest(history, 2));
      expect(await liveDigest(second)).toBe(await expectedDigest(history, 2));
    });

    test("tells which learners differ: changed, lost and invented rows, and how many", async () => {
      const { history, projector } = await school(1);
      const namespace = projector.view()?.namespace ?? "";
      const [one, two] = history.learnerIds;
      const key = learnerKey(namespace, one ?? "");
      const [row] = await readModels.read([key]);
      const version = row?.version ?? 0;
      await readModels.write([{ key, from: version, to: version, set: new Map([["next", Buffer.from("damaged")]]) }]);
      await readModels.remove([learnerKey(namespace, two ?? "")]);
      const invented = {
        key: learnerKey(namespace, "nobody"),
        from: 0,
        to: 3,
        set: new Map([[stateField, Buffer.from("x")]]),
      };
      await readModels.write([invented]);
      const { comparison } = await rebuildAs(projectionDeps(history, readModels), 1, { patienceMs: 100 });
      expect(comparison).toMatchObject({ different: 3, behind: 0 });
      expect(comparison?.differing).toEqual([`:learner:${one}`, `:learner:${two}`, ":learner:nobody"].sort());
      expect(await liveDigest(projector)).toBe(await expectedDigest(history, 1));
    });

    test("rows whose projector is not running count as behind, not as wrong", async () => {
      const { history, projector } = await school(1);
      await projector.stop();
      await history.grow(60);
      const { comparison } = await rebuildAs(projectionDeps(history, readModels), 1, { patienceMs: 100 });
      expect(comparison?.different).toBe(0);
      expect(comparison?.behind).toBeGreaterThan(3);
    });

    test("a rollback brings the rows before up to date and goes back to them; a second one goes forth again", async () => {
      const { history, projector } = await school(2);
      const deps = projectionDeps(history, readModels);
      await expect(rollBack(deps, options(deps, 2))).rejects.toThrow("no rows are kept");
      const { namespace, kept } = await rebuildAs(deps, 2);
      await history.grow(50);
      const back = await rollBack(deps, options(deps, 2));
      expect(back).toMatchObject({ namespace: kept, kept: namespace, comparison: null });
      expect(back.events).toBeGreaterThan(40);
      expect(await liveDigest(projector)).toBe(await expectedDigest(history, 2));
      await history.grow(50);
      expect(await rollBack(deps, options(deps, 2))).toMatchObject({ namespace, kept });
      expect(await liveDigest(projector)).toBe(await expectedDigest(history, 2));
      const third = await rebuildAs(deps, 2);
      expect([namespace, kept].map(generationOf)).not.toContain(generationOf(third.namespace));
    });

    test("of two at once the one that began last counts, and the other changes nothing", {
      timeout: 30_000 + runs * 5_000,
    }, async () => {
      const { history, projector } = await school(1);
      const random = seededRandom(seed);
      for (let run = 0; run < runs; run += 1) {
        const slow = callsThrough(
          readModels,
          delayed(readModels, () => random.below(4)),
        );
        const deps = (): PipelineDeps => projectionDeps(history, slow);
        const works = [rebuildAs(deps(), 1), later(random.below(40)).then(() => rebuildAs(deps(), 1))];
        if (run % 2 === 1) works.push(later(random.below(60)).then(() => rollBack(deps(), options(deps(), 1))));
        await history.grow(5);
        const ends = await Promise.allSettled(works);
        const reasons = ends.flatMap((end) => (end.status === "rejected" ? [String(end.reason)] : []));
        for (const reason of reasons) expect(reason).toMatch(/began, or switched|no rows are kept/);
        expect(
          ends.some(({ status }) => status === "fulfilled"),
          `seed ${seed}, run ${run}: ${reasons}`,
        ).toBe(true);
        expect(await liveDigest(projector), `seed ${seed}, run ${run}`).toBe(await expectedDigest(history, 1));
      }
    });

    test("is given up when rows were lost meanwhile", async () => {
      const { history } = await school(1);
      const listeners = new Set<() => void>();
      const losing = new Proxy(readModels, {
        get: (target, name, receiver) =>
          name === "onLoss"
            ? (one: () => void) => listeners.add(one) && (() => listeners.delete(one))
            : Reflect.get(target, name, receiver),
      });
      const before = (await readView(readModels)).view;
      const rebuilding = rebuildAs(projectionDeps(history, losing), 1);
      for (const tell of listeners) tell();
      await expect(rebuilding).rejects.toThrow("rows may have been lost");
      expect((await readView(readModels)).view).toEqual(before);
    });

    test.each<FaultKind>(["before", "after", "torn"])(
      "killed at any call, failing %s: live rows stay right and whole",
      { timeout: 120_000 },
      async (kind) => {
        const { history, projector } = await school(1);
        let died = true;
        for (let k = 1; died; k += faultStep) {
          died = await killedAt(k, kind, history);
          const { view } = await readView(readModels);
          await history.grow(1);
          expect(await liveDigest(projector), `seed ${seed}, killed at ${k}`).toBe(await expectedDigest(history, 1));
          expect(view?.namespace, `seed ${seed}, killed at ${k}`).toBe(projector.view()?.namespace);
        }
        // What all of them left behind goes with the next one.
        await rebuildAs(projectionDeps(history, readModels), 1);
        expect(await namespaces()).toHaveLength(2);
      },
    );

    /** False when it came to the end before the k-th call. */
    async function killedAt(k: number, kind: FaultKind, history: History): Promise<boolean> {
      const faults = faultsAt(k, kind);
      const death = new AbortController();
      const deps = projectionDeps(history, callsThrough(readModels, faults.wrap(readModels)));
      const wrapped = {
        ...deps,
        feed: faults.wrap(deps.feed),
        store: faults.wrap(deps.store),
        blobs: faults.wrap(deps.blobs),
      };
      const timer = setInterval(() => faults.calls >= k && death.abort(new Error("the process is dead")), 1);
      try {
        await rebuildAs(wrapped, 1, { signal: death.signal, patienceMs: 200 });
        return faults.calls >= k;
      } catch {
        return true;
      } finally {
        clearInterval(timer);
      }
    }
  });
}

const later = (turns: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, turns));

/** Calls fail or wait as `faulty` does; what only listens, and the listing of keys, is not a call by itself. */
export function callsThrough(real: ReadModels, faulty: ReadModels): ReadModels {
  return {
    get: (key, field) => faulty.get(key, field),
    getMany: (keys, field) => faulty.getMany(keys, field),
    read: (keys, fields) => faulty.read(keys, fields),
    write: (writes) => faulty.write(writes),
    remove: (keys) => faulty.remove(keys),
    async *keys(prefix) {
      await faulty.read([]);
      yield* real.keys(prefix);
    },
    onChange: (listener) => real.onChange(listener),
    onLoss: (listener) => real.onLoss(listener),
  };
}
