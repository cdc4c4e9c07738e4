import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type DomainEvent,
  type Experiment,
  type ItemFields,
  policySchema,
  type SkillFields,
  type TrackFields,
} from "../events.ts";
import { type Catalogue, emptyCatalogue, evolveCatalogue } from "./catalogue.ts";
import { decidePublishItem, decidePublishItems, decideRetireItem } from "./decide-item.ts";
import { decideRetireSkill, decideSkills } from "./decide-skill.ts";
import { decideDefineTrack, decideDefineTracks, decideRetireTrack } from "./decide-track.ts";
import { type Decision, decideRetirements } from "./decision.ts";
import { foldSkillGraph } from "./skill-graph.ts";

type ExperimentArmFields = Experiment["arms"][number];
const item = (itemId: string, more: Partial<ItemFields> = {}): ItemFields => ({
  itemId,
  title: itemId,
  skillIds: [],
  kind: "exercise",
  tags: [],
  ...more,
});
const skill = (skillId: string, ...needs: string[]): SkillFields => ({
  skillId,
  title: skillId,
  prerequisites: needs.map((id) => ({ skillId: id, weight: 1 })),
});
const track = (trackId: string, more: Partial<TrackFields> = {}): TrackFields => ({
  trackId,
  title: trackId,
  itemIds: [],
  skillIds: [],
  policy: policySchema.parse({}),
  pinnedItemIds: [],
  barredItemIds: [],
  ...more,
});

/** Folds decisions as the log would hand them back. */
function apply(catalogue: Catalogue, decisions: readonly Decision[]): void {
  for (const decision of decisions) {
    for (const event of decision.status === "refused" ? [] : decision.events) {
      const position = catalogue.position + 1;
      evolveCatalogue(catalogue, { ...event, position, revision: position } as DomainEvent);
    }
  }
}
const statuses = (decisions: readonly Decision[]) => decisions.map(({ status }) => status);

describe("items", () => {
  const live = { retired: false };
  const stored = { ...item("x", { skillIds: ["a"], difficulty: 1 }), revision: 1, retired: false };
  const skills = new Map([
    ["a", live],
    ["old", { retired: true }],
  ]);

  it("published: new", () => {
    const fields = item("x", { skillIds: ["a", "a"], tags: ["t", "t"] });
    expect(decidePublishItem(fields, undefined, skills)).toEqual({
      status: "published",
      events: [{ type: "ItemPublished", data: { ...fields, skillIds: ["a"], tags: ["t"] } }],
    });
  });

  it("unchanged: says what stands, even where its skill has been retired since", () => {
    const same = item("x", { difficulty: 1, skillIds: ["a"] });
    expect(decidePublishItem(same, stored, skills).status).toBe("unchanged");
    expect(decidePublishItem(same, stored, new Map([["a", { retired: true }]])).status).toBe("unchanged");
  });

  it("revised: any difference, and an optional field left out", () => {
    const changed = [item("x", { skillIds: ["a"] }), item("x", { skillIds: ["a"], difficulty: 1, title: "X" })];
    for (const fields of changed) {
      expect(decidePublishItem(fields, stored, skills)).toMatchObject({
        status: "revised",
        events: [{ type: "ItemRevised" }],
      });
    }
  });

  it("published: back from retirement, with the same content or not", () => {
    expect(decidePublishItem(item("x"), { ...stored, retired: true }, skills)).toMatchObject({
      status: "published",
      events: [{ type: "ItemPublished" }],
    });
  });

  it("refused: names the skill it does not know, and the field", () => {
    expect(decidePublishItem(item("x", { skillIds: ["a", "b"] }), undefined, skills)).toEqual({
      status: "refused",
      code: "unknown_skill",
      detail: 'skill "b" is not defined',
      path: "skillIds.1",
    });
    expect(decidePublishItem(item("x", { skillIds: ["old"] }), undefined, skills)).toMatchObject({
      detail: 'skill "old" is retired',
    });
  });

  it("retires once", () => {
    expect(decideRetireItem("x", stored).status).toBe("retired");
    expect(decideRetireItem("x", { ...stored, retired: true }).status).toBe("unchanged");
    expect(decideRetireItem("x", undefined)).toMatchObject({ status: "refused", code: "unknown_item" });
    const entries = new Map([["x", stored]]);
    expect(statuses(decideRetirements(["x", "x", "y"], entries, decideRetireItem))).toEqual([
      "retired",
      "unchanged",
      "refused",
    ]);
  });

  it("decides one given twice in order", () => {
    const decisions = decidePublishItems([item("y"), item("y"), item("y", { title: "Z" })], new Map(), skills);
    expect(statuses(decisions)).toEqual(["published", "unchanged", "revised"]);
  });
});

