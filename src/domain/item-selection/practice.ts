import { type Candidate, nearTarget } from "./candidates.ts";
import { add, addRanked, type Chosen, choose, type Draft, newDraft, roomIn } from "./draft.ts";
import { explore } from "./exploration.ts";
import { ItemMarks } from "./item-marks.ts";
import { type Group, type Ranked, rank, recentSkills } from "./ranking.ts";
import { reviewOf } from "./review.ts";
import { reviewShare } from "./review-share.ts";
import type { Scope } from "./scope.ts";
import type { BankItem, BankSkill, Reason, SelectedItem } from "./selection.ts";

/** Skills practised side by side, where so many are open. */
const activeSkills = 3;
/** Items looked for in a skill, unless that leaves the list short. */
const candidatesAtFirst = 12;
/** What each place further back in the order of skills costs. */
const priorityStep = 0.9;

/**
 * A practice list: pins; then items of open skills with due reviews in between; then items without a skill; then the
 * other due reviews, and mastered skills to keep them fresh. Items of the do-not-repeat window only when there is
 * nothing else at all.
 */
export function selectPractice(scope: Scope): SelectedItem[] {
  const draft = newDraft(scope, { target: scope.input.policy.targetSuccess, unlockedOnly: true });
  const nextReview = dueReviews(draft);
  addPins(draft);
  const open = openGroups(draft);
  addOpen(draft, open.length > 0 ? open : [withoutSkill(draft)], nextReview);
  if (roomIn(draft) > 0) addGroups(draft, [withoutSkill(draft)]);
  addReviews(draft, nextReview);
  if (roomIn(draft) > 0) addGroups(draft, maintenanceGroups(draft));
  return draft.selected.length > 0 ? draft.selected : repeats(scope);
}

function addPins(draft: Draft): void {
  const { search, scope } = draft;
  for (const item of scope.input.bank.pinned) {
    if (roomIn(draft) <= 0) return;
    if (search.accept(item)) add(draft, pin(item, search.predict(item)));
  }
}

function pin(item: BankItem, p: number): Chosen {
  return choose({ item, p, closeness: 0, skillId: null }, 1, 1, { code: "pinned" });
}

/** The open skills' groups; where skills are few, with as many items of each as the list has places. */
function openGroups(draft: Draft): Group[] {
  const { size } = draft.scope.input;
  const groups = frontier(draft, candidatesAtFirst);
  return count(groups) >= size || size <= candidatesAtFirst ? groups : frontier(draft, size);
}

/**
 * The frontier: open skills with the shortest chain of prerequisites first; among those of one length, the ones nearest
 * to mastery. Skills are taken until three have items and there are items enough for the list.
 */
function frontier(draft: Draft, want: number): Group[] {
  const { scope, search } = draft;
  const { skills } = scope;
  const groups: Group[] = [];
  for (let next = 0; next < skills.length && !enough(groups, scope); ) {
    const depth = skills[next]?.depth;
    const level: BankSkill[] = [];
    for (let skill = skills[next]; skill !== undefined && skill.depth === depth; skill = skills[++next]) {
      if (scope.status(skill) === "open") level.push(skill);
    }
    level.sort((a, b) => scope.mastery(b) - scope.mastery(a) || a.index - b.index);
    for (const { skillId, items } of level) {
      if (enough(groups, scope)) break;
      const candidates = nearTarget(items, skillId, want, search);
      if (candidates.length > 0) groups.push({ skillId, candidates, priority: priorityStep ** groups.length });
    }
  }
  return groups;
}

const count = (groups: readonly Group[]): number => groups.reduce((sum, { candidates }) => sum + candidates.length, 0);

const enough = (groups: readonly Group[], { input }: Scope): boolean =>
  groups.length >= activeSkills && count(groups) >= input.size;

function withoutSkill(draft: Draft): Group {
  const { bank, size } = draft.scope.input;
  return { skillId: null, candidates: nearTarget(bank.withoutSkill, null, size, draft.search), priority: 1 };
}

/** Fills the list from the groups, reviews in between at their share; then randomises the places of the groups. */
function addOpen(draft: Draft, groups: readonly Group[], nextReview: () => Chosen | null): void {
  const { scope } = draft;
  const ranking = rank(groups, recentSkills(scope.input.recentItemIds, scope.input.bank.items), draft.taken);
  const share = reviewShare(scope);
  const explores = scope.input.policy.explorationRate > 0;
  const places: number[] = [];
  const ranked: Ranked[] = [];
  while (roomIn(draft) > 0) {
    const place = draft.selected.length;
    const review = share.mayStandAt(place + 1) ? nextReview() : null;
    if (review !== null) {
      add(draft, review);
      share.placed(place + 1);
      continue;
    }
    const best = ranking.next();
    if (best === null) break;
    places.push(place);
    ranked.push(best);
    add(draft, explores ? toBeExplored(best) : choose(best.candidate, best.score, 1, reasonFor(best.candidate, scope)));
  }
  if (explores && places.length > 0) randomise(draft, places, ranked, groups);
}

