import { type Candidate, openIn, refusing } from "./candidates.ts";
import type { Group } from "./ranking.ts";

/** Skills practised side by side, where so many are open. */
const activeSkills = 3;
/** What each place further back in the order of skills costs. */
const priorityStep = 0.9;

/** Groups in the order of their skills, until there are enough. */
export interface Groups {
  readonly all: readonly Group[];
  /** Items that may be given. */
  readonly open: number;
  /** With those that rules refuse. */
  readonly found: number;
  /** Bits of these rules. */
  readonly refusing: number;
  /** Three skills have items, and there are items enough for the list. */
  enough(): boolean;
  /** Without candidates, it is none. */
  add(skillId: string | null, candidates: readonly Candidate[], rules: number): void;
}

/**
 * `rules`: bits of those without which fewer groups, or fewer items of each, were looked into. A group that is only there
 * because rules refuse items of those before it owes its place to them.
 */
export function newGroups(size: number, rules = 0): Groups {
  const all: Group[] = [];
  let open = 0;
  let found = 0;
  let refused = 0;
  let openGroups = 0;
  return {
    all,
    get open() {
      return open;
    },
    get found() {
      return found;
    },
    get refusing() {
      return refused;
    },
    enough: () => openGroups >= activeSkills && open >= size,
    add(skillId, candidates, own) {
      if (candidates.length === 0) return;
      const owes = all.length >= activeSkills && found >= size ? refused : 0;
      all.push({ skillId, candidates, priority: priorityStep ** all.length, rules: rules | own | owes });
      const here = openIn(candidates);
      openGroups += here > 0 ? 1 : 0;
      open += here;
      found += candidates.length;
      if (here < candidates.length) refused |= refusing(candidates);
    },
  };
}
