import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dashboards } from "../../infra/grafana/dashboards.ts";
import { missingFor } from "../../infra/local/stack.ts";
import type { State } from "../../infra/local/state.ts";
import { orSkip } from "../support/engines.ts";
import { temporaryFolder } from "../support/folders.ts";
import { type CollectedSpan, type OtlpCollector, startOtlpCollector } from "../support/otlp-collector.ts";
import { panelsOf } from "../support/panels.ts";
import { type PrometheusServer, prometheusProgram, runPrometheus } from "../support/prometheus.ts";
import { askedBy, asSent } from "../support/promql.ts";
import { chain, eventually, type Reply, root } from "./proximal.ts";

/** The whole of `npm run up`, each role a process, seen from outside: its traces by a collector, its metrics by a Prometheus. */
const missing = await missingFor("full");
const skipped =
  prometheusProgram() === null ||
  (missing.length > 0 && orSkip({ skip: `the stack of npm run up is not installed: ${missing}` }) === null);

const folder = join(temporaryFolder(), "stack");
const archive = temporaryFolder();
let collector: OtlpCollector;
let prometheus: PrometheusServer | undefined;
let state: State;

async function stack(command: "up" | "down"): Promise<void> {
  const env = {
    ...process.env,
    ...{ PROXIMAL_TRACE_SAMPLE: "0.000000001", OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, PROXIMAL_ARCHIVE: archive },
  };
  const script = join(root, "infra/local/main.ts");
  const child = spawn(process.execPath, [script, command, "--folder", folder], { cwd: root, env });
  const [said, [code]] = await Promise.all([
    Promise.all([text(child.stdout), text(child.stderr)]),
    once(child, "close") as Promise<[number]>,
  ]);
  if (code !== 0) throw new Error(said.join("\n"));
}

