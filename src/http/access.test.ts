import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answer, startTestApi, type TestApi } from "../../test/support/api.ts";
import { createApiKey, listApiKeys, revokeApiKey, revokeApiKeysNamed } from "../commands/api-keys.ts";
import type { Scope } from "../ports/api-keys.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi(() => ({ options: { corsOrigins: ["https://school.example"] } }));
  await api.call("POST", "/v1/items", { body: { itemId: "sum", title: "Sum", skillIds: [] } });
});
afterAll(() => api.stop());

type Method = "GET" | "POST" | "DELETE";
/** Every route that needs a key, and the scopes that may use it beside operator. */
const routes: readonly [Method, string, unknown, readonly Scope[]][] = [
  ["POST", "/v1/interactions", [], ["client"]],
  ["GET", "/v1/learners/a/next", undefined, ["client"]],
  ["POST", "/v1/next", { learnerIds: ["a"] }, ["client"]],
  ["GET", "/v1/learners/a/scores", undefined, ["client", "analyst"]],
  ["GET", "/v1/learners/a/reviews", undefined, ["client", "analyst"]],
  ["GET", "/v1/learners/a/history", undefined, ["client", "analyst"]],
  ["GET", "/v1/popular", undefined, ["client", "author", "analyst"]],
  ["GET", "/v1/items/sum/stats", undefined, ["client", "author", "analyst"]],
  ["POST", "/v1/items", [], ["author"]],
  ["POST", "/v1/skills", [], ["author"]],
  ["POST", "/v1/tracks", [], ["author"]],
  ["DELETE", "/v1/items/nope", undefined, ["author"]],
  ["DELETE", "/v1/skills/nope", undefined, ["author"]],
  ["DELETE", "/v1/tracks/nope", undefined, ["author"]],
  ["GET", "/v1/items", undefined, ["client", "author", "analyst"]],
  ["GET", "/v1/items/sum", undefined, ["client", "author", "analyst"]],
  ["GET", "/v1/skills", undefined, ["client", "author", "analyst"]],
  ["GET", "/v1/skills/nope", undefined, ["client", "author", "analyst"]],
  ["GET", "/v1/tracks", undefined, ["client", "author", "analyst"]],
  ["GET", "/v1/tracks/nope", undefined, ["client", "author", "analyst"]],
  ["GET", "/v1/tracks/nope/policy", undefined, ["client", "author", "analyst"]],
  ["GET", "/v1/experiments", undefined, ["author", "analyst"]],
  ["GET", "/v1/experiments/e/results", undefined, ["author", "analyst"]],
  ["GET", "/v1/learners/a/explain", undefined, ["analyst"]],
  ["GET", "/v1/events", undefined, ["analyst"]],
  ["POST", "/v1/replays", { kind: "numbers", input: { count: 1 } }, ["analyst"]],
  ["GET", "/v1/replays", undefined, ["analyst"]],
  ["GET", "/v1/replays/018f3c2a-0000-4000-8000-000000000000", undefined, ["analyst"]],
  ["GET", "/v1/replays/018f3c2a-0000-4000-8000-000000000000/files/a.csv", undefined, ["analyst"]],
  ["POST", "/v1/replays/018f3c2a-0000-4000-8000-000000000000/cancel", undefined, ["analyst"]],
  ["DELETE", "/v1/replays/018f3c2a-0000-4000-8000-000000000000", undefined, ["analyst"]],
  ["GET", "/v1/key", undefined, ["client", "author", "analyst"]],
  ["GET", "/v1/ops/lag", undefined, []],
  ["GET", "/v1/ops/scaling", undefined, []],
  ["GET", "/v1/ops/scaling/projector", undefined, []],
  ["GET", "/v1/ops/workers", undefined, []],
  ["GET", "/v1/ops/parked", undefined, []],
  ["GET", "/v1/ops/parked/a", undefined, []],
  ["POST", "/v1/ops/parked/a/retry", undefined, []],
  ["POST", "/v1/ops/rebuild/nope", undefined, []],
  ["GET", "/v1/ops/rebuild/nope", undefined, []],
];

