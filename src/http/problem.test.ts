import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { answer, type CallOptions, type Reply, startTestApi, type TestApi } from "../../test/support/api.ts";
import { LogNotAsked, LogUnavailable } from "../ports/event-store.ts";
import { ReadModelsUnavailable } from "../ports/read-models.ts";
import type { Replay } from "../ports/replay-store.ts";
import { type ProblemCode, problemOf, problems } from "./problem.ts";
import { problemSchema } from "./schemas.ts";
import type { ServerDeps } from "./server-deps.ts";

interface Provocation {
  readonly call: ["GET" | "POST" | "DELETE", string, CallOptions?];
  readonly deps?: (deps: ServerDeps) => Partial<ServerDeps>;
  readonly before?: (api: TestApi) => Promise<unknown>;
}

const post = (url: string, body: unknown): Provocation["call"] => ["POST", url, { body }];
const item = { itemId: "sum", title: "Sum", skillIds: [] };
const posted = answer("ada", "sum");
const arms = [
  { arm: "as-before", share: 0.5 },
  { arm: "harder", share: 0.5, policy: { targetSuccess: 0.6 } },
];
const inExperiment = { trackId: "t", title: "T", experiment: { experimentId: "harder", arms } };
const failingAppends = (fail: ServerDeps["eventStore"]["append"]) => (deps: ServerDeps) => ({
  eventStore: { ...deps.eventStore, append: fail },
});
const asksForReplay = (count: number) => ({ body: { kind: "numbers", input: { count } } });
const replayId = "018f3c2a-0000-4000-8000-000000000000";

/** A way to come by each code. */
const provocations: Record<ProblemCode, Provocation> = {
  invalid_request: { call: ["GET", "/v1/popular?count=0"] },
  malformed_json: { call: post("/v1/items", "{") },
  unauthenticated: { call: ["GET", "/v1/popular", { key: null }] },
  forbidden: { call: ["GET", "/v1/ops/lag"], before: async (api) => api.key("client") },
  not_found: { call: ["GET", "/v1/items/nope"] },
  conflict: {
    call: post("/v1/items", item),
    deps: failingAppends(async (requests) => requests.map(() => ({ status: "conflict", actual: 7, why: "others" }))),
  },
  interaction_conflict: {
    call: post("/v1/interactions", { ...posted, correct: false }),
    before: (api) => api.call("POST", "/v1/interactions", { body: posted }),
  },
  idempotency_conflict: {
    call: ["POST", "/v1/replays", { ...asksForReplay(2), headers: { "idempotency-key": "k" } }],
    before: (api) => api.call("POST", "/v1/replays", { ...asksForReplay(1), headers: { "idempotency-key": "k" } }),
  },
  replay_not_done: {
    call: ["GET", `/v1/replays/${replayId}/files/numbers.txt`],
    deps: ({ replays }) => ({
      replays: { ...replays, get: async () => ({ state: "queued", files: [] }) as unknown as Replay },
    }),
  },
  too_many_replays: {
    call: ["POST", "/v1/replays", asksForReplay(1)],
    deps: ({ replays }) => ({ replays: { ...replays, request: async () => ({ status: "full", open: 1_000 }) } }),
  },
  payload_too_large: { call: post("/v1/items", `"${"x".repeat(1024 * 1024)}"`) },
  too_many: { call: post("/v1/items", new Array(1_001).fill(item)) },
  unsupported_media_type: { call: ["POST", "/v1/items", { body: "x", headers: { "content-type": "text/plain" } }] },
  wrong_role: { call: post("/v1/items", item), deps: () => ({ options: { readOnly: true } }) },
  invalid_interaction: { call: post("/v1/interactions", {}) },
  invalid_item: { call: post("/v1/items", {}) },
  invalid_skill: { call: post("/v1/skills", {}) },
  invalid_track: { call: post("/v1/tracks", {}) },
  unknown_item: { call: post("/v1/tracks", { trackId: "t", title: "T", itemIds: ["nope"] }) },
  unknown_skill: { call: post("/v1/items", { ...item, skillIds: ["nope"] }) },
  contradictory_policy: {
    call: post("/v1/tracks", {
      trackId: "t",
      title: "T",
      policy: { masteryThreshold: 0.6, prerequisiteThreshold: 0.7 },
    }),
  },
  experiment_taken: {
    call: post("/v1/tracks", { ...inExperiment, trackId: "other" }),
    before: (api) => api.call("POST", "/v1/tracks", { body: inExperiment }),
  },
  experiment_changed: {
    call: post("/v1/tracks", { ...inExperiment, experiment: { ...inExperiment.experiment, salt: "2" } }),
    before: (api) => api.call("POST", "/v1/tracks", { body: inExperiment }),
  },
  too_much_history: {
    call: ["GET", "/v1/popular?at=1"],
    deps: () => ({ options: { pastEventsMax: 0 } }),
    before: (api) => api.call("POST", "/v1/interactions", { body: posted }),
  },
  skill_cycle: { call: post("/v1/skills", { skillId: "a", title: "A", prerequisites: [{ skillId: "a" }] }) },
  rate_limited: { call: ["GET", "/v1/popular"], deps: () => ({ options: { rateLimitPerMinute: 0 } }) },
  internal: {
    call: ["GET", "/v1/ops/lag"],
    deps: ({ feed }) => ({ feed: { ...feed, head: () => Promise.reject(new Error("a bug")) } }),
  },
  overloaded: {
    call: ["GET", "/v1/popular"],
    deps: () => ({ options: { shedDelayMs: 1 } }),
    before: holdUpEventLoop,
  },
  busy: {
    call: post("/v1/interactions", answer("ada", "sum")),
    deps: failingAppends(() => new Promise(() => undefined)),
    before: (api) => fillQueue(api),
  },
  log_circuit_open: {
    call: post("/v1/interactions", answer("ada", "sum")),
    deps: failingAppends(() => Promise.reject(new LogNotAsked("not asked"))),
  },
  log_unavailable: {
    call: post("/v1/interactions", answer("ada", "sum")),
    deps: failingAppends(() => Promise.reject(new LogUnavailable("gone"))),
  },
  read_models_unavailable: {
    call: ["GET", "/v1/learners/ada/scores"],
    deps: ({ readModels }) => ({
      readModels: { ...readModels, get: () => Promise.reject(new ReadModelsUnavailable("gone")) },
    }),
  },
  not_ready: {
    call: ["GET", "/readyz"],
    deps: () => ({ followers: [{ name: "never", position: async () => null }] }),
  },
};