async function call(role: "api" | "query", path: string, body?: unknown, headers = {}): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${state.ports[role]}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${state.key}`, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

let answers = 0;

/** Some learners answer and ask what is next, as often as a rate needs to be seen. */
async function learn(): Promise<void> {
  const all = Array.from({ length: 40 }, (_, n) => {
    answers += 1;
    const itemId = `count-${(answers % 6) + 1}`;
    return { id: `a${answers}`, learnerId: `learner-${n}`, itemId, kind: "answer", correct: n % 3 > 0 };
  });
  const { status } = await call("api", "/v1/interactions", all);
  if (status !== 200) throw new Error(`posts are answered with ${status}`);
  await call("api", "/v1/interactions", { ...all[0], id: `b${answers}` });
  for (let times = 0; times < 2; times += 1) {
    await Promise.all(all.map(({ learnerId }) => call("query", `/v1/learners/${learnerId}/next`)));
  }
  await call("query", "/v1/popular");
}

describe.skipIf(skipped)("the whole stack", () => {
  beforeAll(async () => {
    // PostgreSQL may have to run as another user.
    chmodSync(join(folder, ".."), 0o711);
    collector = await startOtlpCollector();
    await stack("up");
    state = JSON.parse(readFileSync(join(folder, "state.json"), "utf8"));
    const roles = ["relay", "projector", "trainer", "jobs", "query", "api"] as const;
    prometheus = await runPrometheus({ targets: roles.map((role) => `127.0.0.1:${state.ports[role]}`) });
    expect((await call("api", "/v1/skills", chain.skills)).status).toBe(200);
    expect((await call("api", "/v1/items", chain.items)).status).toBe(200);
  }, 300_000);

  afterAll(async () => {
    // Begun in a hook, they are nobody else's to stop.
    await prometheus?.stop();
    await stack("down");
    await collector.stop();
  }, 180_000);

  test("a post is one trace through every process, from the caller to the write in Redis", {
    timeout: 180_000,
  }, async () => {
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const answer = { id: "traced", learnerId: "ann", itemId: "count-1", kind: "answer", correct: true };
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    expect((await call("api", "/v1/interactions", answer, headers)).status).toBe(201);
    const ofTrace = (): readonly CollectedSpan[] => collector.spans.filter((span) => span.traceId === traceId);
    const named = (name: string): CollectedSpan | undefined => ofTrace().find((span) => span.name === name);
    const steps = [
      ["POST /v1/interactions", "api"],
      ["append events", "api"],
      ["send proximal.events", "relay"],
      ["process proximal.events", "projector"],
      ["project learners", "projector"],
      ["write rows", "projector"],
    ] as const;
    await eventually(
      "all spans of the trace",
      async () => steps.filter(([name]) => named(name) === undefined).map(([name]) => name),
      (absent) => absent.length === 0,
      60_000,
    );
    for (const [name, role] of steps) expect(named(name)?.resource["proximal.role"], name).toBe(role);
    const post = named("POST /v1/interactions")?.spanId;
    expect(named("POST /v1/interactions")?.parentId).toBe("00f067aa0ba902b7");
    for (const [name] of steps.slice(1, 5)) expect(named(name)?.parentId, name).toBe(post);
    expect(named("write rows")?.parentId).toBe(named("project learners")?.spanId);
    expect(named("append events")?.attributes).toMatchObject({ "db.system.name": "postgresql" });
    expect(named("log.append")?.parentId).toBe(named("append events")?.spanId);
    expect(named("send proximal.events")?.attributes).toMatchObject({ "messaging.system": "kafka" });
    expect(named("write rows")?.attributes).toMatchObject({ "db.system.name": "redis" });

    const asked = "5bf92f3577b34da6a3ce929d0e0e4736";
    const query = { traceparent: `00-${asked}-00f067aa0ba902b7-01` };
    expect((await call("query", "/v1/learners/ann/next", undefined, query)).status).toBe(200);
    const ofQuery = (name: string) => collector.spans.find((span) => span.traceId === asked && span.name === name);
    await eventually(
      "the query's spans",
      async () => [ofQuery("GET /v1/learners/:learnerId/next"), ofQuery("get rows")],
      ([request, read]) => request !== undefined && read?.parentId === request.spanId,
    );
  });

  test("each query of each dashboard has an answer from what it exports", { timeout: 240_000 }, async () => {
    // What this deployment has not: a replica, and files of certificates.
    const absent = ["replica_reads_total", "tls_certificate_not_after_timestamp_seconds"];
    const queries = Object.values(dashboards).flatMap((dashboard) =>
      panelsOf(dashboard).flatMap(({ title, queries }) =>
        queries.map((expr) => ({ what: `${dashboard.title}, ${title}`, expr: asSent(expr, rateSeconds) })),
      ),
    );
    const asked = queries.filter(({ expr }) => !askedBy(expr).some(({ metric }) => absent.includes(metric)));
    expect(queries.length - asked.length).toBe(2);

    const unanswered = async (): Promise<readonly string[]> => {
      await learn();
      const answered = await Promise.all(asked.map(({ expr }) => isAnswered(expr)));
      return asked.filter((_, at) => !answered[at]).map(({ what, expr }) => `${what}: ${expr}`);
    };
    await eventually("answers to all queries", unanswered, (none) => none.length === 0, 180_000);
    expect(await prometheus?.unhealthy()).toEqual([]);
  });
});

/** Long enough for two scrapes of a machine that is busy with other work. */
const rateSeconds = 60;

/** Series that are there once something went wrong; that a process has such a metric is seen in docs/metrics.md. */
const afterTrouble = ["http_requests_shed_total"];
/** A label without a value is none to Prometheus. */
const emptyWhereFine = "error_type";

/** It has an answer that is a number, and whatever it asks about is there under that name. */
async function isAnswered(expr: string): Promise<boolean> {
  if (prometheus === undefined) return false;
  const samples = await prometheus.query(expr);
  if (!samples.some(({ value }) => !Number.isNaN(value))) return false;
  for (const { metric, labels } of askedBy(expr)) {
    const series = await prometheus.series(metric);
    if (series.length === 0 && !afterTrouble.includes(metric)) return false;
    if (!labels.every((label) => label === emptyWhereFine || series.some((one) => label in one))) return false;
  }
  return true;
}