describe("scopes", () => {
  test.each(routes)("%s %s", async (method, url, body, allowed) => {
    const call = async (key: string | null) => (await api.call(method, url, { key, body })).status;
    expect(await call(null)).toBe(401);
    for (const scope of ["client", "author", "analyst", "operator"] as const) {
      const status = await call(await api.key(scope));
      const may = scope === "operator" || allowed.includes(scope);
      expect([scope, status === 403], scope).toEqual([scope, !may]);
      expect(status).not.toBe(401);
    }
  });

  test("the table names every route that needs a key", () => {
    const described = api.app.swagger().paths ?? {};
    const named = Object.entries(described).flatMap(([path, methods]) =>
      Object.keys(methods ?? {}).map((m) => `${m} ${path}`),
    );
    const open = ["get /healthz", "get /readyz", "get /metrics"];
    const tested = routes.map(([method, url]) => {
      const path = url
        .replace("/learners/a/", "/learners/{learnerId}/")
        .replace("/items/sum/stats", "/items/{itemId}/stats")
        .replace(/\/replays\/0[^/]+/, "/replays/{replayId}")
        .replace("/files/a.csv", "/files/{name}")
        .replace(/\/(items|skills|tracks)\/(sum|nope)(\/policy)?$/, "/$1/{id}$3")
        .replace("/experiments/e/", "/experiments/{experimentId}/")
        .replace("/parked/a/", "/parked/{learnerId}/")
        .replace("/scaling/projector", "/scaling/{role}")
        .replace("/parked/a", "/parked/{learnerId}")
        .replace("/rebuild/nope", "/rebuild/{name}");
      return `${method.toLowerCase()} ${path}`;
    });
    expect([...open, ...tested].sort()).toEqual(named.sort());
  });
});

