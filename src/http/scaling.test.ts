import { afterEach, expect, test } from "vitest";
import { publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";
import { createMemoryPresence } from "../adapters/presence/memory.ts";
import { defaultPolicy } from "../domain/scaling/policy.ts";
import { createLagSampler } from "../queries/lag-sampler.ts";
import { createArrivalsBySpan } from "../queries/scaling/arrivals.ts";
import { createScalingWatch } from "../queries/scaling/scaling-watch.ts";
import { registerScalingMetrics } from "./scaling-metrics.ts";

let api: TestApi;
afterEach(() => api.stop());

/** The watch of a process of all roles, on the real log and projector of the test. */
function startWatched(): Promise<TestApi> {
  return startTestApi(({ feed, clock, followers }) => {
    const presence = createMemoryPresence(clock);
    const said = { role: "all", host: "h", pid: 1, startedAt: new Date(0).toISOString(), busyShare: 0.1 };
    void presence.report("one", { ...said, requestsPerSecond: 3, partitions: [0], parked: 0, poolWaiting: 0 }, 1e9);
    const scaling = createScalingWatch({
      ...{ clock, presence, policy: defaultPolicy, shared: false, arrivals: createArrivalsBySpan(feed) },
      lag: createLagSampler({ feed, clock, followers }).reader({ windowMs: 1_000, oldestMs: 600_000 }),
      queues: async () => ({ queues: [], unreadable: [] }),
    });
    return { scaling, engineMetrics: { register: (registry) => registerScalingMetrics(registry, scaling) } };
  });
}

/** The clock of the log's sampler is the machine's own: looks half a second apart have rates. */
async function twoLooks(): Promise<void> {
  await api.call("GET", "/v1/ops/scaling");
  api.clock.advance(10_000);
}

test("the plan, with its reasons, and what if", async () => {
  api = await startWatched();
  await publishCourse(api);
  await twoLooks();
  const { status, json } = await api.call("GET", "/v1/ops/scaling");
  expect(status).toBe(200);
  expect(json.roles.map(({ role }: { role: string }) => role)).toEqual(["api", "projector", "trainer"]);
  const [first, projector] = json.roles;
  expect(first).toMatchObject({ role: "api", running: 1, desired: 1, rateIn: 3 });
  expect(projector).toMatchObject({ running: 1, desired: 1, most: 1, backlog: 0, why: expect.stringMatching(/\.$/) });
  expect(json.processes).toEqual([expect.objectContaining({ id: "one", role: "all" })]);

  const twice = await api.call("GET", "/v1/ops/scaling?rate=2");
  expect(twice.json).toMatchObject({ rateFactor: 2, roles: [{ role: "api", rateIn: 6 }, {}, {}] });
  expect(await api.call("GET", "/v1/ops/scaling?rate=-1")).toMatchObject({
    status: 400,
    json: { code: "invalid_request" },
  });
});

test("one number for external scalers, and the same as a metric", async () => {
  api = await startWatched();
  await twoLooks();
  const { status, json } = await api.call("GET", "/v1/ops/scaling/projector");
  expect(status).toBe(200);
  expect(json).toEqual({ role: "projector", desiredWorkers: 1, running: 1, backlog: 0, lagSeconds: 0 });
  const { text } = await api.call("GET", "/metrics");
  expect(text).toContain('desired_workers{role="projector"} 1');
  expect(text).toContain('running_workers{role="api"} 1');
  expect(await api.call("GET", "/v1/ops/scaling/query")).toMatchObject({ status: 503, json: { code: "not_ready" } });
  expect((await api.call("GET", "/v1/ops/scaling/nobody")).status).toBe(400);
});

test("a server that does not watch says so", async () => {
  api = await startTestApi();
  expect(await api.call("GET", "/v1/ops/scaling")).toMatchObject({ status: 503, json: { code: "not_ready" } });
});
