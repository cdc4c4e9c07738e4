import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { parseMetrics } from "../load-tests/runner/metrics-text.ts";
import { isOfExporter } from "./support/exporters.ts";
import { askedBy } from "./support/promql.ts";
import { serviceHere } from "./support/service.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const alertSchema = z.strictObject({
  alert: z.string().regex(/^[A-Z][A-Za-z]+$/),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(["page", "ticket"]) }),
  annotations: z.strictObject({
    summary: z.string(),
    description: z.string(),
    runbook_url: z.string(),
    dashboard_url: z.string(),
  }),
});
const recordSchema = z.strictObject({
  record: z.string().regex(/^[a-z_]+:[a-z_]+:[a-z0-9_]+$/),
  labels: z.record(z.string(), z.string()).optional(),
  expr: z.string(),
});
const rulesOf = <Rule extends z.ZodType>(file: string, rule: Rule): z.output<Rule>[] => {
  const schema = z.strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(rule) })) });
  return schema.parse(parse(read(`infra/prometheus/rules/${file}.yml`))).groups.flatMap(({ rules }) => rules);
};
const alerts = rulesOf("alerts", alertSchema);
const records = rulesOf("recording", recordSchema);

const testsSchema = z.object({
  tests: z.array(
    z.object({ alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })) }),
  ),
});
const cases = readdirSync(join(root, "infra/prometheus/tests")).flatMap((file) =>
  testsSchema.parse(parse(read(`infra/prometheus/tests/${file}`))).tests.flatMap((one) => one.alert_rule_test),
);

test("each alert is tested to fire and not to fire", () => {
  const names = alerts.map(({ alert }) => alert).sort();
  const tested = (fires: boolean): string[] => [
    ...new Set(cases.filter((one) => one.exp_alerts.length > 0 === fires).map(({ alertname }) => alertname)),
  ];
  expect(tested(true).sort()).toEqual([...new Set(names)]);
  expect(tested(false).sort()).toEqual([...new Set(names)]);
});

test("each alert leads to its section of the runbook and to a dashboard, and docs/alerts.md has it", () => {
  const runbook = read("docs/runbook.md");
  const page = read("docs/alerts.md");
  for (const { alert, labels, annotations } of alerts) {
    expect(annotations.runbook_url).toBe(`{{ $externalLabels.runbook }}#${alert.toLowerCase()}`);
    const section = runbook.split(`\n### ${alert}\n`)[1]?.split("\n### ")[0] ?? "";
    expect(section.length, `a section "### ${alert}" in docs/runbook.md`).toBeGreaterThan(80);
    expect(page, alert).toMatch(
      new RegExp(`^\\| \\[${alert}\\]\\(runbook\\.md#${alert.toLowerCase()}\\) \\| ${labels.severity} \\|`, "m"),
    );
    const uid = /^\{\{ \$externalLabels\.grafana \}\}\/d\/proximal-([a-z]+)$/.exec(annotations.dashboard_url)?.[1];
    expect(["service", "pipeline", "caches", "postgres", "jobs", "capacity"]).toContain(uid);
    if (existsSync(join(root, "infra/grafana")))
      expect(existsSync(join(root, `infra/grafana/${uid}.ts`)), uid).toBe(true);
  }
  const sections = [...runbook.matchAll(/^### ([A-Z][A-Za-z]+)$/gm)].map(([, name]) => name);
  expect(sections.sort()).toEqual(alerts.map(({ alert }) => alert).sort());
});

test("the rules ask for nothing that a process does not export, or that is not recorded", {
  timeout: 180_000,
}, async () => {
  const { call } = await serviceHere();
  await call("/v1/skills", { skillId: "add", title: "Adding" });
  await call("/v1/items", { itemId: "a1", title: "3 + 4", skillIds: ["add"] });
  const answer = { id: "i1", learnerId: "ann", itemId: "a1", kind: "answer", correct: true };
  const { tokens } = (await (await call("/v1/interactions", answer)).json()) as { tokens: Record<string, string> };
  expect((await call(`/v1/learners/ann/next?after=${tokens.ann}`)).status).toBe(200);
  const text = await (await call("/metrics")).text();
  const declared = new Set<string>(["up"]);
  for (const [, name = "", type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const parts = type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
    for (const part of parts) declared.add(part);
  }
  const labelsOf = new Map<string, Set<string>>();
  for (const { name, labels } of parseMetrics(text)) {
    labelsOf.set(name, new Set([...(labelsOf.get(name) ?? []), ...Object.keys(labels)]));
  }
  for (const { record } of records) declared.add(record);
  const wrong: string[] = [];
  for (const { expr } of [...alerts, ...records]) {
    for (const { metric, labels } of askedBy(expr)) {
      // Those are compared with real exporters, in exporters.int.test.ts.
      if (isOfExporter(metric)) continue;
      if (!declared.has(metric)) wrong.push(metric);
      // What has no series in so small a system has no labels to look at; `job` and the like are of the scrape.
      const known = labelsOf.get(metric);
      if (known === undefined || metric.includes(":")) continue;
      for (const label of labels) if (label !== "job" && !known.has(label)) wrong.push(`${metric}{${label}}`);
    }
  }
  expect([...new Set(wrong)]).toEqual([]);
});