describe("keys", () => {
  const status = async (key: string | null, headers: Record<string, string> = {}) =>
    (await api.call("GET", "/v1/learners/a/next", { key, headers })).status;

  test("by Authorization: Bearer or by x-api-key", async () => {
    const key = await api.key("client");
    expect(await status(key)).toBe(200);
    expect(await status(null, { "x-api-key": key })).toBe(200);
    expect(await status(null, { authorization: `bearer ${key}` })).toBe(200);
    expect(await status(null, { authorization: `Basic ${key}` })).toBe(401);
  });

  test("wrong in the secret, in the id, in its form, or empty: 401, always the same words", async () => {
    const key = await api.key("client");
    const wrong = key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
    const unknown = `pxl_${"0".repeat(16)}_${key.split("_")[2]}`;
    for (const bad of [wrong, unknown, "pxl_", "x".repeat(10_000), `${key} `.repeat(2), ""]) {
      const reply = await api.call("GET", "/v1/learners/a/next", { key: bad });
      expect([reply.status, reply.json.code]).toEqual([401, "unauthenticated"]);
      expect(reply.headers["www-authenticate"]).toBe('Bearer realm="proximal"');
      expect(reply.json.detail).toBe("This API key is unknown, revoked or expired.");
    }
    expect(await status(key)).toBe(200);
  });

  test("revoked: no longer within five seconds; expired: at once; made after it was asked for: within five seconds", async () => {
    const deps = { apiKeys: api.deps.apiKeys, clock: api.clock };
    const { key, stored } = await createApiKey(deps, { name: "short", scopes: ["client"], expiresInMs: 60_000 });
    expect(await status(key)).toBe(200);
    api.clock.advance(60_001);
    expect(await status(key)).toBe(401);
    const other = await createApiKey(deps, { name: "other", scopes: ["client"] });
    expect(await status(other.key)).toBe(200);
    expect(await revokeApiKey(deps, other.stored.id)).toBe(true);
    api.clock.advance(5_001);
    expect(await status(other.key)).toBe(401);
    expect(await revokeApiKey(deps, "nobody")).toBe(false);
    const listed = await listApiKeys(deps);
    expect(listed.find(({ id }) => id === other.stored.id)?.revokedAt).not.toBeNull();
    expect(JSON.stringify(listed)).not.toContain(stored.hash);
    const named = [
      await createApiKey(deps, { name: "start", scopes: ["client"] }),
      await createApiKey(deps, { name: "start", scopes: ["client"] }),
    ];
    expect((await revokeApiKeysNamed(deps, "start")).sort()).toEqual(named.map((one) => one.stored.id).sort());
    expect(await revokeApiKeysNamed(deps, "start")).toEqual([]);
  });

  test("revoked stays revoked within five seconds where the clock is set back meanwhile", async () => {
    const deps = { apiKeys: api.deps.apiKeys, clock: api.clock };
    const { key, stored } = await createApiKey(deps, { name: "set back", scopes: ["client"] });
    expect(await status(key)).toBe(200);
    expect(await revokeApiKey(deps, stored.id)).toBe(true);
    api.clock.advance(-3_600_000);
    expect(await status(key)).toBe(401);
    api.clock.advance(3_600_000);
  });

  test("a store that hangs holds nobody up whose key was seen before", async () => {
    let hangs = false;
    let asked = 0;
    const other = await startTestApi(({ apiKeys }) => ({
      apiKeys: {
        ...apiKeys,
        find(id) {
          asked += 1;
          return hangs ? new Promise(() => undefined) : apiKeys.find(id);
        },
      },
    }));
    const call = async (key: string) => (await other.call("GET", "/v1/learners/a/next", { key })).status;
    expect(await call(other.operatorKey)).toBe(200);
    hangs = true;
    other.clock.advance(6_000);
    asked = 0;
    expect(await Promise.all(Array.from({ length: 20 }, () => call(other.operatorKey)))).toEqual(Array(20).fill(200));
    expect(await call(other.operatorKey)).toBe(200);
    expect(asked).toBe(1);
    await other.stop();
  });

  test("the store is asked once in five seconds for a key, known or unknown; while it is away, known keys work on", async () => {
    let asked = 0;
    let away = false;
    const other = await startTestApi(({ apiKeys }) => ({
      apiKeys: {
        ...apiKeys,
        find: async (id) => {
          asked += 1;
          if (away) throw new Error("the store is away");
          return apiKeys.find(id);
        },
      },
    }));
    const call = async (key: string) => (await other.call("GET", "/v1/learners/a/next", { key })).status;
    const unknown = `pxl_${"1".repeat(16)}_${"0".repeat(64)}`;
    await Promise.all(Array.from({ length: 50 }, () => call(other.operatorKey)));
    await Promise.all(Array.from({ length: 50 }, () => call(unknown)));
    expect(asked).toBe(2);
    away = true;
    other.clock.advance(6_000);
    expect(await call(other.operatorKey)).toBe(200);
    const reply = await other.call("GET", "/v1/learners/a/next", { key: unknown });
    expect([reply.status, reply.json.code]).toEqual([503, "not_ready"]);
    other.clock.advance(11 * 60_000);
    expect(await call(other.operatorKey)).toBe(503);
    away = false;
    expect(await call(other.operatorKey)).toBe(200);
    await other.stop();
  });

  test("never in the log, whatever happens", async () => {
    const key = await api.key("client");
    const secret = key.split("_")[2] ?? "";
    await api.call("POST", "/v1/interactions", { key, body: answer("ada", "sum") });
    await api.call("POST", "/v1/interactions", { key, body: "{" });
    await api.call("GET", "/v1/ops/lag", { key });
    await api.call("GET", `/nowhere?key=${key}`, { key });
    await api.call("GET", `/v1/learners/a/next?key=${key}`, { key });
    await api.call("GET", `/v1/learners/a/next`, { key: null, headers: { authorization: `Basic ${key}` } });
    expect(api.logged.some((line) => line.includes("request answered"))).toBe(true);
    expect(api.logged.filter((line) => line.includes(secret))).toEqual([]);
    const failing = await startTestApi(({ readModels }) => ({
      readModels: { ...readModels, get: () => Promise.reject(new Error("a bug")) },
    }));
    const failed = await failing.call("GET", "/v1/learners/a/scores", { headers: { "x-secret": failing.operatorKey } });
    expect([failed.status, failed.json.code]).toEqual([500, "internal"]);
    expect(failed.text).not.toContain("a bug");
    const line = failing.logged.find((one) => one.includes("a bug"));
    expect(JSON.parse(line ?? "{}")).toMatchObject({
      requestId: failed.json.requestId,
      route: "/v1/learners/:learnerId/scores",
    });
    expect(failing.logged.join("")).not.toContain(failing.operatorKey.split("_")[2]);
    await failing.stop();
  });
});

describe("limits", () => {
  test("a key has its requests a minute, others have theirs", async () => {
    const other = await startTestApi(() => ({ options: { rateLimitPerMinute: 3 } }));
    other.clock.advance(60_000 - (other.clock.now() % 60_000));
    const mine = await other.key("client");
    const call = (key: string) => other.call("GET", "/v1/learners/a/next", { key });
    const statuses = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await call(mine)).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const refused = await call(mine);
    expect(refused.json.code).toBe("rate_limited");
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(50);
    expect((await call(await other.key("client"))).status).toBe(200);
    other.clock.advance(60_000);
    expect((await call(mine)).status).toBe(200);
    await other.stop();
  });

  test("null is no limit", async () => {
    const other = await startTestApi(() => ({ options: { rateLimitPerMinute: null } }));
    for (let n = 0; n < 20; n += 1) expect((await other.call("GET", "/v1/learners/a/next")).status).toBe(200);
    await other.stop();
  });
});

