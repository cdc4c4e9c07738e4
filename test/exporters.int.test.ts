import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { privateRedis, sharedPostgres } from "./support/engines.ts";
import { type Exporter, isOfExporter, startExporter } from "./support/exporters.ts";
import { askedBy } from "./support/promql.ts";

/** What the alerts ask of engines' exporters, and whether these have it: the programs of Debian before real engines. */
const postgres = await sharedPostgres();
const redis = await privateRedis();
const exporters: readonly (Exporter | null)[] =
  postgres === null || redis === null
    ? []
    : await Promise.all([startExporter("postgres", postgres.url), startExporter("redis", redis.url)]);
afterAll(() => Promise.all(exporters.map((one) => one?.stop())));

interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly { readonly expr: string }[] }[];
}
const file = join(import.meta.dirname, "../infra/prometheus/rules/alerts.yml");
const asked = (parse(readFileSync(file, "utf8")) as Rules).groups
  .filter(({ name }) => name === "exporters")
  .flatMap(({ rules }) => rules.flatMap(({ expr }) => askedBy(expr)));

test.skipIf(exporters.length === 0 || exporters.includes(null))(
  "the exporters have every metric and label that the alerts ask for",
  { timeout: 180_000 },
  async () => {
    const found = new Map(
      (await Promise.all(exporters.map((one) => one?.scrape()))).flatMap((one) => [...(one ?? [])]),
    );
    expect(asked.length).toBeGreaterThan(5);
    for (const { metric, labels } of asked) {
      expect(isOfExporter(metric), metric).toBe(true);
      expect([...(found.get(metric) ?? [])], metric).toEqual(expect.arrayContaining([...labels]));
      expect(found.has(metric), metric).toBe(true);
    }
  },
);
