import { afterEach, describe, expect, it } from "vitest";
import { createMemoryLog } from "../adapters/event-store/memory.ts";
import type { AppendRequest } from "../ports/event-store.ts";
import type { Log } from "../ports/log.ts";
import { createCatalogueFollower } from "../workers/catalogue-follower.ts";
import { defineSkills, retireSkills } from "./define-skills.ts";
import { defineTracks, retireTracks } from "./define-tracks.ts";
import type { CatalogueCommandDeps } from "./handle.ts";
import { publishItems, retireItems } from "./publish-items.ts";

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

type MemoryLog = ReturnType<typeof createMemoryLog>;

/** One process on a log: its own catalogue, its own commands. `beforeAppend` runs once, where another gets in first. */
async function processOn(log: MemoryLog, beforeAppend?: () => Promise<unknown>) {
  const catalogue = createCatalogueFollower({ feed: log, log: silent });
  stops.push(catalogue.stop);
  await catalogue.start();
  let ids = 0;
  const name = `${stops.length}`;
  const deps: CatalogueCommandDeps = {
    eventStore: {
      async append(requests: readonly AppendRequest[]) {
        const first = beforeAppend;
        beforeAppend = undefined;
        await first?.();
        return log.append(requests);
      },
    },
    catalogue,
    clock: { now: () => Date.UTC(2026, 0, 5) },
    randomId: () => `00000000-0000-4000-8000-${`${name}0${++ids}`.padStart(12, "0")}`,
  };
  return { deps, catalogue };
}

const typesIn = async (log: MemoryLog, stream: string) =>
  (await log.readStream(stream, { limit: 100 })).map(({ type }) => type);

