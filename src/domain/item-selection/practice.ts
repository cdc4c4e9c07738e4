import { type Candidate, nearTarget, never, type Ranked } from "./candidates.ts";
import { add, type Chosen, candidateOf, choose, type Draft, newDraft, roomIn } from "./draft.ts";
import { type Groups, newGroups } from "./groups.ts";
import { nextInMix } from "./mixed.ts";
import { type Placed, randomise } from "./randomise.ts";
import { type Group, rank } from "./ranking.ts";
import { reviewOf, waitsUntil } from "./review.ts";
import { reviewShare } from "./review-share.ts";
import { ruleBits } from "./rules.ts";
import { type Scope, typicalItem } from "./scope.ts";
import type { BankItem, BankSkill, DueCard, Reason, SelectedItem } from "./selection.ts";
import { type TopicMix, topicMix } from "./topic-mix.ts";

/** Items looked for in a skill, unless that leaves the list short. */
const candidatesAtFirst = 12;

/**
 * A practice list: pins; then items of open skills with due reviews in between; then items without a skill; then the
 * other due reviews, and mastered skills to keep them fresh, where the policy wants that. Items of the do-not-repeat window
 * only when there is nothing else at all.
 */
export function selectPractice(scope: Scope): Draft {
  const { policy } = scope.input;
  const draft = newDraft(scope, { target: policy.targetSuccess, unlockedOnly: true });
  const mix = topicMix(scope.input);
  const practice: Practice = { draft, mix, nextReview: dueReviews(draft, true), nextLater: dueReviews(draft, false) };
  addPins(practice);
  const open = openGroups(draft);
  // Nothing of theirs may be given: what would stand first is one of them.
  if (open.open === 0) draft.bound |= open.refusing;
  addOpen(practice, open.open > 0 ? open.all : [withoutSkill(draft)]);
  addOtherOpen(practice);
  if (roomIn(draft) > 0) addGroups(practice, [withoutSkill(draft)]);
  addReviews(practice);
  if (roomIn(draft) > 0 && policy.maintenance) addGroups(practice, maintenanceGroups(draft));
  return draft.selected.length > 0 ? draft : repeats(scope, draft);
}

interface Practice {
  readonly draft: Draft;
  readonly mix: TopicMix | null;
  /** Due cards that press, one after the other, each as the item that reviews it; null when none is left. */
  readonly nextReview: () => Chosen | null;
  /** The same of all that are due, for when nothing is open. */
  readonly nextLater: () => Chosen | null;
}

function put({ draft, mix }: Practice, chosen: Chosen): void {
  add(draft, chosen);
  mix?.placed(chosen.item);
}

function addPins(practice: Practice): void {
  const { draft } = practice;
  const { search, scope } = draft;
  for (const item of scope.input.bank.pinned) {
    if (roomIn(draft) <= 0) return;
    const verdict = search.verdict(item);
    if (verdict === 0) put(practice, choose(candidateOf(item, search.predict(item), null), 1, 1, { code: "pinned" }));
    else if (verdict !== never) draft.bound |= verdict;
  }
}

/** The open skills' groups; where skills are few, with as many items of each as the list has places. */
function openGroups(draft: Draft): Groups {
  const { size } = draft.scope.input;
  const groups = frontier(draft, candidatesAtFirst, 0);
  if (groups.open >= size || size <= candidatesAtFirst) return groups;
  return frontier(draft, size, groups.found >= size ? groups.refusing : 0);
}

/**
 * The frontier: open skills with the shortest chain of prerequisites first; among those of one length, the ones nearest
 * to mastery. Skills are taken until three have items and there are items enough for the list.
 */
function frontier({ scope, search }: Draft, want: number, rules: number): Groups {
  const { skills } = scope;
  const groups = newGroups(scope.input.size, rules);
  for (let next = 0; next < skills.length && !groups.enough(); ) {
    const depth = skills[next]?.depth;
    const level: BankSkill[] = [];
    for (let skill = skills[next]; skill !== undefined && skill.depth === depth; skill = skills[++next]) {
      if (scope.status(skill) === "open") level.push(skill);
    }
    level.sort((a, b) => scope.mastery(b) - scope.mastery(a) || a.index - b.index);
    for (const skill of level) {
      if (groups.enough()) break;
      const target = scope.targetFor(skill);
      const near = target === search.target ? search : { ...search, target };
      groups.add(skill.skillId, nearTarget(skill.items, skill.skillId, want, near), scope.unproven(skill));
    }
  }
  return groups;
}

function withoutSkill({ scope, search }: Draft): Group {
  const candidates = nearTarget(scope.withoutSkill(), null, scope.input.size, search);
  return { skillId: null, candidates, priority: 1 };
}

