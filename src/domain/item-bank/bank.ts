import { type Experiment, type Policy, type PolicyOverrides, policySchema } from "../events.ts";
import { armOf } from "../experiments/assignment.ts";
import type { BankItem, BankSkill, ItemBank } from "../item-selection/selection.ts";
import type { Catalogue, Item, Skill, Track } from "./catalogue.ts";
import { foldSkillGraph, type Prerequisite, type SkillGraph } from "./skill-graph.ts";

/** What holds where no track is named. */
export const defaultPolicy: Policy = policySchema.parse({});

/**
 * Indexes the items of a track (null: of the whole catalogue, with the default policy). Null where there is no such
 * track or it is retired. O(items x log items); 50,000 items take some tens of milliseconds.
 *
 * In the bank stand only items that may ever be offered in this track: not retired, not barred, of an allowed kind.
 * A pinned item belongs to the track whether or not the track names it.
 *
 * Prerequisites hold within the bank. One that has no items here (another track's, retired) cannot be practised here,
 * so it gives way to its own prerequisites, their weights multiplied; else it would lock what nobody could open.
 */
export function buildBank(catalogue: Catalogue, trackId: string | null): ItemBank | null {
  const track = trackId === null ? null : catalogue.tracks.get(trackId);
  if (track === undefined || track?.retired === true) return null;
  const bank = bankOf(catalogue, track);
  const experiment = track?.experiment;
  if (experiment === undefined) return bank;
  const arms = new Map(experiment.arms.map((arm) => [arm.arm, armBank(bank, experiment, arm)]));
  return { ...bank, experiment: { definition: experiment, arms } };
}

/** What the learners of an arm are given: the track's bank under the arm's policy. */
function armBank(bank: ItemBank, { experimentId }: Experiment, { arm, policy }: Experiment["arms"][number]): ItemBank {
  const own = withPolicy(bank, overridden(bank.policy, policy), `${bank.policyVersion}/${arm}`);
  return { ...own, arm: { experimentId, arm } };
}

/** The bank that serves this learner: that of their arm, where the track runs an experiment. */
export function bankForLearner(bank: ItemBank, learnerId: string): ItemBank {
  if (bank.experiment === null) return bank;
  const { definition, arms } = bank.experiment;
  const own = arms.get(armOf(definition, learnerId).arm);
  if (own === undefined) throw new Error(`${definition.experimentId} has an arm without a bank`);
  return own;
}

/** A policy with some of its settings otherwise. */
export function overridden(policy: Policy, overrides: PolicyOverrides): Policy {
  return { ...policy, ...Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined)) };
}

function bankOf(catalogue: Catalogue, track: Track | null): ItemBank {
  const policy = track?.policy ?? defaultPolicy;
  const { items, pinned } = itemsOf(catalogue, track, policy);
  const { bySkill, withoutSkill } = indexBySkill(items.values(), catalogue.skills);
  const graph = foldSkillGraph(skillsFor(bySkill, catalogue.skills));
  const skills = bankSkills(graph, bySkill);
  for (const { index, items: ofSkill } of skills) for (const item of ofSkill) item.skillIndexes.push(index);
  return {
    trackId: track?.trackId ?? null,
    policyVersion: track === null ? "default@0" : `${track.trackId}@${track.revision}`,
    policy,
    items,
    allItems: [...items.values()],
    bySkill,
    withoutSkill,
    skillIds: skills.map((skill) => skill.skillId),
    prerequisites: new Map(skills.map((skill) => [skill.skillId, skill.prerequisites])),
    pinned,
    experiment: null,
    arm: null,
    skills,
    skill: new Map(skills.map((skill) => [skill.skillId, skill])),
  };
}

/**
 * The same items under another policy (an experiment's arm, a what-if); O(1), and the predictions prepared for the items are
 * shared. Which kinds of item there are stays as it is in the bank: that is what a track holds, not how it chooses.
 */
export function withPolicy(bank: ItemBank, policy: Policy, policyVersion: string): ItemBank {
  const own = { ...policy, itemKinds: bank.policy.itemKinds };
  return { ...bank, policy: own, policyVersion, experiment: null, arm: null };
}

/** Its skills' places are filled in once they are known. */
interface IndexedItem extends BankItem {
  readonly skillIndexes: number[];
}

