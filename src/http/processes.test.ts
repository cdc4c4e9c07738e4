import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../test/support/api.ts";
import { createMemoryPresence } from "../adapters/presence/memory.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.stop());

test("who runs, and which partitions they have", async () => {
  const presence = createMemoryPresence({ now: Date.now });
  const one = {
    ...{ role: "projector", host: "h1", pid: 12, version: "1.0.0", startedAt: "2026-03-01T08:00:00.000Z" },
    ...{ busyShare: 0.25, requestsPerSecond: 3, partitions: [0, 3], parked: 1, poolWaiting: 0 },
  };
  await presence.report("p1", one, 60_000);
  await presence.report("p2", { role: "of a later version" }, 60_000);
  const other = await startTestApi(() => ({ presence }));
  const { status, json } = await other.call("GET", "/v1/ops/workers");
  expect([status, json]).toEqual([200, { workers: [{ id: "p1", ...one }] }]);
  expect((await other.call("GET", "/v1/ops/workers", { key: await other.key("client") })).status).toBe(403);
  await other.stop();
});

test("what a key may do is told to who has it", async () => {
  const key = await api.key("analyst", "client");
  const { json } = await api.call("GET", "/v1/key", { key });
  expect(json).toEqual({ keyId: key.split("_")[1], scopes: ["client", "analyst"] });
  expect((await api.call("GET", "/v1/key", { key: null })).status).toBe(401);
});

test("a parked learner can be inspected: the event as it is stored, without what came with its request", async () => {
  const data = { nonsense: true };
  const recordedAt = new Date().toISOString();
  const event = {
    ...{ eventId: "00000000-0000-4000-8000-000000000001", type: "InteractionRecorded", data, recordedAt },
    metadata: { schemaVersion: 1, apiKeyId: "0123456789abcdef" },
  };
  await api.deps.eventStore.append([{ stream: "learner-bad", expected: "any", events: [event] }]);
  await api.settled();
  const { status, json } = await api.call("GET", "/v1/ops/parked/bad");
  expect(status).toBe(200);
  expect(json).toMatchObject({ learnerId: "bad", revision: 1, attempts: 1 });
  expect(json.event).toEqual({ type: "InteractionRecorded", revision: 1, position: 1, recordedAt, data });
  const nobody = await api.call("GET", "/v1/ops/parked/ada");
  expect([nobody.status, nobody.json.detail]).toEqual([404, "ada is not parked."]);
});
