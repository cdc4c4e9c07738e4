import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { delayed, faultsAt, InjectedFault } from "../../test/support/faulty-ports.ts";
import { type History, learningHistory } from "../../test/support/learning-history.ts";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import { learnerModels } from "../domain/learner-model/models.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { digestNamespace } from "../projections/digest.ts";
import { learnerPrefix } from "../projections/rows.ts";
import { createProjector, type Projector } from "./projector.ts";
import { callsThrough, expectedDigest, projectionDeps } from "./rebuild.contract.ts";
import { snapshotKind } from "./row-snapshot-set.ts";
import { type RowSnapshotDeps, restoreRowSnapshot, saveRowSnapshot } from "./row-snapshots.ts";

const model = learnerModels["lr-full"];
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Durable copies of rows, on the blobs of an engine. Invariant 6 of the design: they are only ever a shortcut. */
export function rowSnapshotsContract(open: () => Promise<{ blobs: Blobs; close(): Promise<void> }>): void {
  describe("snapshots of rows", () => {
    const seed = Number(process.env.PROXIMAL_SEED ?? 20_260_303);
    let blobs: Blobs;
    let close: () => Promise<void> = async () => undefined;
    beforeAll(async () => {
      ({ blobs, close } = await open());
    });
    afterAll(() => close());

    const depsOf = (history: History, readModels: ReadModels): RowSnapshotDeps => ({
      ...{ readModels, blobs, feed: history.log, model, log: silent, clock: { now: Date.now } },
    });

    /** `touched`: learners whose rows it read from the log, by their streams. */
    async function projecting(
      history: History,
      readModels: ReadModels,
      partitions: number,
      streamsRead = { count: 0 },
    ) {
      const deps = projectionDeps(history, readModels);
      const store = {
        ...deps.store,
        readStream: (...args: Parameters<typeof deps.store.readStream>) => {
          streamsRead.count += 1;
          return deps.store.readStream(...args);
        },
      };
      const restore = (namespace: string, partition: number) =>
        restoreRowSnapshot(depsOf(history, readModels), namespace, partition);
      const options = { partitions, popularTickMs: 0, retryMs: 1, batchSize: 20, sweptPerSecond: 0 };
      const projector = createProjector({ ...deps, store, restore }, options);
      onTestFinished(() => projector.stop());
      await projector.start();
      return projector;
    }

    const liveDigest = (readModels: ReadModels, projector: Projector): Promise<string> =>
      digestNamespace(readModels, projector.view()?.namespace ?? "");

    test("what was saved while events came in, restored and folded on, is what the log gives", async () => {
      const history = await learningHistory(seed, { model, events: 150 });
      const readModels = createMemoryReadModels();
      const projector = await projecting(history, readModels, 2);
      await projector.caughtUp();
      // Slow enough for events to be folded between any two of its reads.
      const slow = callsThrough(
        readModels,
        delayed(readModels, () => 3),
      );
      for (let round = 0; round < 3; round += 1) {
        await history.grow(5);
        await projector.caughtUp();
        const growing = history.grow(60);
        const saved = await saveRowSnapshot(depsOf(history, slow));
        expect(saved).toMatchObject({ status: "saved", rows: history.learnerIds.length });
        await growing;
        await projector.caughtUp();
      }
      expect(await blobs.names(snapshotKind)).toHaveLength(1 + 2 * 2);
      await history.grow(30);

      const streamsRead = { count: 0 };
      const empty = createMemoryReadModels();
      const again = await projecting(history, empty, 2, streamsRead);
      await again.caughtUp();
      const read = again.status().reduce((sum, { eventsIn }) => Math.max(sum, eventsIn), 0);
      expect(read).toBeLessThan(200);
      // Nothing had to be put together from streams: the set was of one piece.
      expect(streamsRead.count).toBe(0);
      expect(await liveDigest(empty, again)).toBe(await expectedDigest(history, 2));
    });

    test("is not saved again while nothing has come in", async () => {
      const history = await learningHistory(seed + 1, { model, events: 60 });
      const readModels = createMemoryReadModels();
      const projector = await projecting(history, readModels, 1);
      await projector.caughtUp();
      expect(await saveRowSnapshot(depsOf(history, readModels))).toMatchObject({ status: "saved" });
      expect(await saveRowSnapshot(depsOf(history, readModels))).toMatchObject({ status: "nothing" });
      await history.grow(30);
      await projector.caughtUp();
      expect(await saveRowSnapshot(depsOf(history, readModels))).toMatchObject({ status: "saved" });
    });

    test("of another log, model, row format or number of partitions it is not used", async () => {
      const history = await learningHistory(seed + 2, { model, events: 80 });
      const readModels = createMemoryReadModels();
      const projector = await projecting(history, readModels, 2);
      await projector.caughtUp();
      await saveRowSnapshot(depsOf(history, readModels));
      const empty = createMemoryReadModels();
      const deps = depsOf(history, empty);
      const namespace = projector.view()?.namespace ?? "";
      const other = await learningHistory(seed + 3, { model, events: 200 });
      const shorter = await learningHistory(seed + 2, { model, events: 10 });
      expect(await restoreRowSnapshot({ ...deps, feed: other.log }, namespace, 0)).toBe(false);
      expect(await restoreRowSnapshot({ ...deps, feed: shorter.log }, namespace, 0)).toBe(false);
      expect(await restoreRowSnapshot({ ...deps, model: learnerModels.elo }, "n1.elo.f4.p2", 0)).toBe(false);
      expect(await restoreRowSnapshot(deps, namespace.replace(".p2", ".p1"), 0)).toBe(false);
      expect(await restoreRowSnapshot(deps, namespace.replace(/\.f\d+\./, ".f1."), 0)).toBe(false);
      for await (const page of empty.keys("")) expect(page).toEqual([]);
      expect(await restoreRowSnapshot(deps, namespace, 0)).toBe(true);
    });

    test("of which a part is damaged or gone, it is not used, and the rows come from the log", async () => {
      const history = await learningHistory(seed + 4, { model, events: 120 });
      const readModels = createMemoryReadModels();
      const projector = await projecting(history, readModels, 2);
      await projector.caughtUp();
      await saveRowSnapshot(depsOf(history, readModels));
      const [part = "", gone = ""] = (await blobs.names(snapshotKind)).filter((name) => name.endsWith("/0"));
      const bytes = Buffer.from((await blobs.get(snapshotKind, part)) ?? []);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      await blobs.put(snapshotKind, part, bytes);
      await blobs.remove(snapshotKind, gone);
      const empty = createMemoryReadModels();
      const again = await projecting(history, empty, 2);
      await again.caughtUp();
      expect(await liveDigest(empty, again)).toBe(await expectedDigest(history, 2));
    });

    test("a save that fails at any call leaves the set before, or has made a new one", async () => {
      const history = await learningHistory(seed + 5, { model, events: 80 });
      const readModels = createMemoryReadModels();
      const projector = await projecting(history, readModels, 2);
      await projector.caughtUp();
      await saveRowSnapshot(depsOf(history, readModels));
      let died = true;
      for (let k = 1; died; k += 1) {
        await history.grow(3);
        await projector.caughtUp();
        const faults = faultsAt(k, k % 2 === 0 ? "after" : "before");
        const deps = { ...depsOf(history, readModels), blobs: faults.wrap(blobs), feed: faults.wrap(history.log) };
        died = await saveRowSnapshot(deps).then(
          () => false,
          (error: unknown) => {
            if (!(error instanceof InjectedFault)) throw error;
            return true;
          },
        );
        const empty = createMemoryReadModels();
        const again = await projecting(history, empty, 2);
        await again.caughtUp();
        expect(await liveDigest(empty, again), `seed ${seed}, failed at ${k}`).toBe(await expectedDigest(history, 2));
        await again.stop();
      }
    });

    test("is harmless beside rows that are there already, older and newer", async () => {
      const history = await learningHistory(seed + 6, { model, events: 120 });
      const readModels = createMemoryReadModels();
      const projector = await projecting(history, readModels, 1);
      await projector.caughtUp();
      await saveRowSnapshot(depsOf(history, readModels));
      await history.grow(60);
      await projector.caughtUp();
      const namespace = projector.view()?.namespace ?? "";
      const before = await liveDigest(readModels, projector);
      expect(await restoreRowSnapshot(depsOf(history, readModels), namespace, 0)).toBe(true);
      expect(await liveDigest(readModels, projector)).toBe(before);
      // Some of the newest rows go, and all counters.
      for await (const page of readModels.keys(learnerPrefix(namespace))) await readModels.remove(page.slice(0, 4));
      await readModels.remove([`${namespace}:counters:0`]);
      await history.grow(20);
      await projector.caughtUp();
      expect(await liveDigest(readModels, projector)).toBe(await expectedDigest(history, 1));
    });
  });
}