describe("publishItems", () => {
  it("happened: stores, says so in input order, and is read at once", async () => {
    const log = createMemoryLog();
    const { deps, catalogue } = await processOn(log);
    await defineSkills(deps, [{ skillId: "a", title: "A" }]);
    const outcomes = await publishItems(
      deps,
      [
        { itemId: "x", title: "X", skillIds: ["a"] },
        { itemId: "y", title: "Y", skillIds: [], difficulty: 1.5 },
      ],
      { apiKeyId: "key", traceparent: "00-1-2-03" },
    );
    expect(outcomes).toEqual([
      { index: 0, id: "x", status: "published" },
      { index: 1, id: "y", status: "published" },
    ]);
    expect(catalogue.catalogue.items.get("y")).toMatchObject({ difficulty: 1.5, kind: "exercise", revision: 1 });
    expect(catalogue.bank(null)?.items.size).toBe(2);
    expect((await log.readStream("item-x", { limit: 9 }))[0]).toMatchObject({
      type: "ItemPublished",
      recordedAt: "2026-01-05T00:00:00.000Z",
      metadata: { schemaVersion: 1, apiKeyId: "key", traceparent: "00-1-2-03" },
    });
  });

  it("already done: the same again stores nothing; changes, retirement and return do", async () => {
    const log = createMemoryLog();
    const { deps } = await processOn(log);
    const x = { itemId: "x", title: "X", skillIds: [] };
    const statusOf = async (outcomes: Promise<{ status: string }[]>) => (await outcomes).map(({ status }) => status);
    expect(await statusOf(publishItems(deps, [x, x]))).toEqual(["published", "unchanged"]);
    expect(await statusOf(publishItems(deps, [x, { ...x, title: "Z" }, x]))).toEqual([
      "unchanged",
      "revised",
      "revised",
    ]);
    expect(await statusOf(retireItems(deps, ["x", "x", "nothing"]))).toEqual(["retired", "unchanged", "refused"]);
    expect(await statusOf(publishItems(deps, [x]))).toEqual(["published"]);
    expect(await typesIn(log, "item-x")).toEqual([
      "ItemPublished",
      "ItemRevised",
      "ItemRevised",
      "ItemRetired",
      "ItemPublished",
    ]);
  });

  it("wrong version: decides again on what the other process made of it", async () => {
    const log = createMemoryLog();
    const other = await processOn(log);
    const mine = await processOn(log, () => publishItems(other.deps, [{ itemId: "x", title: "Theirs", skillIds: [] }]));
    const outcomes = await publishItems(mine.deps, [
      { itemId: "x", title: "Mine", skillIds: [] },
      { itemId: "y", title: "Y", skillIds: [] },
    ]);
    expect(outcomes).toEqual([
      { index: 0, id: "x", status: "revised" },
      { index: 1, id: "y", status: "published" },
    ]);
    expect(await typesIn(log, "item-x")).toEqual(["ItemPublished", "ItemRevised"]);
  });

  it("wrong version: what the other made the same is unchanged", async () => {
    const log = createMemoryLog();
    const x = { itemId: "x", title: "X", skillIds: [] };
    const other = await processOn(log);
    const mine = await processOn(log, () => publishItems(other.deps, [x]));
    expect(await publishItems(mine.deps, [x])).toEqual([{ index: 0, id: "x", status: "unchanged" }]);
    expect(await typesIn(log, "item-x")).toEqual(["ItemPublished"]);
  });

  it("gives up after a bounded number of lost races, and says so", async () => {
    const log = createMemoryLog();
    const { deps } = await processOn(log);
    let appends = 0;
    const eventStore = {
      append: async (requests: readonly AppendRequest[]) => {
        appends += 1;
        return requests.map(() => ({ status: "conflict", actual: 1, why: "always" }) as const);
      },
    };
    const [outcome] = await publishItems({ ...deps, eventStore }, [{ itemId: "x", title: "X", skillIds: [] }]);
    expect(outcome).toMatchObject({ id: "x", status: "refused", problem: { code: "conflict" } });
    expect(appends).toBe(8);
  });

  it("refuses what it cannot read or does not know, names the field, and loses no neighbour", async () => {
    const { deps } = await processOn(createMemoryLog());
    const outcomes = await publishItems(deps, [
      { itemId: "x", title: "X", skillIds: ["ghost"] },
      { itemId: "y", title: "Y", skils: [] },
      null,
      { itemId: "z", title: "Z", skillIds: [] },
    ]);
    expect(outcomes.map(({ index, id, status }) => [index, id, status])).toEqual([
      [0, "x", "refused"],
      [1, "y", "refused"],
      [2, null, "refused"],
      [3, "z", "published"],
    ]);
    expect(outcomes[0]).toMatchObject({
      problem: {
        code: "unknown_skill",
        detail: 'skill "ghost" is not defined',
        errors: [{ path: "skillIds.0", message: 'skill "ghost" is not defined' }],
      },
    });
    expect(outcomes[1]).toMatchObject({ problem: { code: "invalid_item" } });
    expect(JSON.stringify(outcomes[1])).toMatch(/"path":"skils","message":"unknown field"/);
    expect(await retireItems(deps, ["no such", ""])).toMatchObject([
      { id: null, problem: { code: "invalid_item" } },
      { id: null, problem: { code: "invalid_item" } },
    ]);
  });

  it("knows what another process has just defined", async () => {
    const log = createMemoryLog();
    const [other, mine] = [await processOn(log), await processOn(log)];
    for (let i = 0; i < 20; i++) {
      await defineSkills(other.deps, [{ skillId: `s${i}`, title: "S" }]);
      const asked = { itemId: `x${i}`, title: "X", skillIds: [`s${i}`] };
      expect(await publishItems(mine.deps, [asked])).toMatchObject([{ status: "published" }]);
    }
  });

  it("in one process commands wait for each other: 20 at once on one item lose no race", async () => {
    const log = createMemoryLog();
    const { deps } = await processOn(log);
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => publishItems(deps, [{ itemId: "x", title: `Title ${i}`, skillIds: [] }])),
    );
    expect(all.flat().map(({ status }) => status)).toEqual(["published", ...new Array(19).fill("revised")]);
    expect(await log.readStream("item-x", { limit: 100 })).toHaveLength(20);
  });

  it("goes on after the log was away: nothing of the failure is kept", async () => {
    const log = createMemoryLog();
    const { deps } = await processOn(log, () => Promise.reject(new Error("away")));
    const x = { itemId: "x", title: "X", skillIds: [] };
    await expect(publishItems(deps, [x])).rejects.toThrow("away");
    expect(await publishItems(deps, [x])).toMatchObject([{ status: "published" }]);
  });
});

