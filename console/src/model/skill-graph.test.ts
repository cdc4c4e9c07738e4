import { expect, test } from "vitest";
import { course } from "../../../src/app/demo/course.ts";
import { box, inTwoLines, pathThrough, skillGraph } from "./skill-graph.ts";

test("the demo course: what comes before stands above, no box covers another, all are on the drawing", () => {
  const graph = skillGraph(course.skills);
  const at = new Map(graph.skills.map((skill) => [skill.skillId, skill]));
  expect(graph.skills).toHaveLength(course.skills.length);
  expect(graph.edges).toHaveLength(course.skills.flatMap(({ prerequisites }) => prerequisites).length);
  for (const { from, to } of graph.edges) {
    expect(at.get(to)?.y, `${from} -> ${to}`).toBeGreaterThan(at.get(from)?.y ?? Number.NaN);
  }
  for (const [index, one] of graph.skills.entries()) {
    expect([one.x >= 0, one.y >= 0]).toEqual([true, true]);
    expect(one.x + box.width).toBeLessThanOrEqual(graph.width);
    expect(one.y + box.height).toBeLessThanOrEqual(graph.height);
    for (const other of graph.skills.slice(index + 1)) {
      const apart = Math.abs(one.x - other.x) >= box.width || Math.abs(one.y - other.y) >= box.height;
      expect(apart, `${one.skillId} and ${other.skillId}`).toBe(true);
    }
  }
});

test("a skill whose prerequisite was retired is drawn without that line; none at all is an empty drawing", () => {
  const graph = skillGraph([{ skillId: "b", title: "B", prerequisites: [{ skillId: "gone", weight: 1 }] }]);
  expect([graph.skills.length, graph.edges]).toEqual([1, []]);
  expect(skillGraph([]).skills).toEqual([]);
});

test("titles fit their box", () => {
  expect(inTwoLines("Powers")).toEqual(["Powers"]);
  expect(inTwoLines("Multiplying and dividing integers")).toEqual(["Multiplying and dividing", "integers"]);
  expect(inTwoLines("Equations with the unknown on both sides and more of it")).toEqual([
    "Equations with the",
    "unknown on both sides a…",
  ]);
  expect(inTwoLines("x".repeat(30))).toEqual(["x".repeat(24), "x".repeat(6)]);
  expect(
    pathThrough([
      { x: 0, y: 1 },
      { x: 2.26, y: 3 },
    ]),
  ).toBe("M0.0 1.0 L2.3 3.0");
});
