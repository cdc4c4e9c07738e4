import fc from "fast-check";
import { type Policy, policySchema, sessionTypes, type TopicShare } from "../../src/domain/events.ts";
import { buildBank } from "../../src/domain/item-bank/bank.ts";
import { type Catalogue, emptyCatalogue, type Item } from "../../src/domain/item-bank/catalogue.ts";
import type { DueCard, ItemBank, SelectionInput } from "../../src/domain/item-selection/selection.ts";

/** A learner and a bank in a few lines, for examples. */
export interface Example {
  /** Prerequisites of each skill, with their weights. */
  readonly skills?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Skills of each item and its difficulty (0); p is sigmoid(1.4 - difficulty) unless given. */
  readonly items: Readonly<
    Record<
      string,
      Partial<Pick<Item, "skillIds" | "difficulty" | "kind" | "retired" | "tags" | "expectedSeconds">> & { p?: number }
    >
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
/** Even over 0..1: a double of fast-check is mostly one of the ends. */
const share = fc.noBias(fc.integer({ min: 0, max: 1000 })).map((n) => n / 1000);

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
    retired: fc.constantFrom(false, false, false, true),
    tags: fc.subarray(["#x", "#y"]),
    expectedSeconds: fc.option(fc.constantFrom(10, 60, 700), { nil: undefined }),
    p: share,
  }),
  // Without a size, nearly all banks would have a handful of items.
  { maxLength: 60, size: "max" },
);

const topics = fc.array(
  fc.tuple(fc.constantFrom("a", "b", "c", "#x", "#y"), fc.constantFrom(0, 0.2, 0.5), fc.constantFrom(0.1, 0.5, 1)).map(
    ([topic, minShare, maxShare]): TopicShare => ({
      ...(topic.startsWith("#") ? { tag: topic } : { skillId: topic }),
      ...{ minShare: Math.min(minShare, maxShare), maxShare },
    }),
  ),
  { minLength: 1, maxLength: 3 },
);

const noGuards = fc.constant<Partial<Policy>>({});

/** What a policy may set beyond its numbers. */
const guards: fc.Arbitrary<Partial<Policy>> = fc.record({
  exposure: fc.record({
    timesMax: fc.constantFrom(null, null, null, 1, 3),
    restDays: fc.constantFrom(null, 1, 10),
    learnerShareMax: fc.constantFrom(1, 1, 1, 0.5, 0.1),
  }),
  topics: fc.oneof(fc.constant<TopicShare[]>([]), topics),
  interleaving: fc.constantFrom(0, 0.4, 0.95),
  reviewWait: fc.record({ tolerance: fc.constantFrom(0, 0.25, 1), daysMax: fc.constantFrom(0, 1, 14) }),
  masteryNeeds: fc.record({
    answersMin: fc.constantFrom(0, 5),
    hardAnswersMin: fc.constantFrom(0, 2),
    pMax: fc.constantFrom(0.5, 0.85),
    recallMin: fc.constantFrom(0, 0.8),
  }),
  maintenance: fc.boolean(),
  sessionBudget: fc.record({
    minutes: fc.constantFrom(null, null, null, 1, 10),
    items: fc.constantFrom(null, null, 3),
  }),
});

/** Banks of up to 60 items on six skills with any prerequisites (cycles too), any learner, any policy and session. */
export const randomSelections = selectionsUnder(noGuards);

/** The same under policies with guard rails: exposure, topics, evidence of mastery, budgets. */
export const guardedSelections = selectionsUnder(guards);

/** Practice under a mix of topics and nothing else. */
export const mixedSelections = selectionsUnder(fc.record({ topics, maintenance: fc.boolean() })).map((random) => ({
  ...random,
  input: { ...random.input, sessionType: "practice" as const },
}));

function selectionsUnder(guarded: fc.Arbitrary<Partial<Policy>>): fc.Arbitrary<RandomSelection> {
  return fc.record(parts(guarded)).map(toSelection);
}

