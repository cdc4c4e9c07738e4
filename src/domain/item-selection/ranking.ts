import type { Candidate, Ranked } from "./candidates.ts";
import { type Draft, overBudget } from "./draft.ts";

/** Candidates of one skill (or of none), nearest the target first. */
export interface Group {
  readonly skillId: string | null;
  readonly candidates: readonly Candidate[];
  /** 0..1: how much the skill itself is worth practising now. */
  readonly priority: number;
  /** Bits of the rules without which this group were not among those looked into. */
  readonly rules?: number;
}

export interface Ranking {
  /** The best candidate left, of those allowed; null where there is none. It stays in line until it is taken. */
  best(allowed?: (candidate: Candidate) => boolean): Ranked | null;
  /** Puts it into the list: the skill's next one loses some of its worth. */
  take(ranked: Ranked): void;
  /** The best, taken. */
  next(): Ranked | null;
}

/** How many of the last items done count as had. */
const remembered = 2;

/**
 * Hands out the candidates of several skills, best first, mixing the skills (interleaved practice: Rohrer, Taylor 2007,
 * "The shuffling of mathematics problems improves learning"). Score = closeness to the target x the skill's priority x
 * (1 - interleaving) for each item it has had in this list, or just before it; so scores never rise along the way.
 *
 * A candidate that may not be given is passed over when its turn comes, and the draft is told the rules that say so.
 */
export function rank(groups: readonly Group[], draft: Draft): Ranking {
  const { taken, scope } = draft;
  const { policy, recentItemIds, bank } = scope.input;
  const keeps = 1 - policy.interleaving;
  const recent = recentSkills(recentItemIds, bank.items);
  const heads = groups.map(() => 0);
  const worths = groups.map(({ skillId, priority }) => priority * keeps ** timesIn(recent, skillId));

  const headOf = (group: number, allowed: ((candidate: Candidate) => boolean) | undefined): Candidate | undefined => {
    const candidates = groups[group]?.candidates ?? [];
    let head = heads[group] ?? 0;
    let candidate = candidates[head];
    while (candidate !== undefined && taken.has(candidate.item.index)) candidate = candidates[++head];
    heads[group] = head;
    if (allowed === undefined) return candidate;
    while (candidate !== undefined && (taken.has(candidate.item.index) || !allowed(candidate))) {
      candidate = candidates[++head];
    }
    return candidate;
  };
  const first = (allowed?: (candidate: Candidate) => boolean): Ranked | null => {
    let best: Candidate | null = null;
    let score = 0;
    let from = -1;
    for (let group = 0; group < groups.length; group++) {
      const candidate = headOf(group, allowed);
      if (candidate === undefined) continue;
      const worth = candidate.closeness * (worths[group] ?? 0);
      if (best !== null && worth <= score) continue;
      best = candidate;
      score = worth;
      from = group;
    }
    return best === null ? null : { candidate: best, score, group: from };
  };
  const best: Ranking["best"] = (allowed) => {
    for (;;) {
      const ranked = first(allowed);
      if (ranked === null) return null;
      const { refused, rules, item } = ranked.candidate;
      const refusal = refused ? rules : overBudget(draft, item);
      if (refusal === 0) return ranked;
      draft.bound |= refusal;
      taken.add(item.index);
    }
  };
  const take = ({ candidate, group }: Ranked): void => {
    draft.bound |= candidate.rules | (groups[group]?.rules ?? 0);
    if (group >= 0) worths[group] = (worths[group] ?? 0) * keeps;
    taken.add(candidate.item.index);
  };
  return {
    best,
    take,
    next() {
      const ranked = best();
      if (ranked !== null) take(ranked);
      return ranked;
    },
  };
}

/** Skills of the items done last, an entry for each item and skill. */
function recentSkills(
  recentItemIds: readonly string[],
  items: ReadonlyMap<string, { readonly skillIds: readonly string[] }>,
): string[] {
  const skillIds: string[] = [];
  for (let age = 0; age < remembered && age < recentItemIds.length; age++) {
    const item = items.get(recentItemIds[age] as string);
    if (item !== undefined) skillIds.push(...item.skillIds);
  }
  return skillIds;
}

function timesIn(skillIds: readonly string[], skillId: string | null): number {
  let times = 0;
  for (const id of skillIds) if (id === skillId) times++;
  return times;
}
