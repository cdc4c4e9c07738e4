import { expect, test } from "vitest";
import { maxOf, parseMetrics, sumOf } from "./metrics-text.ts";

const text = `# HELP lookups Rows asked
# TYPE lookups counter
lookups{result="hit"} 90
lookups{result="miss",note="a \\"quoted\\", word"} 10
lag{projection="learners",partition="0"} 3
lag{projection="learners",partition="1"} 7
edge_bucket{le="+Inf"} 4
odd NaN
`;

test("values are read with their labels, and summed as far as labels fit", () => {
  const values = parseMetrics(text);
  expect(values[1]).toEqual({ name: "lookups", labels: { result: "miss", note: 'a "quoted", word' }, value: 10 });
  expect(sumOf(values, "lookups")).toBe(100);
  expect(sumOf(values, "lookups", { result: "hit" })).toBe(90);
  expect(maxOf(values, "lag")).toBe(7);
  expect(sumOf(values, "edge_bucket", { le: "+Inf" })).toBe(4);
});

test("what is not there is not zero", () => {
  expect(sumOf(parseMetrics(text), "nothing")).toBeNull();
  expect(maxOf(parseMetrics(text), "odd")).toBeNull();
});