type Parts = ReturnType<typeof parts>;
type Random = { [K in keyof Parts]: Parts[K] extends fc.Arbitrary<infer T> ? T : never };

function parts(guarded: fc.Arbitrary<Partial<Policy>>) {
  return {
    needs: fc.array(fc.tuple(fc.constantFrom(...skillIds), fc.constantFrom(...skillIds), fc.constantFrom(0.5, 1)), {
      maxLength: 6,
    }),
    items: exampleItems,
    policy: policies,
    guarded,
    pinned: fc.uniqueArray(fc.nat(59), { maxLength: 3 }),
    barred: fc.uniqueArray(fc.nat(59), { maxLength: 10 }),
    mastery: fc.record(Object.fromEntries(skillIds.map((id) => [id, share]))),
    recent: fc.uniqueArray(fc.nat(59), { maxLength: 30, size: "max" }),
    due: fc.array(fc.record({ skill: fc.constantFrom(...skillIds), item: fc.nat(59), by: fc.boolean() }), {
      maxLength: 8,
    }),
    sessionType: fc.constantFrom("practice" as const, "practice" as const, ...sessionTypes),
    size: fc.constantFrom(0, 1, 2, 5, 8, 10, 15, 20, 25),
    only: fc.oneof(
      fc.constant(undefined),
      fc.constant(undefined),
      fc.uniqueArray(fc.constantFrom(...skillIds), { maxLength: 3 }),
    ),
    seed: fc.string(),
    nextLapseAt: fc.constantFrom(null, now + 500_000, now + 2_000_000),
    done: fc.array(fc.record({ times: fc.nat(3), daysAgo: fc.nat(20) }), { minLength: 60, maxLength: 60 }),
    evidence: fc.record(
      Object.fromEntries(
        skillIds.map((id) => [
          id,
          fc.record({ n: fc.nat(8), hard: fc.nat(3), lapsesAt: fc.constantFrom(now - 1, now, now + 2_000_000) }),
        ]),
      ),
    ),
    session: fc.record({
      ms: fc.constantFrom(0, 0, 0, 10_000, 300_000, 700_000),
      items: fc.constantFrom(0, 0, 0, 1, 3),
    }),
  };
}

function toSelection(random: Random): RandomSelection {
  const skills: Record<string, Record<string, number>> = Object.fromEntries(skillIds.map((id) => [id, {}]));
  for (const [skill, needed, weight] of random.needs) {
    const needs = skills[skill];
    if (needs !== undefined) needs[needed] = weight;
  }
  const items = Object.fromEntries(
    random.items.map(({ difficulty, expectedSeconds, ...item }, i) => [
      `i${i}`,
      {
        ...item,
        ...(difficulty === undefined ? {} : { difficulty }),
        ...(expectedSeconds === undefined ? {} : { expectedSeconds }),
      },
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
    policy: { ...random.policy, ...random.guarded },
    pinned: ids(random.pinned),
    barred: ids(random.barred),
    mastery: random.mastery,
    input: {
      sessionType: random.sessionType,
      learnerId: random.seed,
      done: ({ itemId }) => {
        const { times = 0, daysAgo = 0 } = random.done[Number(itemId.slice(1))] ?? {};
        return { times, lastAt: now - daysAgo * 86_400_000 };
      },
      mastery: (skillId) => ({ p: random.mastery[skillId] ?? 0, sd: 0.2, n: 0, ...random.evidence[skillId] }),
      session: { ...random.session, expectedMs: 40_000, endsAt: now + 100_000 },
      size: random.size,
      seed: random.seed,
      recentItemIds: ids(random.recent),
      due,
      upcoming: due.map((card) => ({ ...card, dueAt: now + 1_000_000 })),
      nextDueAt: now + 1_000_000,
      nextLapseAt: random.nextLapseAt,
      ...(random.only === undefined ? {} : { onlySkillIds: random.only }),
    },
  };
  return { catalogue: catalogueOf(example), input: selectionInput(example), mastery: random.mastery };
}

export const allItems = ({ catalogue }: RandomSelection): Item[] => [...catalogue.items.values()];