describe("skills", () => {
  it("may ask for one another in one request, in any order", () => {
    const none = new Map();
    expect(statuses(decideSkills([skill("c", "b"), skill("b", "a"), skill("a")], none))).toEqual([
      "published",
      "published",
      "published",
    ]);
  });

  it("refuses the one that closes a cycle, names it, and what leans on it alone", () => {
    const decisions = decideSkills([skill("a", "b"), skill("b", "c"), skill("c", "a"), skill("d")], new Map());
    expect(decisions[2]).toEqual({
      status: "refused",
      code: "skill_cycle",
      detail: "prerequisites form a cycle: c -> a -> b -> c (each asks for the next)",
      path: "prerequisites",
    });
    expect(decisions[1]).toMatchObject({ code: "unknown_skill", detail: 'skill "c" is not defined' });
    expect(statuses(decisions)).toEqual(["refused", "refused", "refused", "published"]);
  });

  it("refuses a cycle with what is stored, and leaves the rest", () => {
    const catalogue = emptyCatalogue();
    apply(catalogue, decideSkills([skill("a"), skill("b", "a")], catalogue.skills));
    const decisions = decideSkills([skill("a", "b"), skill("c", "a")], catalogue.skills);
    expect(decisions[0]).toMatchObject({
      code: "skill_cycle",
      detail: "prerequisites form a cycle: a -> b -> a (each asks for the next)",
    });
    expect(decisions[1]).toMatchObject({ status: "published" });
  });

  it("refuses unknown and retired prerequisites by name", () => {
    const catalogue = emptyCatalogue();
    apply(catalogue, decideSkills([skill("old")], catalogue.skills));
    apply(catalogue, [decideRetireSkill("old", catalogue.skills.get("old"))]);
    const decisions = decideSkills([skill("a", "ghost"), skill("b", "old"), skill("old")], new Map());
    expect(decisions[0]).toMatchObject({ detail: 'skill "ghost" is not defined', path: "prerequisites.0.skillId" });
    expect(decideSkills([skill("b", "old")], catalogue.skills)[0]).toMatchObject({ detail: 'skill "old" is retired' });
    expect(statuses(decideSkills([skill("b", "old"), skill("old")], catalogue.skills))).toEqual([
      "published",
      "published",
    ]);
  });

  it("however skills are defined, retired and defined again, the stored graph stays acyclic, and a repeat is unchanged", () => {
    const ids = ["a", "b", "c", "d", "e"];
    const definitions = fc.record({
      skillId: fc.constantFrom(...ids),
      needs: fc.uniqueArray(fc.constantFrom(...ids), { maxLength: 3 }),
    });
    const steps = fc.oneof(fc.array(definitions, { maxLength: 6 }), fc.constantFrom(...ids));
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 8 }), (all) => {
        const catalogue = emptyCatalogue();
        for (const step of all) {
          if (typeof step === "string") {
            apply(catalogue, [decideRetireSkill(step, catalogue.skills.get(step))]);
            expect(decideRetireSkill(step, catalogue.skills.get(step)).status).not.toBe("retired");
            continue;
          }
          const asked = step.map(({ skillId, needs }) => skill(skillId, ...needs));
          const decisions = decideSkills(asked, catalogue.skills);
          apply(catalogue, decisions);
          const stood = asked.filter(
            (one, at) => decisions[at]?.status !== "refused" && isLast(one, at, asked, decisions),
          );
          expect(statuses(decideSkills(stood, catalogue.skills))).toEqual(stood.map(() => "unchanged"));
        }
        const live = [...catalogue.skills.values()].filter(({ retired }) => !retired);
        const kept = foldSkillGraph(live).prerequisites;
        const known = new Set(live.map(({ skillId }) => skillId));
        for (const { skillId, prerequisites } of live) {
          expect(kept.get(skillId)).toEqual(prerequisites.filter((needed) => known.has(needed.skillId)));
        }
      }),
      { numRuns: 300 },
    );
  });
});

function isLast(one: SkillFields, at: number, asked: readonly SkillFields[], decisions: readonly Decision[]): boolean {
  return !asked.some((other, i) => i > at && other.skillId === one.skillId && decisions[i]?.status !== "refused");
}