/** Keeps the place until all are known. */
const toBeExplored = ({ candidate }: Ranked): Chosen => ({ index: candidate.item.index, selected: kept });
const kept: SelectedItem = { itemId: "", p: 0, score: 0, propensity: 0, reason: { code: "near_target" } };

/** Exploration: over the candidates found for the open skills, at the places that they fill. */
function randomise(draft: Draft, places: readonly number[], ranked: Ranked[], groups: readonly Group[]): void {
  const { selected, taken, scope } = draft;
  const { seed, policy } = scope.input;
  const pool = ranked.concat(leftOut(groups, draft, ranked.at(-1)?.score ?? 0));
  const { ranks, propensities } = explore(pool.length, places.length, policy.explorationRate, seed);
  for (let index = 0; index < places.length; index++) {
    const place = places[index] as number;
    const rankHere = ranks[index] ?? index;
    const { candidate, score } = pool[rankHere] as Ranked;
    const { skillId } = candidate;
    const reason: Reason = rankHere === index ? reasonFor(candidate, scope) : { code: "exploration", skillId };
    selected[place] = choose(candidate, score, propensities[index] ?? 0, reason).selected;
    taken.add(candidate.item.index);
  }
}

const seen = new ItemMarks();

/** Candidates the list had no room for. They rank below it, so their scores stay below its last. */
function leftOut(groups: readonly Group[], { scope, taken }: Draft, lastScore: number): Ranked[] {
  const rest: Ranked[] = [];
  seen.begin(scope.input.bank.allItems.length);
  for (const { candidates } of groups) {
    for (const candidate of candidates) {
      const { index } = candidate.item;
      if (taken.has(index) || seen.has(index)) continue;
      seen.add(index);
      rest.push({ candidate, score: candidate.closeness * lastScore });
    }
  }
  return rest;
}

/** Due cards one after the other, each as the item that reviews it; null when none is left. */
function dueReviews(draft: Draft): () => Chosen | null {
  const { due, policy } = draft.scope.input;
  let next = policy.reviewShare === 0 ? due.length : 0;
  return () => {
    while (next < due.length) {
      const card = due[next++];
      const review = card === undefined ? null : reviewOf(card, draft);
      if (review !== null) return review;
    }
    return null;
  };
}

function addReviews(draft: Draft, nextReview: () => Chosen | null): void {
  while (roomIn(draft) > 0) {
    const review = nextReview();
    if (review === null) return;
    add(draft, review);
  }
}

/** What is mastered, the least sure first. */
function maintenanceGroups(draft: Draft): Group[] {
  const { scope, search } = draft;
  const mastered = scope.skills.filter((skill) => scope.status(skill) === "mastered");
  mastered.sort((a, b) => scope.mastery(a) - scope.mastery(b) || a.index - b.index);
  const groups: Group[] = [];
  for (const { skillId, items } of mastered) {
    if (enough(groups, scope)) break;
    const candidates = nearTarget(items, skillId, scope.input.size, search);
    if (candidates.length > 0) groups.push({ skillId, candidates, priority: priorityStep ** groups.length });
  }
  return groups;
}

function addGroups(draft: Draft, groups: readonly Group[]): void {
  const { scope } = draft;
  const ranking = rank(groups, recentSkills(scope.input.recentItemIds, scope.input.bank.items), draft.taken);
  addRanked(draft, ranking.next, (candidate) => reasonFor(candidate, scope));
}

/** The bank is too small for the do-not-repeat window: what was done longest ago comes first. */
function repeats(scope: Scope): SelectedItem[] {
  const { bank, policy, predict, recentItemIds } = scope.input;
  const draft = newDraft(scope, { target: policy.targetSuccess, unlockedOnly: true, repeats: true });
  const newestFirst = new Set(recentItemIds.slice(0, policy.doNotRepeat));
  for (const itemId of [...newestFirst].reverse()) {
    const item = bank.items.get(itemId);
    if (roomIn(draft) <= 0) break;
    if (item === undefined || !draft.search.accept(item)) continue;
    const p = predict(item);
    const closeness = 1 - Math.abs(p - policy.targetSuccess);
    const candidate = { item, p, closeness, skillId: firstSkill(item, scope) };
    add(draft, choose(candidate, closeness, 1, reasonFor(candidate, scope)));
  }
  return draft.selected;
}

/** The item's first open skill, else its first. */
function firstSkill(item: BankItem, { input, status }: Scope): string | null {
  let first: string | null = null;
  for (const skillId of item.skillIds) {
    const skill = input.bank.skill.get(skillId);
    if (skill === undefined) continue;
    if (status(skill) === "open") return skillId;
    first ??= skillId;
  }
  return first;
}

function reasonFor({ skillId }: Candidate, { input, reason }: Scope): Reason {
  const skill = skillId === null ? undefined : input.bank.skill.get(skillId);
  return skill === undefined ? noSkill : reason(skill);
}
const noSkill: Reason = { code: "near_target" };
