import { afterEach, beforeEach, expect, test } from "vitest";
import { answer, publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";
import { createLagSampler } from "../queries/lag-sampler.ts";
import { createQueueWatch } from "../queries/queue-lag.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.stop());

test("lag of each projection", async () => {
  await publishCourse(api);
  const { status, json } = await api.call("GET", "/v1/ops/lag");
  expect(status).toBe(200);
  expect(json.head).toBe(19);
  const still = { partition: 0, started: true, state: "current", behindEvents: 0, behindSeconds: 0, secondsToDrain: 0 };
  const unmeasured = { rateIn: null, rateOut: null, rateSeconds: 0 };
  expect(json.projections).toEqual([
    { projection: "learners", position: 19, ...still, ...unmeasured },
    { projection: "catalogue", position: expect.any(Number), ...still, ...unmeasured },
  ]);
  expect([json.queues, json.unreadable]).toEqual([[], []]);
});

test("rates, queues and what cannot be read, in the answer and in the metrics", async () => {
  let completedTotal = 0;
  const counts = async () => ({
    ...{ waiting: 2, prioritized: 1, paused: true, active: 1, delayed: 3, failed: 4, completedTotal, failedTotal: 5 },
    oldestWaitingAt: Date.now() - 9_000,
  });
  const gone = () => Promise.reject(new Error("gone"));
  const other = await startTestApi(({ followers, feed, clock }) => ({
    watched: {
      lag: createLagSampler({ feed, clock, followers: [...followers, { name: "relay", position: gone }] }),
      queues: createQueueWatch(
        [
          { queue: "jobs", counts },
          { queue: "replays", counts: gone },
        ],
        clock,
      ),
    },
  }));
  await publishCourse(other);
  await other.call("GET", "/v1/ops/lag");
  other.clock.advance(10_000);
  completedTotal = 20;
  await other.call("POST", "/v1/interactions", { body: [answer("ada", "counting-1"), answer("ben", "counting-2")] });
  await other.settled();
  const { json } = await other.call("GET", "/v1/ops/lag");
  expect(json.projections[0]).toMatchObject({ projection: "learners", state: "current", behindEvents: 0 });
  // Two of them, and the lists that were recorded, in about ten seconds.
  expect(json.projections[0].rateIn).toBeGreaterThan(0.15);
  expect(json.projections[0].rateOut).toBeCloseTo(json.projections[0].rateIn);
  expect(json.queues).toHaveLength(1);
  expect(json.queues[0]).toMatchObject({ queue: "jobs", backlog: 6, paused: true, failed: 4 });
  expect(json.queues[0].oldestWaitingSeconds).toBeGreaterThanOrEqual(18);
  expect(json.queues[0].completedPerSecond).toBeCloseTo(2, 0);
  expect(json.unreadable).toEqual(["relay", "queue replays"]);
  const { text } = await other.call("GET", "/metrics");
  expect(text).toMatch(/^projection_events_in_per_second\{projection="learners",partition="0"\} 0\.\d/m);
  expect(text).toMatch(/^projection_events_out_per_second\{projection="learners",partition="0"\} 0\.\d/m);
  expect(text).toContain('projection_drain_seconds{projection="learners",partition="0"} 0');
  expect(text).toContain('projection_started{projection="learners",partition="0"} 1');
  expect(text).not.toContain('projection="relay"');
  expect(text).toContain('job_queue_jobs{queue="jobs",state="delayed"} 3');
  expect(text).toContain('job_queue_backlog_jobs{queue="jobs"} 6');
  expect(text).toContain('job_queue_completed_total{queue="jobs"} 20');
  expect(text).toContain("# TYPE job_queue_completed_total counter");
  expect(text).toContain("# TYPE job_queue_failed_total counter");
  expect(text).toContain('jobs{state="waiting"} 2');
  expect(text).not.toContain('queue="replays"');
  await other.stop();
});

test("ready while nothing is behind; not when something is behind for long, was never started, or cannot be asked", async () => {
  expect((await api.call("GET", "/readyz", { key: null })).json).toEqual({ status: "ready", position: 0 });
  let position: number | null = null;
  let down = false;
  const other = await startTestApi(({ clock }) => ({
    followers: [
      {
        name: "slow",
        async position() {
          if (down) throw new Error("gone");
          return position;
        },
      },
    ],
    options: { staleAfterSeconds: 60 },
    clock,
  }));
  const ready = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    return other.call("GET", "/readyz", { key: null });
  };
  const never = await other.call("GET", "/readyz", { key: null });
  expect([never.status, never.json.code, never.json.errors]).toEqual([
    503,
    "not_ready",
    [{ path: "slow/0", message: "never started" }],
  ]);
  // What all processes share takes none of them out of a balancer that says so.
  const without = (exclude: string) => other.call("GET", `/readyz?exclude=${exclude}`, { key: null });
  expect([(await without("engines")).status, (await without("projections")).status]).toEqual([503, 200]);
  expect((await without("projections,engines")).json).toEqual({ status: "ready" });
  expect((await without("lag")).json.code).toBe("invalid_request");
  position = 0;
  await other.call("POST", "/v1/interactions", { body: answer("ada", "sum") });
  expect((await ready()).status).toBe(200);
  other.clock.advance(61_000);
  const behind = await ready();
  expect([behind.status, behind.json.errors[0].message]).toEqual([
    503,
    expect.stringMatching(/^1 events and 6\d s behind$/),
  ]);
  down = true;
  expect((await ready()).json.errors[0].path).toBe("engines");
  expect((await other.call("GET", "/healthz", { key: null })).json).toEqual({ status: "ok" });
  await other.stop();
});

