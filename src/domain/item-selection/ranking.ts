import type { Candidate } from "./candidates.ts";
import type { ItemMarks } from "./item-marks.ts";

/** Candidates of one skill (or of none), nearest the target first. */
export interface Group {
  readonly skillId: string | null;
  readonly candidates: readonly Candidate[];
  /** 0..1: how much the skill itself is worth practising now. */
  readonly priority: number;
}

export interface Ranked {
  readonly candidate: Candidate;
  readonly score: number;
}

export interface Ranking {
  /** The best candidate left, null where none is. */
  next(): Ranked | null;
}

/** Each item a skill has had in this list, or just before it, leaves its next one this much of its worth. */
const interleaving = 0.6;
/** How many of the last items done count as had. */
const remembered = 2;

/**
 * Hands out the candidates of several skills, best first, mixing the skills (interleaved practice: Rohrer, Taylor 2007,
 * "The shuffling of mathematics problems improves learning"). Score = closeness to the target x the skill's priority x
 * .6 for each item it has had; scores never rise along the way. `taken` is looked at and added to.
 */
export function rank(groups: readonly Group[], recentSkillIds: readonly string[], taken: ItemMarks): Ranking {
  const heads = groups.map(() => 0);
  const worths = groups.map(({ skillId, priority }) => priority * interleaving ** timesIn(recentSkillIds, skillId));

  const headOf = (index: number): Candidate | undefined => {
    const candidates = groups[index]?.candidates ?? [];
    let head = heads[index] ?? 0;
    let candidate = candidates[head];
    while (candidate !== undefined && taken.has(candidate.item.index)) candidate = candidates[++head];
    heads[index] = head;
    return candidate;
  };
  return {
    next() {
      let best: Candidate | null = null;
      let bestScore = 0;
      let from = -1;
      for (let index = 0; index < groups.length; index++) {
        const candidate = headOf(index);
        if (candidate === undefined) continue;
        const score = candidate.closeness * (worths[index] ?? 0);
        if (best !== null && score <= bestScore) continue;
        best = candidate;
        bestScore = score;
        from = index;
      }
      if (best === null) return null;
      worths[from] = (worths[from] ?? 0) * interleaving;
      taken.add(best.item.index);
      return { candidate: best, score: bestScore };
    },
  };
}

/** Skills of the items done last, an entry for each item and skill. */
export function recentSkills(
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
