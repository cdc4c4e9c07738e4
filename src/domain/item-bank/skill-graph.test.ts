import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findCycle, foldSkillGraph, type Prerequisite } from "./skill-graph.ts";

const ids = ["a", "b", "c", "d", "e", "f"] as const;
const needs = (...skillIds: string[]): Prerequisite[] => skillIds.map((skillId) => ({ skillId, weight: 1 }));
const lookUp = (graph: Record<string, Prerequisite[]>) => (id: string) => graph[id] ?? [];

/** Any graph of six skills, cycles and all. */
const graphs = fc.record(
  Object.fromEntries(
    ids.map((id) => [id, fc.uniqueArray(fc.constantFrom(...ids), { maxLength: 4 }).map((all) => needs(...all))]),
  ),
) as fc.Arbitrary<Record<string, Prerequisite[]>>;
const skillsOf = (graph: Record<string, Prerequisite[]>) =>
  Object.entries(graph).map(([skillId, prerequisites]) => ({ skillId, prerequisites }));

describe("findCycle", () => {
  it("names the cycle from the skill back to itself", () => {
    expect(findCycle("a", needs("b"), lookUp({ b: needs("c"), c: needs("a") }))).toEqual(["a", "b", "c", "a"]);
    expect(findCycle("a", needs("a"), lookUp({}))).toEqual(["a", "a"]);
  });

  it("finds none in a graph without, however often paths meet", () => {
    expect(findCycle("a", needs("b", "c"), lookUp({ b: needs("d"), c: needs("d"), d: needs("e") }))).toBeNull();
  });

  it("does not mind a cycle that the skill is not part of", () => {
    expect(findCycle("a", needs("b"), lookUp({ b: needs("c"), c: needs("b") }))).toBeNull();
  });

  it("walks a chain as long as a catalogue", () => {
    const next = (id: string) => (id === "99999" ? needs("0") : needs(String(Number(id) + 1)));
    expect(findCycle("0", needs("1"), next)).toHaveLength(100_001);
  });

  it("each step of a cycle it returns is an edge, and where it returns none there is no way back (any graph)", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const cycle = findCycle("a", graph.a ?? [], lookUp(graph));
        expect(cycle === null).toBe(!reachable("a", graph).has("a"));
        if (cycle === null) return;
        expect([cycle.at(0), cycle.at(-1)]).toEqual(["a", "a"]);
        for (const [index, id] of cycle.slice(0, -1).entries()) {
          expect(graph[id]?.map(({ skillId }) => skillId)).toContain(cycle[index + 1]);
        }
      }),
    );
  });
});

describe("foldSkillGraph", () => {
  it("puts prerequisites first, shallow before deep", () => {
    const graph = foldSkillGraph(skillsOf({ d: needs("c"), c: needs("a"), b: [], a: [] }));
    expect(graph.order).toEqual(["a", "b", "c", "d"]);
    expect(Object.fromEntries(graph.depths)).toEqual({ a: 0, b: 0, c: 1, d: 2 });
  });

  it("leaves out unknown skills and the edge that closes a cycle, the same one for every reader", () => {
    const skills = skillsOf({ a: needs("b", "ghost"), b: needs("c"), c: needs("a") });
    for (const given of [skills, skills.toReversed()]) {
      const { order, prerequisites } = foldSkillGraph(given);
      expect(order).toEqual(["c", "b", "a"]);
      expect(Object.fromEntries(prerequisites)).toEqual({ a: needs("b"), b: needs("c"), c: [] });
    }
  });

  it("is acyclic whatever is stored, loses no skill, and loses no edge of a graph without cycles (any graph)", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const folded = foldSkillGraph(skillsOf(graph));
        expect([...folded.order].sort()).toEqual([...ids]);
        let lost = 0;
        for (const [place, id] of folded.order.entries()) {
          const kept = folded.prerequisites.get(id) ?? [];
          for (const { skillId } of kept) expect(folded.order.indexOf(skillId)).toBeLessThan(place);
          lost += (graph[id] ?? []).length - kept.length;
        }
        const cyclic = ids.some((id) => reachable(id, graph).has(id));
        expect(lost > 0).toBe(cyclic);
      }),
    );
  });

  it("takes a chain of 100,000 skills without recursion", () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => ({
      skillId: String(i),
      prerequisites: i === 0 ? [] : needs(String(i - 1)),
    }));
    expect(foldSkillGraph(chain.reverse()).depths.get("99999")).toBe(99_999);
  });
});

/** Skills that the skill leans on, near or far. */
function reachable(from: string, graph: Record<string, Prerequisite[]>): Set<string> {
  const seen = new Set<string>();
  const visit = (id: string): void => {
    for (const { skillId } of graph[id] ?? []) {
      if (seen.has(skillId)) continue;
      seen.add(skillId);
      visit(skillId);
    }
  };
  visit(from);
  return seen;
}