test("a parked learner: listed, retried, counted; everyone else flows", async () => {
  await api.deps.eventStore.append([
    {
      stream: "learner-bad",
      expected: "any",
      events: [
        {
          ...{ eventId: "00000000-0000-4000-8000-000000000001", type: "InteractionRecorded" },
          ...{ data: { nonsense: true }, metadata: { schemaVersion: 1 }, recordedAt: new Date().toISOString() },
        },
      ],
    },
  ]);
  await api.call("POST", "/v1/interactions", { body: answer("good", "sum") });
  await api.settled();
  const { json } = await api.call("GET", "/v1/ops/parked");
  expect(json).toMatchObject({ count: 1, parked: [{ learnerId: "bad", partition: 0, revision: 1, position: 1 }] });
  expect((await api.call("GET", "/v1/learners/good/scores")).json.answers).toBe(1);
  const retried = await api.call("POST", "/v1/ops/parked/bad/retry");
  expect([retried.status, retried.json]).toMatchObject([200, { learnerId: "bad", status: "still_failing" }]);
  expect(retried.json.error).toContain("interactionId");
  expect((await api.call("POST", "/v1/ops/parked/good/retry")).json.code).toBe("not_found");
  const metrics = (await api.call("GET", "/metrics")).text;
  expect(metrics).toContain("projection_parked_streams 1");
});

test("rebuild: beside the live rows, identical, and queries go on", async () => {
  await publishCourse(api);
  await api.call("POST", "/v1/interactions", { body: ["ada", "bob"].map((who) => answer(who, "counting-1")) });
  await api.settled();
  const before = (await api.call("GET", "/v1/learners/ada/scores")).json;
  const name = api.deps.operations?.rebuildable[0];
  const { status, json } = await api.call("POST", `/v1/ops/rebuild/${name}`);
  expect([status, json.name]).toEqual([202, name]);
  let report = json;
  while (report.status === "running") {
    // Injected requests never leave the microtask queue: without a pause the rebuild would not get a turn.
    await new Promise((resolve) => setTimeout(resolve, 5));
    report = (await api.call("GET", `/v1/ops/rebuild/${name}`)).json;
  }
  expect(report).toMatchObject({ status: "done", identical: true, error: null });
  const after = (await api.call("GET", "/v1/learners/ada/scores")).json;
  expect({ ...after, ageMs: 0 }).toEqual({ ...before, ageMs: 0 });
  const unknown = await api.call("POST", "/v1/ops/rebuild/nothing");
  expect([unknown.status, unknown.json.errors[0].path]).toEqual([404, "name"]);
});

test("metrics: requests by route and status, commits, lag, the event loop", async () => {
  await api.call("POST", "/v1/interactions", { body: [answer("ada", "sum"), {}] });
  await api.call("GET", "/v1/learners/ada/next");
  await api.call("GET", "/v1/learners/a%20b/next");
  await api.call("GET", "/nowhere/at/all");
  const { status, headers, text } = await api.call("GET", "/metrics");
  expect([status, String(headers["content-type"]).startsWith("text/plain")]).toEqual([200, true]);
  const labels = (method: string, route: string, code: number) =>
    `http_server_request_duration_seconds_count{http_request_method="${method}",http_route="${route}",http_response_status_code="${code}"} 1`;
  expect(text).toContain(labels("POST", "/v1/interactions", 200));
  expect(text).toContain(labels("GET", "/v1/learners/:learnerId/next", 200));
  expect(text).toContain(labels("GET", "/v1/learners/:learnerId/next", 400));
  expect(text).toContain(labels("GET", "unmatched", 404));
  expect(text).toContain('interactions_total{status="accepted"} 1');
  expect(text).toContain('interactions_total{status="rejected"} 1');
  expect(text).toMatch(/projection_lag_events\{projection="learners",partition="0"\} \d/);
  expect(text).toMatch(/projection_lag_seconds\{projection="catalogue",partition="0"\} \d/);
  expect(text).toContain("append_batch_events_sum 1");
  expect(text).toContain("nodejs_eventloop_lag_seconds");
});

test("a process from which nothing leads to the rows says so", async () => {
  const other = await startTestApi(() => ({ operations: null, parkedHere: null }));
  for (const [method, path] of [
    ["GET", "/v1/ops/parked"],
    ["POST", "/v1/ops/parked/ada/retry"],
    ["POST", "/v1/ops/rebuild/learners"],
  ] as const) {
    const { status, json } = await other.call(method, path);
    expect([status, json.code]).toEqual([503, "not_ready"]);
    expect(json.detail).toContain("REDIS_URL");
  }
  expect((await other.call("GET", "/metrics")).text).not.toMatch(/^projection_parked_streams /m);
  await other.stop();
});
