import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { afterAll, expect, test } from "vitest";
import { makeCertificates } from "../../../test/support/certificates.ts";
import { type ServiceHere, serviceHere } from "../../../test/support/service.ts";
import { loadConfig } from "../config.ts";
import { registerProcessMetrics } from "./process-metrics.ts";

/** A whole process starts in each test: at a load of 30 that takes its time. */
const timeout = 180_000;
const folder = mkdtempSync(join(tmpdir(), "proximal-metrics-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scraped = async ({ call }: ServiceHere): Promise<string> => (await call("/metrics")).text();

/** Names with labels, without values. */
const seriesOf = (text: string): readonly string[] =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.slice(0, line.lastIndexOf(" ")))
    .sort();

const answer = (id: string, learnerId: string) => ({ id, learnerId, itemId: "a1", kind: "answer", correct: true });

/** Posts, asks, and waits until the metrics show that it was folded. */
async function use(service: ServiceHere, learners: readonly string[]): Promise<void> {
  const answers = learners.map((learner, at) => answer(`of-${learner}-${at}`, learner));
  const posted = await service.call("/v1/interactions", answers);
  const { tokens } = (await posted.json()) as { tokens: Record<string, string> };
  for (const learner of learners) {
    for (const path of [`next?after=${tokens[learner]}`, "next", "scores", "reviews", "history"]) {
      expect((await service.call(`/v1/learners/${learner}/${path}`)).status).toBe(200);
    }
  }
  expect((await service.call("/v1/next", { learnerIds: learners })).status).toBe(200);
  for (const learner of learners) expect((await service.call(`/v1/learners/${learner}/nonsense`)).status).toBe(404);
}

const learnersOf = (word: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `${word}-${n}`);

test("metrics grow by what there is of the system, not of learners", { timeout }, async () => {
  const service = await serviceHere();
  await service.call("/v1/skills", { skillId: "add", title: "Adding" });
  await service.call("/v1/items", { itemId: "a1", title: "3 + 4", skillIds: ["add"] });
  await use(service, learnersOf("early", 5));
  const before = seriesOf(await scraped(service));
  await use(service, learnersOf("late", 60));
  const text = await scraped(service);
  expect(text).not.toMatch(/early-|late-/);
  const added = seriesOf(text).filter((one) => !before.includes(one));
  // A bucket of a duration, a label that a slow machine meets later, or a plan that takes two looks may be new: fewer than learners.
  expect(added.length).toBeLessThan(60);
  for (const name of [
    ...["proximal_build_info", "nodejs_eventloop_utilization_ratio", "nodejs_eventloop_lag_p99_seconds"],
    ...["nodejs_gc_duration_seconds_count", "nodejs_heap_size_used_bytes", "process_cpu_seconds_total"],
    ...["folder_free_bytes", "projection_batch_duration_seconds_count", "projection_events_total"],
    ...["http_server_request_duration_seconds_count", "append_duration_seconds_count", "job_duration_seconds_count"],
  ]) {
    expect(text, name).toMatch(new RegExp(`^${name}(\\{.*\\})? [0-9.e+]+$`, "m"));
  }
  expect(text).toMatch(/^proximal_build_info\{version="[^"]+",role="all",nodejs_version="24[^"]*"\} 1$/m);
});

test("each metric is in docs/metrics.md, with what it says of itself", { timeout }, async () => {
  const text = await scraped(await serviceHere());
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]));
  const rows = [...text.matchAll(/^# HELP (\S+) (.+)$/gm)]
    .filter(([, name = ""]) => !/^(nodejs|process)_/.test(name) || name === "nodejs_eventloop_utilization_ratio")
    .map(([, name = "", help]) => `| \`${name}\` | ${types.get(name)} | ${help} |`)
    .sort();
  const table = ["| metric | kind | meaning |", "|---|---|---|", ...rows, ""].join("\n");
  await expect(
    [
      "# Metrics",
      "",
      "What `/metrics` of a process shows, beside Node's own (`nodejs_*`, `process_*`): [observability.md](observability.md).",
      "Made from the running process: `npx vitest run -u --project unit src/app/observability/watching.test.ts`.",
      "",
      table,
    ].join("\n"),
  ).toMatchFileSnapshot("../../../docs/metrics.md");
});

test("certificates that settings name tell when they end", async () => {
  const { ca, client } = await makeCertificates(folder);
  const registry = new Registry();
  const { config } = loadConfig({
    ...{ KAFKA_BROKERS: "h:9093", DATABASE_URL: "postgres://h/x", REDIS_URL: "redis://h" },
    ...{ KAFKA_TLS: "on", KAFKA_TLS_CA: ca, KAFKA_TLS_CERT: client.cert, KAFKA_TLS_KEY: client.key },
  });
  registerProcessMetrics(registry, config);
  const ends = (text: string, setting: string): number =>
    Number(new RegExp(`timestamp_seconds\\{setting="${setting}"\\} (\\d+)`).exec(text)?.[1]);
  const text = await registry.metrics();
  for (const setting of ["KAFKA_TLS_CA", "KAFKA_TLS_CERT"]) {
    expect(ends(text, setting)).toBeGreaterThan(Date.now() / 1000);
    expect(ends(text, setting)).toBeLessThan(Date.now() / 1000 + 20 * 365 * 86_400);
  }
  writeFileSync(client.cert, "no certificate");
  expect(ends(await registry.metrics(), "KAFKA_TLS_CERT")).toBeNaN();
});
