import { expect, onTestFinished, test } from "vitest";
import { startTestApi } from "../../../test/support/api.ts";
import { type CollectedSpan, startOtlpCollector } from "../../../test/support/otlp-collector.ts";
import { serviceHere } from "../../../test/support/service.ts";
import { createMemoryLog } from "../../adapters/event-store/memory.ts";
import { createMemoryReadModels } from "../../adapters/read-models/memory.ts";
import { loadConfig } from "../config.ts";
import { openTraces } from "./traces.ts";
import { createWatching } from "./watching.ts";

/** A whole process starts in each test: at a load of 30 that takes its time. */
const timeout = 180_000;
const serverKind = 2;
const clientKind = 3;
const caller = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" };
const traceparent = `00-${caller.traceId}-${caller.spanId}-01`;

const answer = (n: number) => ({ id: `answer-${n}`, learnerId: "ada", itemId: "a1", kind: "answer", correct: true });

const inTrace = (spans: readonly CollectedSpan[], traceId: string): readonly CollectedSpan[] =>
  spans.filter((span) => span.traceId === traceId);

function theOne(spans: readonly CollectedSpan[], name: string): CollectedSpan {
  const [span, ...others] = spans.filter((one) => one.name === name);
  if (span === undefined || others.length > 0) {
    throw new Error(`${others.length + 1} of ${name} among ${spans.map((one) => one.name).join(", ")}`);
  }
  return span;
}

test("a post is one trace, from the caller through the log to the rows", { timeout }, async () => {
  const collector = await startOtlpCollector();
  onTestFinished(collector.stop);
  const { call, stop, lines } = await serviceHere({
    ...{ PROXIMAL_TRACE_SAMPLE: "0.000000001", OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, LOG_LEVEL: "debug" },
    OTEL_EXPORTER_OTLP_HEADERS: "x-key=s%20cret",
  });
  await call("/v1/skills", { skillId: "add", title: "Adding" });
  await call("/v1/items", { itemId: "a1", title: "3 + 4", skillIds: ["add"] });
  const posted = await call("/v1/interactions", answer(1), { traceparent });
  expect(posted.status).toBe(201);
  const { tokens } = (await posted.json()) as { tokens: Record<string, string> };
  const other = "00-5bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const asked = await call(`/v1/learners/ada/next?after=${tokens.ada}`, undefined, { traceparent: other });
  expect(asked.status).toBe(200);
  // What was asked without a trace context is not sampled, as good as ever.
  expect((await call("/v1/learners/ada/scores")).status).toBe(200);
  await stop();

  const spans = inTrace(collector.spans, caller.traceId);
  const post = theOne(spans, "POST /v1/interactions");
  expect(post).toMatchObject({ kind: serverKind, parentId: caller.spanId, failed: false });
  expect(post.attributes).toEqual({
    ...{ "http.request.method": "POST", "http.route": "/v1/interactions", "http.response.status_code": 201 },
  });
  expect(post.resource).toMatchObject({ "service.name": "proximal", "proximal.role": "all" });
  const append = theOne(spans, "append events");
  expect(append).toMatchObject({ kind: clientKind, parentId: post.spanId });
  expect(append.attributes).toMatchObject({ "db.system.name": "sqlite", "db.operation.batch.size": 1 });
  const project = theOne(spans, "project learners");
  expect(project).toMatchObject({ parentId: post.spanId, attributes: { "proximal.partition": 0 } });
  const writes = spans.filter(({ name, parentId }) => name === "write rows" && parentId === project.spanId);
  // The counters, then the learner.
  expect(writes.map(({ attributes }) => attributes["db.system.name"])).toEqual(["memory", "memory"]);

  const query = inTrace(collector.spans, "5bf92f3577b34da6a3ce929d0e0e4736");
  const next = theOne(query, "GET /v1/learners/:learnerId/next");
  expect(next.attributes).toMatchObject({ "http.response.status_code": 200 });
  expect(query.filter(({ name, parentId }) => name === "get rows" && parentId === next.spanId)).not.toEqual([]);
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(2);

  expect(collector.headers()).toMatchObject({ "x-key": "s cret" });
  expect(collector.received.join("")).not.toMatch(/ada|answer-1|cret/);
  const logged = lines.filter((line) => line.trace_id === caller.traceId);
  expect(logged).toContainEqual(expect.objectContaining({ msg: "request answered", span_id: post.spanId }));
});

test("the question that is asked most is traced where the framework does not see it", { timeout }, async () => {
  const collector = await startOtlpCollector();
  onTestFinished(collector.stop);
  const { call, stop } = await serviceHere({
    ...{ PROXIMAL_TRACE_SAMPLE: "1", OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
  });
  await call("/v1/skills", { skillId: "add", title: "Adding" });
  await call("/v1/items", { itemId: "a1", title: "3 + 4", skillIds: ["add"] });
  await call("/v1/interactions", answer(1));
  for (let n = 0; n < 3; n += 1) expect((await call("/v1/learners/ada/next?count=2")).status).toBe(200);
  expect((await call("/v1/nothing")).status).toBe(404);
  expect((await call("/healthz")).status).toBe(200);
  await stop();
  const servers = collector.spans.filter(({ kind }) => kind === serverKind);
  expect(servers.map(({ name }) => name)).toEqual([
    ...["POST /v1/skills", "POST /v1/items", "POST /v1/interactions"],
    ...["GET /v1/learners/:learnerId/next", "GET /v1/learners/:learnerId/next", "GET /v1/learners/:learnerId/next"],
    "GET",
  ]);
});

test("a collector that takes no spans is told of once, and costs nobody an answer", { timeout }, async () => {
  const collector = await startOtlpCollector();
  onTestFinished(collector.stop);
  collector.refuse(true);
  const { call, stop, lines } = await serviceHere({
    ...{ PROXIMAL_TRACE_SAMPLE: "1", OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, LOG_LEVEL: "warn" },
  });
  for (let n = 0; n < 3; n += 1) expect((await call("/v1/popular")).status).toBe(200);
  await stop();
  expect(lines.filter(({ msg }) => String(msg).includes("collector of traces"))).toHaveLength(1);
});

test("nothing is traced, loaded, made or wrapped where nobody asks for it", async () => {
  const { config } = loadConfig({});
  expect(await openTraces(config)).toBeUndefined();
  const watching = createWatching(config, undefined);
  expect(watching.tracing).toBeUndefined();
  expect(watching.batches.tracing).toBeUndefined();
  const eventStore = createMemoryLog();
  // The very object: the group commit calls the log and nothing between.
  expect(watching.appends({ eventStore, system: "sqlite" })).toBe(eventStore);
  const readModels = createMemoryReadModels();
  const places = { runsOn: "memory", connections: null, observeReads: () => undefined, save: async () => undefined };
  expect(watching.rows({ readModels, ...places }).readModels).toBe(readModels);
  const api = await startTestApi();
  onTestFinished(api.stop);
  await api.app.listen({ host: "127.0.0.1", port: 0 });
  expect(api.app.server.listenerCount("request")).toBe(1);
  expect(api.deps.tracing).toBeUndefined();
});