/** Until even queries are refused. */
async function holdUpEventLoop(): Promise<void> {
  for (let n = 0; n < 20; n += 1) {
    for (const end = performance.now() + 100; performance.now() < end; );
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Nobody waits for these: the log never answers. */
async function fillQueue(api: TestApi): Promise<void> {
  const full = () => api.logged.some((line) => /wait for the log already|the log is behind/.test(line));
  while (!full()) {
    const body = Array.from({ length: 1_000 }, () => answer("ada", "sum"));
    void api.call("POST", "/v1/interactions", { body }).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function provoke({ call, deps, before }: Provocation, code: ProblemCode): Promise<Reply> {
  const api = await startTestApi(deps);
  const key = await before?.(api);
  const [method, url, options] = call;
  const reply = await api.call(method, url, typeof key === "string" ? { ...options, key } : options);
  // A log that never answers cannot be waited for.
  if (code !== "busy") await api.stop();
  return reply;
}

describe("each code", () => {
  test.each(Object.entries(problems))("%s", async (name, { status, title }) => {
    const code = name as ProblemCode;
    const reply = await provoke(provocations[code], code);
    expect(reply.json.code).toBe(code);
    expect(reply.status).toBe(status);
    expect(reply.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    expect(problemSchema.strict().parse(reply.json)).toMatchObject({ type: `/docs/problems#${code}`, status, title });
    expect(reply.json.detail.length).toBeGreaterThan(5);
    expect(reply.json.requestId).toMatch(/^[0-9a-f]{8}-\d+$/);
    if (status === 503 || status === 429) expect(Number(reply.headers["retry-after"])).toBeGreaterThan(0);
  });
});

test("docs/problems.md lists each code with its status, and no other", async () => {
  const text = await readFile(new URL("../../docs/problems.md", import.meta.url), "utf8");
  const listed = [...text.matchAll(/^\| `(\w+)` \| (\d{3}) \|/gm)].map(([, code, status]) => [code, Number(status)]);
  expect(listed).toEqual(Object.entries(problems).map(([code, { status }]) => [code, status]));
});

test("a code that is not in the table is a bug, and throws", () => {
  expect(() => problemOf({ code: "nonsense", detail: "", errors: [] })).toThrow("nonsense");
});
