import { expect, test } from "vitest";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import { lrFull } from "../domain/learner-model/models.ts";
import { newView, switchView } from "../projections/live-view.ts";
import { createLiveViewReader } from "./live-view.ts";

test("a clock that is set back does not stop it from looking again", async () => {
  const readModels = createMemoryReadModels();
  let now = 10_000_000;
  const reader = createLiveViewReader(readModels, { now: () => now });
  const first = newView(1, lrFull, 1);
  await switchView(readModels, first, 0);
  expect((await reader.current())?.namespace).toBe(first.namespace);
  const second = newView(2, lrFull, 1);
  await switchView(readModels, second, 1);
  now -= 3_600_000;
  await reader.current();
  await expect.poll(async () => (await reader.current())?.namespace).toBe(second.namespace);
});
