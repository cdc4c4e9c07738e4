import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { dashboardFiles, dashboards } from "../infra/grafana/dashboards.ts";
import { panelsOf } from "./support/panels.ts";
import { askedBy, asSent } from "./support/promql.ts";

const grafana = join(import.meta.dirname, "..", "infra", "grafana");
const documented = readFileSync(join(import.meta.dirname, "..", "docs", "metrics.md"), "utf8");

/** `x_bucket`, `x_sum` and `x_count` are of the histogram `x`. */
const isDocumented = (metric: string): boolean =>
  /^(nodejs|process)_/.test(metric) ||
  [metric, metric.replace(/_(bucket|sum|count)$/, "")].some((name) => documented.includes(`| \`${name}\` |`));

test("the files are what `npm run dashboards` writes", () => {
  for (const [path, text] of dashboardFiles()) {
    expect(readFileSync(join(grafana, path), "utf8"), `${path}: npm run dashboards`).toBe(text);
  }
  expect(readdirSync(join(grafana, "dashboards")).sort()).toEqual(
    Array.from(dashboardFiles().keys(), (path) => path.replace("dashboards/", "")).sort(),
  );
});

test("provisioning leads to them", () => {
  const read = (path: string) => parse(readFileSync(join(grafana, "provisioning", path), "utf8"));
  expect(read("datasources/prometheus.yml").datasources).toMatchObject([{ type: "prometheus", isDefault: true }]);
  expect(read("dashboards/proximal.yml").providers).toMatchObject([{ type: "file", allowUiUpdates: false }]);
});

describe.each(Object.entries(dashboards))("%s", (_name, dashboard) => {
  const panels = panelsOf(dashboard);

  test("has panels that say what they are", () => {
    expect(dashboard.uid).toMatch(/^proximal-\w+$/);
    expect(panels.length).toBeGreaterThan(8);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(panels.map(({ row, title }) => `${row} ${title}`)).size).toBe(panels.length);
    for (const { title, description, unit, queries } of panels) {
      expect(description, title).toMatch(/^\S.*[.]$/s);
      expect(unit, title).not.toBe("");
      expect(queries.length, title).toBeGreaterThan(0);
    }
  });

  test("asks for metrics that a process has, in good PromQL", () => {
    for (const { title, queries } of panels) {
      for (const expr of queries) {
        const asked = askedBy(asSent(expr, 60));
        expect(asked.length, title).toBeGreaterThan(0);
        for (const { metric } of asked) expect(isDocumented(metric), `${title}: ${metric}`).toBe(true);
      }
    }
  });
});