describe("browsers", () => {
  const preflight = (origin: string) =>
    api.call("OPTIONS", "/v1/interactions", {
      ...{ key: null },
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
    });

  test("of a listed origin may call, of others not", async () => {
    const good = await preflight("https://school.example");
    expect(good.status).toBe(204);
    expect(good.headers).toMatchObject({ "access-control-allow-origin": "https://school.example" });
    expect(good.headers["access-control-allow-headers"]).toContain("authorization");
    expect((await preflight("https://evil.example")).headers["access-control-allow-origin"]).toBeUndefined();
    const refused = await api.call("GET", "/v1/learners/a/next", {
      key: null,
      headers: { origin: "https://school.example" },
    });
    expect([refused.status, refused.headers["access-control-allow-origin"]]).toEqual([401, "https://school.example"]);
  });

  test("any origin with *, none without a setting", async () => {
    const any = await startTestApi(() => ({ options: { corsOrigins: ["*"] } }));
    const none = await startTestApi();
    const headers = { origin: "https://a.example" };
    expect((await any.call("GET", "/healthz", { headers })).headers["access-control-allow-origin"]).toBe("*");
    expect((await none.call("GET", "/healthz", { headers })).headers["access-control-allow-origin"]).toBeUndefined();
    await any.stop();
    await none.stop();
  });

  test("every answer forbids sniffing, framing and keeping; pages have helmet's headers", async () => {
    for (const url of ["/healthz", "/nowhere", "/v1/learners/a/history", "/v1/learners/a/next"]) {
      const { headers } = await api.call("GET", url);
      expect(headers["x-content-type-options"]).toBe("nosniff");
      // What has a tag may be kept by who asked, and has to be asked for again each time.
      expect(headers["cache-control"]).toBe(headers.etag === undefined ? "no-store" : "private, no-cache");
      expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    }
    const page = await api.call("GET", "/docs/", { key: null });
    expect(page.headers).toMatchObject({ "x-frame-options": "SAMEORIGIN", "referrer-policy": "no-referrer" });
    // The policy of data would keep a browser from running the page.
    expect(page.headers["content-security-policy"]).toContain("script-src 'self'");
  });
});

test("metrics: from this machine or with an operator's key, not through a proxy", async () => {
  const call = async (headers: Record<string, string>, key: string | null = null) =>
    (await api.call("GET", "/metrics", { key, headers })).status;
  expect(await call({})).toBe(200);
  expect(await call({ "x-forwarded-for": "203.0.113.7" })).toBe(401);
  expect(await call({ forwarded: "for=203.0.113.7" }, await api.key("client"))).toBe(403);
  expect(await call({ "x-forwarded-for": "203.0.113.7" }, api.operatorKey)).toBe(200);
  const open = await startTestApi(() => ({ options: { openMetrics: true } }));
  expect((await open.call("GET", "/metrics", { key: null, headers: { "x-forwarded-for": "1.2.3.4" } })).status).toBe(
    200,
  );
  await open.stop();
});

/** Everything that comes back until the connection ends. */
function said(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let received = "";
    socket.on("data", (chunk) => {
      received += String(chunk);
    });
    socket.once("end", () => resolve(received)).once("error", reject);
  });
}

test("what is not HTTP is answered as a problem too", async () => {
  await api.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = api.app.server.address() as AddressInfo;
  const text = await said(port, "NONSENSE\r\n\r\n");
  expect(text).toMatch(/^HTTP\/1.1 400 /);
  expect(JSON.parse(text.slice(text.indexOf("{")))).toMatchObject({ code: "invalid_request", status: 400 });
  for (const path of [`/v1/learners/${"x".repeat(3_000)}/next`, "/v1/learners/%zz/next"]) {
    const reply = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const sending = httpRequest({ host: "127.0.0.1", port, path, headers: { "x-api-key": api.operatorKey } });
      sending.once("error", reject).once("response", async (response) => {
        let received = "";
        for await (const chunk of response) received += String(chunk);
        resolve({ status: response.statusCode, text: received });
      });
      sending.end();
    });
    expect([reply.status, JSON.parse(reply.text).code]).toEqual([400, "invalid_request"]);
  }
});

test.each([
  ["POST", "/v1/interactions", "application/json", 400],
  ["POST", "/v1/interactions", "application/x-ndjson", 200],
  ["POST", "/v1/skills", "application/json", 422],
  ["DELETE", "/v1/tracks/none", "application/json", 404],
])("%s %s of type %s with no body, and no word of its length, is answered", async (method, path, type, status) => {
  if (!api.app.server.listening) await api.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = api.app.server.address() as AddressInfo;
  const head = `${method} ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: ${type}\r\nx-api-key: ${api.operatorKey}\r\nconnection: close`;
  const text = await said(port, `${head}\r\n\r\n`);
  expect(Number(text.slice(9, 12))).toBe(status);
});