/** Fills the list from the groups, reviews in between at their share; then randomises the places of the groups. */
function addOpen(practice: Practice, groups: readonly Group[]): void {
  const { draft, mix, nextReview } = practice;
  const { scope } = draft;
  const ranking = rank(groups, draft);
  const share = reviewShare(scope);
  const explores = scope.input.policy.explorationRate > 0;
  const placed: Placed[] = [];
  while (roomIn(draft) > 0) {
    const place = draft.selected.length;
    const review = share.mayStandAt(place + 1) ? nextReview() : null;
    if (review !== null) {
      put(practice, review);
      share.placed(place + 1);
      continue;
    }
    const ranked = mix === null ? ranking.next() : nextInMix(draft, ranking, mix);
    if (ranked === null) break;
    placed.push({ place, ranked, bound: draft.bound });
    if (explores) draft.bound = 0;
    put(practice, explores ? toBeExplored(ranked) : chosenFrom(ranked, scope));
  }
  if (explores && placed.length > 0) {
    randomise(draft, placed, { groups, mix, reasonFor: (candidate) => reasonFor(candidate, scope) });
  }
}

/** An item of two skills counts in both groups, so that these can end before the open skills do. */
function addOtherOpen(practice: Practice): void {
  const { draft } = practice;
  while (roomIn(draft) > 0) {
    const others = openGroups(draft);
    if (others.open === 0) return;
    addGroups(practice, others.all);
  }
}

const chosenFrom = ({ candidate, score }: Ranked, scope: Scope): Chosen =>
  choose(candidate, score, 1, reasonFor(candidate, scope));

/** Keeps the place until all are known. */
const toBeExplored = ({ candidate }: Ranked): Chosen => ({ item: candidate.item, selected: kept });

/**
 * Whether a due review comes between the open skills. A card falls due when its own curve says that recall begins to slip. The
 * learner model knows more: while it still expects success about as high as the policy aims at, the time is better spent
 * on what is not yet known, and the later review does more for memory.
 */
function presses({ skillId, itemId, dueAt }: DueCard, { input }: Scope): boolean {
  const { bank, now, policy, predict } = input;
  if (now >= waitsUntil(dueAt, policy)) return true;
  const skill = bank.skill.get(skillId ?? "");
  const item = itemId !== null ? bank.items.get(itemId) : skill === undefined ? undefined : typicalItem(skill);
  return item !== undefined && predict(item) < policy.targetSuccess - policy.reviewWait.tolerance;
}

/** See {@link Practice}. */
function dueReviews(draft: Draft, pressing: boolean): () => Chosen | null {
  const { due, policy } = draft.scope.input;
  let next = policy.reviewShare === 0 ? due.length : 0;
  return () => {
    while (next < due.length) {
      const card = due[next++];
      if (card === undefined || (pressing && !presses(card, draft.scope))) continue;
      const review = reviewOf(card, draft);
      if (review !== null) return review;
    }
    return null;
  };
}

function addReviews(practice: Practice): void {
  while (roomIn(practice.draft) > 0) {
    const review = practice.nextLater();
    if (review === null) return;
    put(practice, review);
  }
}

/** What is mastered, the least sure first. */
function maintenanceGroups({ scope, search }: Draft): readonly Group[] {
  const mastered = scope.skills.filter((skill) => scope.status(skill) === "mastered");
  mastered.sort((a, b) => scope.mastery(a) - scope.mastery(b) || a.index - b.index);
  const groups = newGroups(scope.input.size);
  for (const { skillId, items } of mastered) {
    if (groups.enough()) break;
    groups.add(skillId, nearTarget(items, skillId, scope.input.size, search), 0);
  }
  return groups.all;
}

function addGroups(practice: Practice, groups: readonly Group[]): void {
  const { draft, mix } = practice;
  const ranking = rank(groups, draft);
  while (roomIn(draft) > 0) {
    const ranked = mix === null ? ranking.next() : nextInMix(draft, ranking, mix);
    if (ranked === null) return;
    put(practice, chosenFrom(ranked, draft.scope));
  }
}

/** The bank is too small for the do-not-repeat window: what was done longest ago comes first. */
function repeats(scope: Scope, insteadOf: Draft): Draft {
  const { bank, policy, predict, recentItemIds } = scope.input;
  const draft = newDraft(scope, { target: policy.targetSuccess, unlockedOnly: true, insteadOf });
  // Whatever else kept items from the list before it, these come because they may not come again.
  draft.bound |= ruleBits.do_not_repeat;
  const newestFirst = new Set(recentItemIds.slice(0, policy.doNotRepeat));
  for (const itemId of [...newestFirst].reverse()) {
    const item = bank.items.get(itemId);
    if (roomIn(draft) <= 0) break;
    if (item === undefined || !(policy.maintenance || scope.teaches(item))) continue;
    const verdict = draft.search.verdict(item);
    if (verdict > 0) draft.bound |= verdict;
    if (verdict !== 0) continue;
    const p = predict(item);
    const closeness = 1 - Math.abs(p - policy.targetSuccess);
    const candidate = candidateOf(item, p, firstSkill(item, scope));
    add(draft, choose(candidate, closeness, 1, reasonFor(candidate, scope)));
  }
  return draft;
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
const kept: SelectedItem = { itemId: "", p: 0, score: 0, propensity: 0, reason: noSkill };
