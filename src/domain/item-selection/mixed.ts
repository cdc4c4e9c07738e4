import { type Candidate, nearTarget, never, type Ranked, type Search } from "./candidates.ts";
import type { Draft } from "./draft.ts";
import type { Ranking } from "./ranking.ts";
import { ruleBits } from "./rules.ts";
import type { BankItem } from "./selection.ts";
import type { TopicMix } from "./topic-mix.ts";

type Allowed = (candidate: Candidate) => boolean;

/**
 * The next item of a ranking, taken, within the shares of topics: one of a topic that is owed a place, else the best that
 * makes no topic too large; from the ranking, else from anywhere in the bank. The best of all where there is no such item: a
 * mix is no reason to give nothing.
 */
export function nextInMix(draft: Draft, ranking: Ranking, mix: TopicMix): Ranked | null {
  const best = ranking.best();
  if (best === null) return null;
  const owed = mix.owed();
  const isOwed: Allowed = (candidate) => (mix.topicsOf(candidate.item) & owed) !== 0 && !mix.over(candidate);
  const fits: Allowed = (candidate) => !mix.over(candidate);
  const find = (allowed: Allowed): Ranked | null =>
    allowed(best.candidate) ? best : (ranking.best(allowed) ?? elsewhere(draft, best.score, allowed));
  const chosen = (owed === 0 ? null : find(isOwed)) ?? find(fits) ?? best;
  if (chosen.candidate.item !== best.candidate.item) draft.bound |= ruleBits.topic_mix | keptOpen(draft, best);
  ranking.take(chosen);
  return chosen;
}

/** Bits of the rules without which the skill that an item is of were mastered, and its item not looked at. */
function keptOpen({ scope }: Draft, { candidate }: Ranked): number {
  const skill = scope.input.bank.skill.get(candidate.skillId ?? "");
  return skill === undefined ? 0 : scope.unproven(skill);
}

/** From the other open skills, then the items without a skill, then what is mastered; scored below `worst`. */
function elsewhere(draft: Draft, worst: number, allowed: Allowed): Ranked | null {
  const { scope, search } = draft;
  const { policy } = scope.input;
  const only: Search = {
    ...search,
    verdict(item) {
      const candidate = { item, p: 0, closeness: 0, skillId: null, refused: false, rules: 0 };
      return allowed(candidate) ? search.verdict(item) : never;
    },
  };
  const nearest = (items: readonly BankItem[], skillId: string | null, target = search.target): Ranked | null => {
    for (const candidate of nearTarget(items, skillId, 1, { ...only, target })) {
      if (!candidate.refused) return { candidate, score: candidate.closeness * worst, group: -1 };
      draft.bound |= candidate.rules;
    }
    return null;
  };
  for (const skill of scope.skills) {
    if (scope.status(skill) !== "open") continue;
    const found = nearest(skill.items, skill.skillId, scope.targetFor(skill));
    if (found !== null) return found;
  }
  const found = nearest(scope.withoutSkill(), null);
  if (found !== null || !policy.maintenance) return found;
  for (const skill of scope.skills) {
    if (scope.status(skill) !== "mastered") continue;
    const kept = nearest(skill.items, skill.skillId);
    if (kept !== null) return kept;
  }
  return null;
}
