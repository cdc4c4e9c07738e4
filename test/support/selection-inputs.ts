import fc from "fast-check";
import { type Policy, policySchema, sessionTypes } from "../../src/domain/events.ts";
import { buildBank } from "../../src/domain/item-bank/bank.ts";
import { type Catalogue, emptyCatalogue, type Item } from "../../src/domain/item-bank/catalogue.ts";
import type { DueCard, ItemBank, SelectionInput } from "../../src/domain/item-selection/selection.ts";

/** A learner and a bank in a few lines, for examples. */
export interface Example {
  /** Prerequisites of each skill, with their weights. */
  readonly skills?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Skills of each item and its difficulty (0); p is sigmoid(1.4 - difficulty) unless given. */
  readonly items: Readonly<
    Record<string, { skillIds?: string[]; difficulty?: number; p?: number; kind?: string; retired?: boolean }>
  >;
  readonly policy?: Partial<Policy>;
  readonly pinned?: readonly string[];
  readonly barred?: readonly string[];
  readonly mastery?: Readonly<Record<string, number>>;
  readonly input?: Partial<SelectionInput>;
}

export const now = Date.UTC(2026, 0, 5);

export function selectionInput(example: Example): SelectionInput {
  const bank = bankOf(catalogueOf(example));
  return {
    bank,
    policy: bank.policy,
    sessionType: "practice",
    now,
    seed: "ada:1",
    predict: (item) => example.items[item.itemId]?.p ?? 1 / (1 + Math.exp((item.difficulty ?? 0) - 1.4)),
    mastery: (skillId) => ({ p: example.mastery?.[skillId] ?? 0.2, sd: 0.2, n: 3 }),
    recentItemIds: [],
    due: [],
    nextDueAt: null,
    size: 10,
    ...example.input,
  };
}

function bankOf(catalogue: Catalogue): ItemBank {
  const bank = buildBank(catalogue, "t");
  if (bank === null) throw new Error("the example has no track");
  return bank;
}

export function catalogueOf(example: Example): Catalogue {
  const catalogue = emptyCatalogue();
  const stored = { revision: 1, retired: false };
  for (const [skillId, needs] of Object.entries(example.skills ?? {})) {
    const prerequisites = Object.entries(needs).map(([id, weight]) => ({ skillId: id, weight }));
    catalogue.skills.set(skillId, { skillId, title: `Skill ${skillId}`, prerequisites, ...stored });
  }
  for (const [itemId, { p: _, ...fields }] of Object.entries(example.items)) {
    const item = { itemId, title: itemId, skillIds: [], kind: "exercise", tags: [] };
    catalogue.items.set(itemId, { ...item, ...stored, ...fields });
  }
  catalogue.tracks.set("t", {
    trackId: "t",
    title: "T",
    itemIds: [],
    skillIds: [],
    policy: { ...policySchema.parse({ explorationRate: 0 }), ...example.policy },
    pinnedItemIds: [...(example.pinned ?? [])],
    barredItemIds: [...(example.barred ?? [])],
    ...stored,
  });
  return catalogue;
}

/** An input with what it was made of. */
export interface RandomSelection {
  readonly catalogue: Catalogue;
  readonly input: SelectionInput;
  readonly mastery: Readonly<Record<string, number>>;
}

const skillIds = ["a", "b", "c", "d", "e", "f"] as const;
const share = fc.double({ min: 0, max: 1, noNaN: true });

const policies: fc.Arbitrary<Partial<Policy>> = fc.record({
  targetSuccess: fc.constantFrom(0.5, 0.8, 0.95),
  masteryThreshold: fc.constantFrom(0.6, 0.95),
  prerequisiteThreshold: fc.constantFrom(0, 0.5, 0.8),
  reviewShare: fc.constantFrom(0, 0.3, 0.5, 1),
  explorationRate: fc.constantFrom(0, 0.05, 0.5),
  doNotRepeat: fc.constantFrom(0, 3, 20),
  itemKinds: fc.constantFrom<string[][]>([], ["exercise"], ["exercise", "video"]),
});

const exampleItems = fc.array(
  fc.record({
    skillIds: fc.uniqueArray(fc.constantFrom(...skillIds), { maxLength: 2 }),
    difficulty: fc.option(fc.double({ min: -3, max: 3, noNaN: true }), { nil: undefined }),
    kind: fc.constantFrom("exercise", "exercise", "video"),
    retired: fc.boolean(),
    p: share,
  }),
  { maxLength: 60 },
);

/** Banks of up to 60 items on six skills with any prerequisites (cycles too), any learner, any policy and session. */
export const randomSelections: fc.Arbitrary<RandomSelection> = fc
  .record({
    needs: fc.array(fc.tuple(fc.constantFrom(...skillIds), fc.constantFrom(...skillIds), fc.constantFrom(0.5, 1)), {
      maxLength: 6,
    }),
    items: exampleItems,
    policy: policies,
    pinned: fc.uniqueArray(fc.nat(59), { maxLength: 3 }),
    barred: fc.uniqueArray(fc.nat(59), { maxLength: 10 }),
    mastery: fc.record(Object.fromEntries(skillIds.map((id) => [id, share]))),
    recent: fc.uniqueArray(fc.nat(59), { maxLength: 30 }),
    due: fc.array(fc.record({ skill: fc.constantFrom(...skillIds), item: fc.nat(59), by: fc.boolean() }), {
      maxLength: 8,
    }),
    session: fc.constantFrom(...sessionTypes),
    size: fc.nat(25),
    only: fc.option(fc.uniqueArray(fc.constantFrom(...skillIds), { maxLength: 3 }), { nil: undefined }),
    seed: fc.string(),
  })
  .map((random) => {
    const skills: Record<string, Record<string, number>> = Object.fromEntries(skillIds.map((id) => [id, {}]));
    for (const [skill, needed, weight] of random.needs) {
      const needs = skills[skill];
      if (needs !== undefined) needs[needed] = weight;
    }
    const items = Object.fromEntries(
      random.items.map(({ difficulty, ...item }, i) => [
        `i${i}`,
        difficulty === undefined ? item : { ...item, difficulty },
      ]),
    );
    const ids = (numbers: readonly number[]) => numbers.map((i) => `i${i}`);
    const due: DueCard[] = random.due.map(({ skill, item, by }, i) => ({
      skillId: by ? skill : null,
      itemId: by ? null : `i${item}`,
      dueAt: now - 1_000_000 + i,
    }));
    const example: Example = {
      skills,
      items,
      policy: random.policy,
      pinned: ids(random.pinned),
      barred: ids(random.barred),
      mastery: random.mastery,
      input: {
        sessionType: random.session,
        size: random.size,
        seed: random.seed,
        recentItemIds: ids(random.recent),
        due,
        upcoming: due.map((card) => ({ ...card, dueAt: now + 1_000_000 })),
        nextDueAt: now + 1_000_000,
        ...(random.only === undefined ? {} : { onlySkillIds: random.only }),
      },
    };
    return { catalogue: catalogueOf(example), input: selectionInput(example), mastery: random.mastery };
  });

export const allItems = ({ catalogue }: RandomSelection): Item[] => [...catalogue.items.values()];
