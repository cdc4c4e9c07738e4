import { type Candidate, nearTarget, never, openIn } from "./candidates.ts";
import { add, addRanked, candidateOf, choose, type Draft, newDraft, roomIn } from "./draft.ts";
import { type Group, rank } from "./ranking.ts";
import type { Scope } from "./scope.ts";
import type { BankItem, BankSkill } from "./selection.ts";

/*
 * Sessions that measure rather than teach. They ask for skills whose prerequisites are not held as well: to find out
 * that a learner knows more than they have shown is what they are for.
 */

/** An item tells most where success and failure are equally likely (Rasch model: information p (1 - p)). */
const evenOdds = 0.5;

/** Placement: the items nearest even odds, spread over the skills, those known least first. */
export function selectPlacement(scope: Scope): Draft {
  const fresh = placement(scope, {});
  return fresh.selected.length > 0 ? fresh : placement(scope, { insteadOf: fresh });
}

interface Retry {
  readonly insteadOf?: Draft;
}

function placement(scope: Scope, retry: Retry): Draft {
  const { bank } = scope.input;
  const draft = newDraft(scope, { target: evenOdds, unlockedOnly: false, ...retry });
  addRanked(draft, rank(leastKnown(draft), draft).next, informative);
  if (roomIn(draft) > 0) {
    const others = [
      { skillId: null, candidates: nearTarget(bank.withoutSkill, null, roomIn(draft), draft.search), priority: 1 },
    ];
    addRanked(draft, rank(others, draft).next, informative);
  }
  return draft;
}

const informative = ({ skillId }: Candidate) => ({ code: "most_informative", skillId }) as const;

/** Skills by falling uncertainty, until they have items enough; their priority is their share of the largest. */
function leastKnown({ scope, search }: Draft): Group[] {
  const { input, skills } = scope;
  const known = skills.map((skill) => ({ skill, sd: input.mastery(skill.skillId).sd }));
  known.sort((a, b) => b.sd - a.sd || a.skill.index - b.skill.index);
  const largest = known[0]?.sd ?? 0;
  const groups: Group[] = [];
  let candidates = 0;
  for (const { skill, sd } of known) {
    if (groups.length >= skillsAtOnce && candidates >= input.size) break;
    const found = nearTarget(skill.items, skill.skillId, input.size, search);
    groups.push({ skillId: skill.skillId, candidates: found, priority: largest > 0 ? sd / largest : 1 });
    candidates += openIn(found);
  }
  return groups;
}

/** Skills looked into before a placement list is made up. */
const skillsAtOnce = 8;

/**
 * A mock test: skills in turn, difficulties from end to end, no regard to what the learner knows. It goes on where the
 * last items ended, so that a learner who does the first item and asks again meets all topics too.
 */
export function selectMockTest(scope: Scope): Draft {
  const fresh = mockTest(scope, {});
  return fresh.selected.length > 0 ? fresh : mockTest(scope, { insteadOf: fresh });
}

function mockTest(scope: Scope, retry: Retry): Draft {
  const { bank, policy, predict, size, recentItemIds } = scope.input;
  const draft = newDraft(scope, { target: policy.targetSuccess, unlockedOnly: false, ...retry });
  const topics = longestAgoFirst(spread(scope.skills, size), scope).map(({ skillId, items }) => ({
    skillId: skillId as string | null,
    items,
  }));
  topics.push({ skillId: null, items: bank.withoutSkill });
  const done = recentItemIds.length;
  for (let added = true; added && roomIn(draft) > 0; ) {
    added = false;
    for (const { skillId, items } of topics) {
      if (roomIn(draft) <= 0) break;
      const place = draft.selected.length;
      const item = acceptedNear(items, Math.floor(quantile(done + place + 1) * items.length), draft);
      if (item === null) continue;
      const reason = { code: "topic_coverage", skillId } as const;
      add(draft, choose(candidateOf(item, predict(item), skillId), 1 - place / size, 1, reason));
      added = true;
    }
  }
  return draft;
}

/** Skills of which nothing was done lately, in their order; then the others, the one done last at the end. */
function longestAgoFirst(skills: readonly BankSkill[], { input }: Scope): BankSkill[] {
  const age = new Map<string, number>();
  for (const [index, itemId] of input.recentItemIds.entries()) {
    for (const skillId of input.bank.items.get(itemId)?.skillIds ?? []) {
      if (!age.has(skillId)) age.set(skillId, index);
    }
  }
  const ageOf = ({ skillId }: BankSkill): number => age.get(skillId) ?? Number.MAX_SAFE_INTEGER;
  return skills.toSorted((a, b) => ageOf(b) - ageOf(a));
}

/** All elements: first `size` of them at even distances, then the others. */
function spread<T>(all: readonly T[], size: number): T[] {
  if (all.length <= size) return [...all];
  const first = new Set(Array.from({ length: size }, (_, index) => Math.floor((index * all.length) / size)));
  return [...all.filter((_, index) => first.has(index)), ...all.filter((_, index) => !first.has(index))];
}

/** The n-th point (from 1) of a sequence that fills 0..1 evenly however long it is: van der Corput, base 2. */
function quantile(n: number): number {
  let point = 0;
  for (let half = 0.5, rest = n; rest > 0; half /= 2, rest >>>= 1) if (rest & 1) point += half;
  return point;
}

function acceptedNear(items: readonly BankItem[], index: number, draft: Draft): BankItem | null {
  for (let distance = 0; distance <= items.length; distance++) {
    for (const at of [index + distance, index - distance]) {
      const item = items[at];
      if (item === undefined) continue;
      const verdict = draft.search.verdict(item);
      if (verdict === 0) return item;
      if (verdict !== never) draft.bound |= verdict;
    }
  }
  return null;
}