describe("tracks", () => {
  const entries = new Map([["x", { retired: true, kind: "exercise" }]]);
  const stored = { ...track("t", { itemIds: ["x"] }), revision: 1, retired: false };

  it("published, revised, unchanged, back from retirement", () => {
    const asked = track("t", { itemIds: ["x", "x"] });
    expect(decideDefineTrack(asked, undefined, entries, entries)).toMatchObject({
      status: "published",
      events: [{ type: "TrackDefined", data: { itemIds: ["x"] } }],
    });
    expect(decideDefineTrack(asked, stored, entries, entries).status).toBe("unchanged");
    expect(decideDefineTrack(track("t"), stored, entries, entries).status).toBe("revised");
    expect(decideDefineTrack(asked, { ...stored, retired: true }, entries, entries).status).toBe("published");
  });

  it.each([
    ["itemIds", "unknown_item", 'there is no item "y"'],
    ["pinnedItemIds", "unknown_item", 'there is no item "y"'],
    ["barredItemIds", "unknown_item", 'there is no item "y"'],
    ["skillIds", "unknown_skill", 'there is no skill "y"'],
  ])("refuses an id in %s that it does not know", (field, code, detail) => {
    const asked = track("t", { [field]: ["x", "y"] });
    expect(decideDefineTrack(asked, undefined, entries, entries)).toEqual({
      status: "refused",
      code,
      detail,
      path: `${field}.1`,
    });
  });

  describe("with an experiment", () => {
    const arms = [
      { arm: "as-before", share: 0.5, policy: {} },
      { arm: "harder", share: 0.5, policy: { targetSuccess: 0.6 } },
    ];
    const experiment: Experiment = { experimentId: "e", salt: "", arms };
    const before: Catalogue = emptyCatalogue();
    apply(before, decideDefineTracks([track("t", { experiment })], before));
    const decide = (more: Partial<Experiment>, trackId = "t") =>
      decideDefineTracks([track(trackId, { experiment: { ...experiment, ...more } })], before)[0];

    it("happened: it begins, other shares and another arm revise the track, and leaving it out ends it", () => {
      expect(before.tracks.get("t")?.experiment).toEqual(experiment);
      const [first, second] = arms as [ExperimentArmFields, ExperimentArmFields];
      const shares = [
        { ...first, share: 0.2 },
        { ...second, share: 0.8 },
      ];
      expect(decide({ arms: shares })?.status).toBe("revised");
      expect(decide({ arms: [...shares, { arm: "third", share: 0, policy: {} }] })?.status).toBe("revised");
      const ended = decideDefineTracks([track("t")], before);
      expect(statuses(ended)).toEqual(["revised"]);
      expect(ended[0]).not.toHaveProperty("events.0.data.experiment");
    });

    it("already done: unchanged", () => {
      expect(decide({})?.status).toBe("unchanged");
    });

    it.each<[string, Partial<Experiment>, string, string]>([
      ["another salt", { salt: "2" }, "experiment_changed", "experiment.salt"],
      ["another control", { arms: arms.toReversed() }, "experiment_changed", "experiment.arms.0.arm"],
      [
        "another policy in an arm",
        { arms: arms.map((arm) => ({ ...arm, policy: { targetSuccess: 0.7 } })) },
        "experiment_changed",
        "experiment.arms.0.policy",
      ],
    ])("refused: %s", (_what, more, code, path) => {
      expect(decide(more)).toMatchObject({ status: "refused", code, path });
    });

    it("refused: an experiment of another track, ended or in the same request", () => {
      const ended: Catalogue = emptyCatalogue();
      apply(ended, decideDefineTracks([track("t", { experiment }), track("t")], ended));
      expect(ended.tracks.get("t")?.experiment).toBeUndefined();
      const other = track("other", { experiment });
      for (const decisions of [
        decideDefineTracks([other], ended),
        decideDefineTracks([track("t", { experiment }), other], emptyCatalogue()),
      ]) {
        expect(decisions.at(-1)).toMatchObject({ code: "experiment_taken", path: "experiment.experimentId" });
      }
    });
  });

  it("retires once", () => {
    expect(decideRetireTrack("t", stored).status).toBe("retired");
    expect(decideRetireTrack("t", { ...stored, retired: true }).status).toBe("unchanged");
    expect(decideRetireTrack("t", undefined)).toMatchObject({ code: "unknown_track" });
  });
});
