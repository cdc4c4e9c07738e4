import { describe, expect, it } from "vitest";
import { policySchema, type TrackFields } from "../events.ts";
import { bankForLearner, buildBank, defaultPolicy } from "./bank.ts";
import { emptyCatalogue } from "./catalogue.ts";

type Needs = Record<string, number>;

function catalogueOf(options: {
  skills?: Record<string, Needs>;
  retiredSkills?: string[];
  items?: Record<string, { skillIds?: string[]; difficulty?: number; kind?: string; retired?: boolean }>;
  track?: Partial<TrackFields>;
}) {
  const catalogue = emptyCatalogue();
  for (const [skillId, needs] of Object.entries(options.skills ?? {})) {
    const prerequisites = Object.entries(needs).map(([id, weight]) => ({ skillId: id, weight }));
    const retired = options.retiredSkills?.includes(skillId) ?? false;
    catalogue.skills.set(skillId, { skillId, title: skillId, prerequisites, revision: 1, retired });
  }
  for (const [itemId, { skillIds = [], kind = "exercise", retired = false, ...rest }] of Object.entries(
    options.items ?? {},
  )) {
    catalogue.items.set(itemId, { itemId, title: itemId, skillIds, kind, tags: [], revision: 1, retired, ...rest });
  }
  catalogue.tracks.set("t", {
    trackId: "t",
    title: "T",
    itemIds: [],
    skillIds: [],
    policy: policySchema.parse({}),
    pinnedItemIds: [],
    barredItemIds: [],
    ...options.track,
    revision: 7,
    retired: false,
  });
  return catalogue;
}

const itemIds = (bank: ReturnType<typeof buildBank>): string[] => [...(bank?.items.keys() ?? [])].sort();
const needsOf = (bank: ReturnType<typeof buildBank>, skillId: string) =>
  Object.fromEntries((bank?.prerequisites.get(skillId) ?? []).map((p) => [p.skillId, p.weight]));

