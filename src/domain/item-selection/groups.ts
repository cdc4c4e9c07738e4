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
export const newGroups = (size: number, rules = 0): Groups => new GroupsOfSkills(size, rules);

class GroupsOfSkills implements Groups {
  readonly all: Group[] = [];
  open = 0;
  found = 0;
  refusing = 0;
  #openGroups = 0;
  readonly #size: number;
  readonly #rules: number;

  constructor(size: number, rules: number) {
    this.#size = size;
    this.#rules = rules;
  }

  enough(): boolean {
    return this.#openGroups >= activeSkills && this.open >= this.#size;
  }

  add(skillId: string | null, candidates: readonly Candidate[], own: number): void {
    if (candidates.length === 0) return;
    const { all } = this;
    const owes = all.length >= activeSkills && this.found >= this.#size ? this.refusing : 0;
    all.push({ skillId, candidates, priority: priorityStep ** all.length, rules: this.#rules | own | owes });
    const here = openIn(candidates);
    this.#openGroups += here > 0 ? 1 : 0;
    this.open += here;
    this.found += candidates.length;
    if (here < candidates.length) this.refusing |= refusing(candidates);
  }
}
