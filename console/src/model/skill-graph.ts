import { Graph, layout } from "@dagrejs/dagre";
import type { SkillsPage } from "../api/answers.ts";

export interface PlacedSkill {
  readonly skillId: string;
  readonly title: string;
  /** Of the left upper corner. */
  readonly x: number;
  readonly y: number;
}

export interface SkillGraph {
  readonly width: number;
  readonly height: number;
  readonly skills: readonly PlacedSkill[];
  /** From a skill to one that builds on it, as points of a line. */
  readonly edges: readonly { readonly from: string; readonly to: string; readonly points: readonly Point[] }[];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

export const box = { width: 168, height: 52 } as const;

/** Skills in layers, what comes before above what builds on it. Sizes are pixels. */
export function skillGraph(skills: SkillsPage["skills"]): SkillGraph {
  const graph = new Graph();
  graph.setGraph({ rankdir: "TB", nodesep: 14, ranksep: 34, marginx: 4, marginy: 4 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(skills.map(({ skillId }) => skillId));
  for (const { skillId } of skills) graph.setNode(skillId, { ...box });
  for (const { skillId, prerequisites } of skills) {
    // One that was retired is no box to draw a line from.
    for (const before of prerequisites) if (known.has(before.skillId)) graph.setEdge(before.skillId, skillId);
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    ...{ width: Math.max(0, width), height: Math.max(0, height) },
    skills: skills.map(({ skillId, title }) => {
      const { x, y } = graph.node(skillId);
      return { skillId, title, x: x - box.width / 2, y: y - box.height / 2 };
    }),
    edges: graph.edges().map((edge) => ({ from: edge.v, to: edge.w, points: graph.edge(edge).points })),
  };
}

/** A line through the points for the `d` of an SVG path. */
export const pathThrough = (points: readonly Point[]): string =>
  points.map(({ x, y }, at) => `${at === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join(" ");

/** A title in at most two lines of about so many characters. */
export function inTwoLines(title: string, perLine = 24): readonly string[] {
  if (title.length <= perLine) return [title];
  const cut = title.lastIndexOf(" ", perLine);
  const first = title.slice(0, cut > 0 ? cut : perLine);
  const rest = title.slice(first.length).trim();
  return [first, rest.length <= perLine ? rest : `${rest.slice(0, perLine - 1).trimEnd()}…`];
}