describe("buildBank", () => {
  it("is null for a track that is not there or is retired", () => {
    const catalogue = catalogueOf({});
    expect(buildBank(catalogue, "nowhere")).toBeNull();
    const track = catalogue.tracks.get("t");
    if (track !== undefined) catalogue.tracks.set("t", { ...track, retired: true });
    expect(buildBank(catalogue, "t")).toBeNull();
  });

  it("without a track holds every item, under the default policy", () => {
    const bank = buildBank(catalogueOf({ items: { x: {}, y: {} } }), null);
    expect(itemIds(bank)).toEqual(["x", "y"]);
    expect([bank?.policyVersion, bank?.policy]).toEqual(["default@0", defaultPolicy]);
  });

  it("holds an item of which nobody said how hard it is to be as hard as its skills", () => {
    const items = {
      own: { skillIds: ["hard"], difficulty: -1 },
      hard: { skillIds: ["hard"] },
      bare: { skillIds: ["b"] },
    };
    const both = { skillIds: ["hard", "easy", "b"] };
    const catalogue = catalogueOf({ skills: { hard: {}, easy: {}, b: {} }, items: { ...items, both } });
    for (const [id, difficulty] of [
      ["hard", 2],
      ["easy", -1],
    ] as const) {
      const skill = catalogue.skills.get(id);
      if (skill !== undefined) catalogue.skills.set(id, { ...skill, difficulty });
    }
    const bank = buildBank(catalogue, null);
    const priors = [...(bank?.items.values() ?? [])].map(({ itemId, difficulty }) => [itemId, difficulty]);
    expect(priors).toEqual([
      ["own", -1],
      ["hard", 2],
      ["bare", undefined],
      ["both", 0.5],
    ]);
    expect(bank?.bySkill.get("hard")?.map(({ itemId }) => itemId)).toEqual(["own", "both", "hard"]);
  });

  it("never holds what is retired, barred or of a kind not allowed, not even pinned or named", () => {
    const items = { ok: {}, gone: { retired: true }, barred: {}, video: { kind: "video" } };
    const every = Object.keys(items);
    const bank = buildBank(
      catalogueOf({
        items,
        track: {
          itemIds: every,
          pinnedItemIds: every,
          barredItemIds: ["barred"],
          policy: policySchema.parse({ itemKinds: ["exercise"] }),
        },
      }),
      "t",
    );
    expect(itemIds(bank)).toEqual(["ok"]);
    expect(bank?.pinned.map(({ itemId }) => itemId)).toEqual(["ok"]);
    expect(bank?.policyVersion).toBe("t@7");
  });

  it("holds the items named, those of the skills named, and the pinned", () => {
    const items = { named: {}, skilled: { skillIds: ["a"] }, pinned: { skillIds: ["b"] }, other: { skillIds: ["b"] } };
    const track = { itemIds: ["named"], skillIds: ["a"], pinnedItemIds: ["pinned"] };
    expect(itemIds(buildBank(catalogueOf({ skills: { a: {}, b: {} }, items, track }), "t"))).toEqual([
      "named",
      "pinned",
      "skilled",
    ]);
  });

  it("gives each learner of an experiment the bank of their arm: the same items under the arm's policy", () => {
    const experiment = {
      ...{ experimentId: "e", salt: "" },
      arms: [
        { arm: "as-before", share: 0.5, policy: {} },
        { arm: "harder", share: 0.5, policy: { targetSuccess: 0.6 } },
      ],
    };
    const policy = policySchema.parse({ reviewShare: 0.1 });
    const bank = buildBank(catalogueOf({ items: { x: {}, y: {} }, track: { experiment, policy } }), "t");
    if (bank === null) throw new Error("no bank");
    const own = Array.from({ length: 40 }, (_, at) => bankForLearner(bank, `learner-${at}`));
    expect(new Set(own.map(({ policyVersion }) => policyVersion))).toEqual(new Set(["t@7/as-before", "t@7/harder"]));
    for (const { arm, policy: used, allItems } of own) {
      expect(arm?.experimentId).toBe("e");
      expect(used).toEqual({ ...policy, targetSuccess: arm?.arm === "harder" ? 0.6 : 0.8 });
      expect(allItems).toBe(bank.allItems);
    }
    const without = buildBank(catalogueOf({ items: { x: {} } }), "t");
    expect(without === null ? null : bankForLearner(without, "ada")).toBe(without);
    expect(without?.arm).toBeNull();
  });

  it("sorts the items of each skill from easy to hard, without a prior in the middle", () => {
    const items = {
      hard: { skillIds: ["a"], difficulty: 2 },
      none: { skillIds: ["a", "a"] },
      easy: { skillIds: ["a", "b"], difficulty: -1 },
      free: {},
    };
    const bank = buildBank(catalogueOf({ skills: { a: {}, b: {} }, items }), null);
    expect(bank?.bySkill.get("a")?.map(({ itemId }) => itemId)).toEqual(["easy", "none", "hard"]);
    expect(bank?.bySkill.get("b")?.map(({ itemId }) => itemId)).toEqual(["easy"]);
    expect(bank?.withoutSkill.map(({ itemId }) => itemId)).toEqual(["free"]);
  });

  it("takes a retired skill off its items, and lets its prerequisites stand in for it", () => {
    const catalogue = catalogueOf({
      skills: { a: {}, b: { a: 0.5 }, c: { b: 0.8 } },
      retiredSkills: ["b"],
      items: { x: { skillIds: ["a"] }, y: { skillIds: ["b"] }, z: { skillIds: ["c", "b"] } },
    });
    const bank = buildBank(catalogue, null);
    expect(bank?.skillIds).toEqual(["a", "c"]);
    expect(bank?.withoutSkill.map(({ itemId }) => itemId)).toEqual(["y"]);
    expect(needsOf(bank, "c")).toEqual({ a: 0.4 });
  });

  it("asks for no prerequisite that cannot be practised in the track", () => {
    const catalogue = catalogueOf({
      skills: { a: {}, b: { a: 1 }, c: { b: 1, a: 0.5 }, d: { ghost: 1 } },
      items: { x: { skillIds: ["a"] }, y: { skillIds: ["b"] }, z: { skillIds: ["c"] }, w: { skillIds: ["d"] } },
      track: { skillIds: ["a", "c", "d"] },
    });
    const bank = buildBank(catalogue, "t");
    expect(bank?.skills.map(({ skillId, depth }) => [skillId, depth])).toEqual([
      ["a", 0],
      ["d", 0],
      ["c", 2],
    ]);
    expect(needsOf(bank, "c")).toEqual({ a: 1 });
    expect(needsOf(bank, "d")).toEqual({});
  });
});
