import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { privateRedis, sharedPostgres } from "../support/engines.ts";
import { startOtlpCollector } from "../support/otlp-collector.ts";
import { type ServiceHere, serviceHere } from "../support/service.ts";
import { newPlace, run } from "./proximal.ts";

const redisPassword = "hunter-of-redis";
const postgres = await sharedPostgres();
const redis = await privateRedis({ settings: { "maxmemory-policy": "noeviction", databases: "16" } });
if (redis !== null) {
  const administrator = new Redis(redis.url);
  await administrator.config("SET", "requirepass", redisPassword);
  administrator.disconnect();
}

let database = 3;

/** A word that no secret lacks, and nothing else has. */
const secretWord = /hunter|[0-9a-f]{64}/;

const withPassword = (url: string, password: string): string => {
  const parsed = new URL(url);
  parsed.password = password;
  if (parsed.protocol === "postgres:" && parsed.username === "") parsed.username = "postgres";
  return parsed.href;
};

/** Whatever people and programs are shown of a process that has been used, and misused. */
async function everythingShown(service: ServiceHere): Promise<string> {
  const shown: string[] = [];
  const ask = async (...call: Parameters<ServiceHere["call"]>): Promise<void> => {
    shown.push(await (await service.call(...call)).text());
  };
  await ask("/v1/skills", { skillId: "add", title: "Adding" });
  await ask("/v1/items", { itemId: "a1", title: "3 + 4", skillIds: ["add"] });
  await ask("/v1/interactions", { id: "i1", learnerId: "ada", itemId: "a1", kind: "answer", correct: true });
  for (const path of ["next", "scores", "reviews", "history", "nonsense"]) await ask(`/v1/learners/ada/${path}`);
  await ask("/v1/interactions", { id: 7 });
  await ask("/v1/popular", undefined, { authorization: `Bearer pxl_0123456789abcdef_${"5".repeat(64)}` });
  for (const path of ["lag", "parked", "rebuild/learners", "scaling", "workers", "nonsense"])
    await ask(`/v1/ops/${path}`);
  for (const path of ["/healthz", "/readyz", "/metrics", "/v1/key", "/v1/events?limit=5", "/console/"]) await ask(path);
  const session = await service.call("/console/session", {});
  const cookie = String(session.headers.get("set-cookie")).split(";")[0] ?? "";
  const queues = await (await service.call("/console/jobs/api/queues", undefined, { cookie })).text();
  expect(queues).toContain('"queues"');
  shown.push(await session.text(), queues);
  return shown.join("\n");
}

describe.skipIf(postgres === null || redis === null)("secrets of all settings", () => {
  test("are in no answer, metric, trace or line of the log, also where an engine refuses them", {
    timeout: 180_000,
  }, async () => {
    if (postgres === null || redis === null) return;
    const collector = await startOtlpCollector();
    onTestFinished(collector.stop);
    const server = `redis://:${redisPassword}@127.0.0.1:${redis.port}`;
    const service = await serviceHere({
      ...{ DATABASE_URL: withPassword(await postgres.createDatabase(), "hunter-of-postgres") },
      ...{ REDIS_URL: `${server}/1`, JOBS_REDIS_URL: `${server}/2`, PROXIMAL_TRACE_SAMPLE: "1", LOG_LEVEL: "trace" },
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: "x-key=hunter-of-traces" },
      ...{ PROXIMAL_EXPORT_SECRET: "hunter-of-exports", PROXIMAL_API_KEY: "pxl_hunter-of-commands" },
    });
    const shown = await everythingShown(service);
    expect(shown).toContain("projection_lag_events");
    await service.stop();
    // The collector was sent its key in a header, and spans without it.
    expect(collector.headers()["x-key"]).toBe("hunter-of-traces");
    expect(collector.received.join("")).toContain("POST /v1/interactions");
    for (const text of [shown, collector.received.join("\n"), JSON.stringify(service.lines)]) {
      expect(secretWord.exec(text)?.[0]).toBeUndefined();
    }
    expect(service.lines.length).toBeGreaterThan(10);
  });

  test.each([
    ["a Redis with another password", { REDIS_URL: () => `redis://:hunter-2@127.0.0.1:${redis?.port}` }],
    ["no PostgreSQL", { DATABASE_URL: () => "postgres://me:hunter-2@127.0.0.1:9/x" }],
    ["a Kafka that is not there", { KAFKA_BROKERS: () => "127.0.0.1:9", KAFKA_SASL_PASSWORD: () => "hunter-2" }],
    ["an EventStoreDB that is not there", { EVENTSTOREDB_URL: () => "esdb://admin:hunter-2@127.0.0.1:9?tls=false" }],
    ["a jobs' Redis with another password", { JOBS_REDIS_URL: () => `redis://me:hunter-2@127.0.0.1:${redis?.port}/3` }],
    ["a host that a password has cut short", { DATABASE_URL: () => "postgres://me:12#hunter@127.0.0.1:9/x" }],
  ])("are not in what a start that fails says: %s", { timeout: 180_000 }, async (_what, settings) => {
    if (postgres === null || redis === null) return;
    database += 1;
    const { environment } = newPlace({
      ...{ DATABASE_URL: await postgres.createDatabase() },
      ...{ REDIS_URL: `redis://:${redisPassword}@127.0.0.1:${redis.port}/${database}`, PROXIMAL_START_TIMEOUT_S: "0" },
      ...{ KAFKA_SASL_USERNAME: "", PROXIMAL_DEBUG: "on", LOG_LEVEL: "trace" },
      ...("KAFKA_BROKERS" in settings ? { KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "me" } : {}),
      ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, value()])),
    });
    const { code, stdout, stderr } = await run({ environment }, ["serve", "--port", "0"]);
    expect(code, stdout).not.toBe(0);
    // The setting is named, its secret is not.
    expect(stderr).toContain(Object.keys(settings)[0]);
    expect(secretWord.exec(stdout + stderr)?.[0], stderr).toBeUndefined();
  });
});
