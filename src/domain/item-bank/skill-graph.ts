/** A skill and the skills it asks for. */
export interface Prerequisite {
  readonly skillId: string;
  readonly weight: number;
}
export type PrerequisitesOf = (skillId: string) => readonly Prerequisite[];

/**
 * The cycle that `skillId` would be part of if it had these prerequisites, as skill ids from it back to itself
 * (`[a, b, a]`: a asks for b, b asks for a); null where there is none. Only the ancestors of the skill are visited.
 */
export function findCycle(
  skillId: string,
  prerequisites: readonly Prerequisite[],
  prerequisitesOf: PrerequisitesOf,
): string[] | null {
  const cameFrom = new Map<string, string>();
  const toVisit: string[] = [];
  const reach = (from: string, next: readonly Prerequisite[]): boolean => {
    for (const { skillId: id } of next) {
      if (cameFrom.has(id)) continue;
      cameFrom.set(id, from);
      if (id === skillId) return true;
      toVisit.push(id);
    }
    return false;
  };
  let closed = reach(skillId, prerequisites);
  while (!closed) {
    const id = toVisit.pop();
    if (id === undefined) return null;
    closed = reach(id, prerequisitesOf(id));
  }
  const path = [skillId];
  for (let id = cameFrom.get(skillId); id !== undefined && id !== skillId; id = cameFrom.get(id)) path.push(id);
  path.push(skillId);
  return path.reverse();
}

export interface SkillGraph {
  /** Every skill, prerequisites before those that ask for them; within that, shallow before deep, then by id. */
  readonly order: readonly string[];
  /** Length of the longest chain of prerequisites below a skill; 0 for a skill that asks for nothing. */
  readonly depths: ReadonlyMap<string, number>;
  /** Without unknown skills, and without the edges that would close a cycle. */
  readonly prerequisites: ReadonlyMap<string, readonly Prerequisite[]>;
}

/**
 * Folds skills to a graph that is acyclic whatever was stored: commands refuse a cycle, but two that race in two
 * processes can each pass and store one together. An edge that closes a cycle, walking from the skills in order of
 * their ids, is left out, so that every reader leaves out the same one. O(skills + edges), and not recursive: a chain
 * may be as long as the catalogue.
 */
export function foldSkillGraph(
  skills: Iterable<{ readonly skillId: string; readonly prerequisites: readonly Prerequisite[] }>,
): SkillGraph {
  const declared = new Map<string, readonly Prerequisite[]>();
  for (const skill of skills) declared.set(skill.skillId, skill.prerequisites);
  const ids = [...declared.keys()].sort();
  const depths = new Map<string, number>();
  const prerequisites = new Map<string, readonly Prerequisite[]>();
  for (const id of ids) if (!depths.has(id)) walkFrom(id, declared, depths, prerequisites);
  const order = ids.sort((a, b) => (depths.get(a) ?? 0) - (depths.get(b) ?? 0));
  return { order, depths, prerequisites };
}

interface Visit {
  readonly skillId: string;
  readonly declared: readonly Prerequisite[];
  next: number;
  readonly kept: Prerequisite[];
  depth: number;
}

/** Depth-first from one skill down to its prerequisites; a skill is done once all below it are. */
function walkFrom(
  root: string,
  declared: ReadonlyMap<string, readonly Prerequisite[]>,
  depths: Map<string, number>,
  prerequisites: Map<string, readonly Prerequisite[]>,
): void {
  const open = new Set<string>();
  const stack: Visit[] = [];
  const enter = (skillId: string): void => {
    open.add(skillId);
    stack.push({ skillId, declared: declared.get(skillId) ?? [], next: 0, kept: [], depth: 0 });
  };
  enter(root);
  for (let visit = stack.at(-1); visit !== undefined; visit = stack.at(-1)) {
    const edge = visit.declared[visit.next];
    if (edge === undefined) {
      depths.set(visit.skillId, visit.depth);
      prerequisites.set(visit.skillId, visit.kept);
      open.delete(visit.skillId);
      stack.pop();
      continue;
    }
    const depth = depths.get(edge.skillId);
    if (depth === undefined && declared.has(edge.skillId) && !open.has(edge.skillId)) {
      enter(edge.skillId);
      continue;
    }
    visit.next++;
    if (depth === undefined) continue;
    visit.kept.push(edge);
    visit.depth = Math.max(visit.depth, depth + 1);
  }
}