function itemsOf(catalogue: Catalogue, track: Track | null, policy: Policy) {
  const barred = new Set(track?.barredItemIds);
  const kinds = policy.itemKinds.length > 0 ? new Set(policy.itemKinds) : null;
  const allowed = (item: Item | undefined): item is Item =>
    item !== undefined && !item.retired && !barred.has(item.itemId) && (kinds === null || kinds.has(item.kind));
  const items = new Map<string, IndexedItem>();
  const add = (item: Item): IndexedItem => {
    const known = items.get(item.itemId);
    if (known !== undefined) return known;
    const difficulty = item.difficulty ?? priorOfSkills(item, catalogue.skills);
    const prior = difficulty === undefined ? {} : { difficulty };
    const added = { ...item, ...prior, index: items.size, skillIndexes: [] };
    items.set(item.itemId, added);
    return added;
  };
  const holdsAll = track === null || (track.itemIds.length === 0 && track.skillIds.length === 0);
  const skillIds = new Set(track?.skillIds);
  if (holdsAll || skillIds.size > 0) {
    for (const item of catalogue.items.values()) {
      if (allowed(item) && (holdsAll || item.skillIds.some((id) => skillIds.has(id)))) add(item);
    }
  }
  const pinned: IndexedItem[] = [];
  for (const id of track?.itemIds ?? []) {
    const item = catalogue.items.get(id);
    if (allowed(item)) add(item);
  }
  for (const id of new Set(track?.pinnedItemIds)) {
    const item = catalogue.items.get(id);
    if (allowed(item)) pinned.push(add(item));
  }
  return { items, pinned };
}

/** How hard an item is held to be of which nobody said it: the mean of what was said of its skills. */
function priorOfSkills({ skillIds }: Item, skills: ReadonlyMap<string, Skill>): number | undefined {
  const said = skillIds.flatMap((id) => skills.get(id)?.difficulty ?? []);
  return said.length === 0 ? undefined : said.reduce((sum, one) => sum + one, 0) / said.length;
}

/** A retired skill is no longer taught: its items go on under their other skills, or under none. */
function indexBySkill(items: Iterable<IndexedItem>, skills: ReadonlyMap<string, Skill>) {
  const bySkill = new Map<string, IndexedItem[]>();
  const withoutSkill: IndexedItem[] = [];
  for (const item of items) {
    let indexed = false;
    for (const skillId of new Set(item.skillIds)) {
      if (skills.get(skillId)?.retired === true) continue;
      indexed = true;
      const list = bySkill.get(skillId);
      if (list === undefined) bySkill.set(skillId, [item]);
      else list.push(item);
    }
    if (!indexed) withoutSkill.push(item);
  }
  for (const list of bySkill.values()) list.sort(byDifficulty);
  withoutSkill.sort(byDifficulty);
  return { bySkill, withoutSkill };
}

function byDifficulty(a: Item, b: Item): number {
  const difference = (a.difficulty ?? 0) - (b.difficulty ?? 0);
  if (difference !== 0) return difference;
  return a.itemId < b.itemId ? -1 : 1;
}

/** The skills with items in the bank and, through prerequisites, every skill that stands below one of them. */
function skillsFor(bySkill: ReadonlyMap<string, unknown>, skills: ReadonlyMap<string, Skill>) {
  const reached = new Map<string, { skillId: string; prerequisites: readonly Prerequisite[] }>();
  const toVisit = [...bySkill.keys()];
  for (let id = toVisit.pop(); id !== undefined; id = toVisit.pop()) {
    if (reached.has(id)) continue;
    const prerequisites = skills.get(id)?.prerequisites ?? [];
    reached.set(id, { skillId: id, prerequisites });
    for (const { skillId } of prerequisites) if (skills.has(skillId)) toVisit.push(skillId);
  }
  return reached.values();
}

function bankSkills(graph: SkillGraph, bySkill: ReadonlyMap<string, readonly IndexedItem[]>) {
  const skills: (BankSkill & { readonly items: readonly IndexedItem[] })[] = [];
  const effective = new Map<string, readonly Prerequisite[]>();
  for (const skillId of graph.order) {
    const merged = new Map<string, number>();
    const ask = (id: string, weight: number): void => {
      merged.set(id, Math.max(weight, merged.get(id) ?? 0));
    };
    for (const { skillId: id, weight } of graph.prerequisites.get(skillId) ?? []) {
      if (bySkill.has(id)) ask(id, weight);
      else for (const below of effective.get(id) ?? []) ask(below.skillId, weight * below.weight);
    }
    const prerequisites = Array.from(merged, ([id, weight]) => ({ skillId: id, weight }));
    effective.set(skillId, prerequisites);
    const items = bySkill.get(skillId);
    if (items === undefined) continue;
    skills.push({ skillId, index: skills.length, depth: graph.depths.get(skillId) ?? 0, items, prerequisites });
  }
  return skills;
}
