import { Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { cheapCounter, cheapHistogram } from "./cheap-metrics.ts";

test("a histogram is scraped as prom-client's own of the same values", async () => {
  const edges = [0.1, 0.25, 1];
  const [ours, theirs] = [new Registry(), new Registry()];
  const cheap = cheapHistogram([ours], "h", "help", edges);
  const own = new Histogram({ name: "h", help: "help", labelNames: ["a"], buckets: edges, registers: [theirs] });
  for (const [label, value] of [
    ["x", 0.1],
    ["x", 0.11],
    ["y", 5],
    ["x", 0.25],
    ["y", 0],
  ] as const) {
    cheap.with({ a: label })(value);
    own.labels(label).observe(value);
  }
  const lines = (text: string): string[] =>
    text
      .trim()
      .split("\n")
      .map((line) => line.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.split(",").sort().join(",")}}`))
      .sort();
  expect(lines(await ours.metrics())).toEqual(lines(await theirs.metrics()));
});

test("a counter has one series for each label", async () => {
  const registry = new Registry();
  const count = cheapCounter([registry], "c", "help", "status");
  count("accepted", 3);
  count("accepted");
  count("rejected", 0);
  expect(await registry.metrics()).toMatch(/^c\{status="accepted"\} 4$/m);
  expect(await registry.metrics()).not.toContain("rejected");
});