describe("defineSkills", () => {
  it("takes skills that ask for one another, and retires them", async () => {
    const { deps, catalogue } = await processOn(createMemoryLog());
    const outcomes = await defineSkills(deps, [
      { skillId: "b", title: "B", prerequisites: [{ skillId: "a", weight: 0.5 }] },
      { skillId: "a", title: "A" },
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["published", "published"]);
    expect(catalogue.catalogue.skills.get("b")?.prerequisites).toEqual([{ skillId: "a", weight: 0.5 }]);
    expect(await defineSkills(deps, [{ skillId: "a", title: "A" }])).toMatchObject([{ status: "unchanged" }]);
    expect(await retireSkills(deps, ["a", "a", "c"])).toMatchObject([
      { status: "retired" },
      { status: "unchanged" },
      { status: "refused", problem: { code: "unknown_skill" } },
    ]);
  });

  it("refuses a cycle by name, a stranger by name, and a prerequisite named twice", async () => {
    const { deps } = await processOn(createMemoryLog());
    const outcomes = await defineSkills(deps, [
      { skillId: "a", title: "A", prerequisites: [{ skillId: "b" }] },
      { skillId: "b", title: "B", prerequisites: [{ skillId: "a" }] },
      { skillId: "c", title: "C", prerequisites: [{ skillId: "ghost" }] },
      { skillId: "d", title: "D", prerequisites: [{ skillId: "a" }, { skillId: "a" }] },
    ]);
    expect(outcomes.map((outcome) => (outcome.status === "refused" ? outcome.problem.code : outcome.status))).toEqual([
      "unknown_skill",
      "skill_cycle",
      "unknown_skill",
      "invalid_skill",
    ]);
    expect(JSON.stringify(outcomes[1])).toContain("b -> a -> b");
    expect(JSON.stringify(outcomes[2])).toContain("ghost");
  });

  it("two processes that close a cycle together: the second sees it and is refused", async () => {
    const log = createMemoryLog();
    const other = await processOn(log);
    await defineSkills(other.deps, [
      { skillId: "a", title: "A" },
      { skillId: "b", title: "B" },
    ]);
    const mine = await processOn(log, () =>
      defineSkills(other.deps, [
        { skillId: "a", title: "A", prerequisites: [{ skillId: "b" }] },
        { skillId: "b", title: "B2" },
      ]),
    );
    const asked = { skillId: "b", title: "B", prerequisites: [{ skillId: "a" }] };
    expect(await defineSkills(mine.deps, [asked])).toMatchObject([
      { status: "refused", problem: { code: "skill_cycle" } },
    ]);
  });

  it("two processes that each store one edge of a cycle break no reader", async () => {
    const log = createMemoryLog();
    const other = await processOn(log);
    await defineSkills(other.deps, [
      { skillId: "a", title: "A" },
      { skillId: "b", title: "B" },
    ]);
    await publishItems(other.deps, [
      { itemId: "x", title: "X", skillIds: ["a"] },
      { itemId: "y", title: "Y", skillIds: ["b"] },
    ]);
    const edge = (skillId: string, needed: string) => ({
      skillId,
      title: skillId,
      prerequisites: [{ skillId: needed }],
    });
    const mine = await processOn(log, () => defineSkills(other.deps, [edge("a", "b")]));
    expect(await defineSkills(mine.deps, [edge("b", "a")])).toMatchObject([{ status: "revised" }]);
    await other.catalogue.catchUp();
    const edgesIn = (process: typeof mine) =>
      process.catalogue.bank(null)?.skills.map(({ skillId, prerequisites }) => [skillId, prerequisites.length]);
    expect(edgesIn(mine)).toEqual([
      ["b", 0],
      ["a", 1],
    ]);
    expect(edgesIn(other)).toEqual(edgesIn(mine));
  });
});

describe("defineTracks", () => {
  it("published, unchanged, revised, retired, and back", async () => {
    const { deps, catalogue } = await processOn(createMemoryLog());
    const track = { trackId: "t", title: "T", policy: { targetSuccess: 0.7 } };
    const define = async (input: object) => (await defineTracks(deps, [input]))[0]?.status;
    expect(await define(track)).toBe("published");
    expect(catalogue.bank("t")?.policy).toMatchObject({ targetSuccess: 0.7, masteryThreshold: 0.95 });
    expect(await define(track)).toBe("unchanged");
    expect(await define({ trackId: "t", title: "T" })).toBe("revised");
    expect((await retireTracks(deps, ["t"]))[0]?.status).toBe("retired");
    expect(catalogue.bank("t")).toBeNull();
    expect(await define(track)).toBe("published");
    expect(catalogue.bank("t")?.policyVersion).toBe("t@4");
  });

  it("refuses unknown items and a policy it cannot read, by field", async () => {
    const { deps } = await processOn(createMemoryLog());
    const outcomes = await defineTracks(deps, [
      { trackId: "t", title: "T", pinnedItemIds: ["ghost"] },
      { trackId: "u", title: "U", policy: { targetSuccess: 2, reviewSahre: 0.2 } },
    ]);
    expect(outcomes).toMatchObject([
      { id: "t", problem: { code: "unknown_item", errors: [{ path: "pinnedItemIds.0" }] } },
      { id: "u", problem: { code: "invalid_track" } },
    ]);
    expect(JSON.stringify(outcomes[1])).toMatch(/policy\.targetSuccess.*policy\.reviewSahre/);
  });
});
