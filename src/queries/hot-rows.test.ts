import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import { emptyCatalogue } from "../domain/item-bank/catalogue.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { encodePopular, type LiveView, learnerKey, popularKey, topField } from "../projections/rows.ts";
import { createHotRows } from "./hot-rows.ts";
import { createPopularReader } from "./popular.ts";
import { createRowCache } from "./row-cache.ts";

const view: LiveView = { namespace: "n", partitions: 1, model: "elo", format: 1 };
const log = pino({ level: "silent" });
const catalogue = { catalogue: emptyCatalogue(), version: 1, bank: () => null, catchUp: () => Promise.resolve() };

/** A process that answers: its memory, and what it was told of it. */
function processOn(readModels: ReadModels) {
  const lookUps: string[] = [];
  const onLookUp = (kind: string, found: string): void => void lookUps.push(`${kind} ${found}`);
  const clock = { now: () => 1_000_000 };
  const liveView = { current: () => view };
  const rows = createRowCache({ readModels, clock, onLookUp });
  const popular = createPopularReader({ readModels, liveView, clock, onLookUp }, true);
  const hot = createHotRows({ readModels, liveView, rows, popular, catalogue, clock, log });
  const ask = async (learnerId: string): Promise<void> => void (await rows.get("n", learnerId, "next"));
  return { rows, popular, hot, ask, lookUps };
}

async function learners(readModels: ReadModels, ...ids: string[]): Promise<void> {
  const set = new Map([["next", Buffer.from("list")]]);
  await readModels.write(ids.map((id) => ({ key: learnerKey("n", id), from: 0, to: 1, set })));
}

describe("what is asked for most", () => {
  test("is in the memory of a process that starts, before anybody asks it", async () => {
    const readModels = createMemoryReadModels();
    await learners(readModels, "ada", "bob", "cleo");
    const top = encodePopular({ position: 7, items: [] });
    const list = { key: popularKey("n", "skill:adding", "all"), from: 0, to: 1, set: new Map([[topField, top]]) };
    await readModels.write([list]);
    const first = processOn(readModels);
    await first.ask("ada");
    await first.ask("bob");
    await first.popular.list("skill:adding", "all");
    await first.hot.note();

    const second = processOn(readModels);
    await second.hot.warmUp(1_000);
    expect(second.rows.hottest(9).sort()).toEqual(["ada", "bob"]);
    second.lookUps.length = 0;
    await second.ask("ada");
    expect((await second.popular.list("skill:adding", "all")).position).toBe(7);
    await second.popular.list("all", "week");
    await second.ask("cleo");
    expect(second.lookUps).toEqual(["list hit", "popular hit", "popular hit", "list miss"]);
  });

  test("is what all processes are asked for, the last first, and ids without a row are not noted", async () => {
    const readModels = createMemoryReadModels();
    await learners(readModels, "ada", "bob", "cleo");
    const [first, second] = [processOn(readModels), processOn(readModels)];
    await first.ask("ada");
    await first.ask("bob");
    await first.ask("nobody");
    await first.hot.note();
    await second.ask("cleo");
    await second.ask("ada");
    await second.hot.note();
    const third = processOn(readModels);
    await third.hot.warmUp(1_000);
    // Read in this order, so the last of them counts as used last.
    expect(third.rows.hottest(9)).toEqual(["bob", "cleo", "ada"]);
  });

  test("a process that was asked nothing leaves what others noted as it is", async () => {
    const readModels = createMemoryReadModels();
    await learners(readModels, "ada");
    const first = processOn(readModels);
    await first.ask("ada");
    await first.hot.note();
    await processOn(readModels).hot.note();
    const third = processOn(readModels);
    await third.hot.warmUp(1_000);
    expect(third.rows.hottest(9)).toEqual(["ada"]);
  });

  test("read models that hang, or are gone, hold a start up no longer than told", async () => {
    const memory = createMemoryReadModels();
    const hanging = processOn({ ...memory, get: () => new Promise(() => undefined) });
    const startedAt = performance.now();
    await hanging.hot.warmUp(50);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    const gone = processOn({ ...memory, get: () => Promise.reject(new Error("gone")) });
    await gone.hot.warmUp(1_000);
  });
});
