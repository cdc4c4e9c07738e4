import { expect, onTestFinished, test } from "vitest";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import { learnerModels } from "../domain/learner-model/models.ts";
import type { Loss, ReadModels } from "../ports/read-models.ts";
import { newView, type StoredView, switchView } from "../projections/live-view.ts";
import { liveKey } from "../projections/rows.ts";
import { createLiveViewWatcher } from "./live-view-watcher.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const viewOf = (generation: number) => newView(generation, learnerModels["lr-full"], 1);

function watched(readModels: ReadModels, onView: (stored: StoredView) => Promise<void>, pollMs = 600_000) {
  const losses: number[] = [];
  const watcher = createLiveViewWatcher({
    ...{ readModels, log: silent, onView, pollMs },
    onLoss: async () => void losses.push(1),
  });
  onTestFinished(() => watcher.stop());
  return { watcher, losses };
}

test("tells the first view, a switch at its word, and that there is none any more; each once", async () => {
  const readModels = createMemoryReadModels();
  await switchView(readModels, viewOf(1), 0);
  const told: (string | null)[] = [];
  const { watcher } = watched(readModels, async ({ view }) => void told.push(view?.namespace ?? null));
  await watcher.look();
  await watcher.look();
  await switchView(readModels, viewOf(2), 1, viewOf(1));
  await expect.poll(() => told).toEqual([1, 2].map((one) => viewOf(one).namespace));
  await readModels.remove([liveKey]);
  await expect.poll(() => told.at(-1)).toBeNull();
  await watcher.stop();
  await switchView(readModels, viewOf(3), 0);
  expect(told).toHaveLength(3);
});

test("a switch whose word is lost is found at the next look", async () => {
  const readModels = createMemoryReadModels();
  await switchView(readModels, viewOf(1), 0);
  const told: (string | null)[] = [];
  const deaf = { ...readModels, onChange: () => () => undefined };
  const { watcher } = watched(deaf, async ({ view }) => void told.push(view?.namespace ?? null), 5);
  await watcher.look();
  await switchView(readModels, viewOf(2), 1);
  await expect.poll(() => told.at(-1)).toBe(viewOf(2).namespace);
});

test("what could not be followed is told again; a loss is told after the view was looked at", async () => {
  const readModels = createMemoryReadModels();
  await switchView(readModels, viewOf(1), 0);
  const listeners = new Set<(rows: Loss) => void>();
  const losing: ReadModels = {
    ...readModels,
    onLoss(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  let tries = 0;
  const { watcher, losses } = watched(losing, async () => {
    tries += 1;
    if (tries < 3) throw new Error("not now");
  });
  await expect(watcher.look()).rejects.toThrow("not now");
  await expect(watcher.look()).rejects.toThrow("not now");
  for (const tell of listeners) tell("any");
  await expect.poll(() => losses.length).toBe(1);
  expect(tries).toBe(3);
  await watcher.stop();
  expect(listeners.size).toBe(0);
});
