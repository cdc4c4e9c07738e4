import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answer, publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";
import { countFrameworkRequests, listen, type Reply, silentLog } from "../../test/support/framework-requests.ts";
import { LogUnavailable } from "../ports/event-store.ts";

const perMinute = 40;
const frozen = Date.now();
let api: TestApi;
let port: number;
let logIsGone = false;
const framework = countFrameworkRequests();

beforeAll(async () => {
  api = await startTestApi(({ eventStore }) => ({
    log: silentLog,
    clock: { now: () => frozen },
    options: { rateLimitPerMinute: perMinute },
    eventStore: {
      ...eventStore,
      append: (requests) => (logIsGone ? Promise.reject(new LogUnavailable("gone")) : eventStore.append(requests)),
    },
  }));
  await publishCourse(api);
  port = await listen(api);
});
afterAll(() => api.stop());

/** Over a real connection, the body in these pieces. */
function send(key: string, pieces: readonly (string | Buffer)[], headers: Record<string, string> = {}) {
  const length = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
  const usual = { authorization: `Bearer ${key}`, "content-type": "application/json", "content-length": length };
  return new Promise<Reply>((resolve, reject) => {
    const sent = request(
      { port, host: "127.0.0.1", method: "POST", path: "/v1/interactions", headers: { ...usual, ...headers } },
      async (response) => {
        let text = "";
        for await (const part of response) text += part;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      },
    );
    sent.on("error", reject).setNoDelay(true);
    void (async () => {
      for (const piece of pieces) await new Promise((done) => sent.write(piece, done));
      sent.end();
    })();
  });
}

/** A new key each time, whose requests nobody counted yet. It is in memory once it was used. */
async function usedKey(): Promise<string> {
  const key = await api.key("client");
  await api.call("GET", "/v1/learners/nobody/next", { key });
  framework.forget();
  return key;
}

/** Of the connection, not of the answer. */
const ofAnswer = ({ date: _d, connection: _c, "keep-alive": _k, ...rest }: Record<string, unknown>) => rest;
const withoutRequestId = (text: string): unknown => ({ ...JSON.parse(text), requestId: null });

describe("one interaction before the framework", () => {
  test.each<[string, number, () => unknown[]]>([
    ["accepted", 201, () => [{ ...answer("NAME", "adding-1"), id: "one" }]],
    [
      "a duplicate",
      200,
      () => [
        { ...answer("NAME", "adding-1"), id: "one" },
        { ...answer("NAME", "adding-1"), id: "one" },
      ],
    ],
    [
      "a conflict",
      409,
      () => [
        { ...answer("NAME", "adding-1"), id: "one" },
        { ...answer("NAME", "adding-2"), id: "one" },
      ],
    ],
    [
      "an answer without its outcome",
      422,
      () => [{ id: "one", learnerId: "NAME", itemId: "adding-1", kind: "answer" }],
    ],
    ["an unknown field", 422, () => [{ ...answer("NAME", "adding-1"), id: "one", extra: 1 }]],
    ["names beyond ASCII", 201, () => [{ ...answer("NAME", "adding-1"), id: "één-✓" }]],
  ])("%s: the very answer of the route, and the same event", async (what, status, bodies) => {
    const key = await usedKey();
    const name = what.replaceAll(" ", "-");
    let slow = { status: 0, headers: {} as Readonly<Record<string, unknown>>, text: "" };
    let fast: Reply = { status: 0, headers: {}, text: "" };
    for (const body of bodies()) {
      const text = JSON.stringify(body);
      slow = await api.call("POST", "/v1/interactions", { key, body: text.replace("NAME", `${name}-s`) });
      const before = framework.taken();
      fast = await send(key, [text.replace("NAME", `${name}-f`)]);
      expect(framework.taken()).toBe(before);
    }
    expect([slow.status, fast.status]).toEqual([status, status]);
    const same = (text: string) =>
      withoutRequestId(text.replaceAll(`${name}-f`, `${name}-s`).replaceAll(/p\d+"/g, 'p"'));
    expect(same(fast.text)).toEqual(same(slow.text));
    const { "content-length": length, ...headers } = ofAnswer(fast.headers);
    const { "content-length": _l, ...expected } = ofAnswer(slow.headers);
    expect(headers).toEqual(expected);
    expect(Number(length)).toBe(Buffer.byteLength(fast.text));
    const stored = await Promise.all(["s", "f"].map((side) => eventsOf(`${name}-${side}`)));
    expect(stored[1]).toEqual(stored[0]);
  });

  test("a body in pieces", async () => {
    const key = await usedKey();
    const text = JSON.stringify({ ...answer("pieces", "adding-1"), id: "one" });
    const fast = await send(key, [text.slice(0, 1), text.slice(1, 30), text.slice(30)]);
    expect([fast.status, framework.taken()]).toEqual([201, 0]);
    expect(JSON.parse(fast.text).tokens).toEqual({ pieces: expect.stringMatching(/^r1\.p/) });
  });

  test("a body that breaks off is nothing, and its connection's end is nobody else's", async () => {
    const key = await usedKey();
    const text = JSON.stringify({ ...answer("broken-off", "adding-1"), id: "one" });
    const head = `POST /v1/interactions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n`;
    const socket = connect(port, "127.0.0.1");
    socket.end(`${head}content-length: ${text.length + 1}\r\n\r\n${text}`);
    await once(socket.resume(), "close");
    expect([await eventsOf("broken-off"), (await send(key, [text])).status, framework.taken()]).toEqual([[], 201, 0]);
  });

  test("a log that does not answer: 503 as the route says it, and the post is taken later", async () => {
    const key = await usedKey();
    const body = JSON.stringify({ ...answer("later", "adding-1"), id: "one" });
    logIsGone = true;
    try {
      const slow = await api.call("POST", "/v1/interactions", { key, body });
      const fast = await send(key, [body]);
      expect([fast.status, fast.headers["retry-after"], framework.taken()]).toEqual([503, "1", 1]);
      expect(withoutRequestId(fast.text)).toEqual(withoutRequestId(slow.text));
      expect(fast.headers["cache-control"]).toBe(slow.headers["cache-control"]);
    } finally {
      logIsGone = false;
    }
    expect((await send(key, [body])).status).toBe(201);
  });

  test("requests are counted under the route, interactions by their outcome", async () => {
    const key = await usedKey();
    const before = await counted();
    await send(key, [JSON.stringify({ ...answer("counted", "adding-1"), id: "one" })]);
    const after = await counted();
    expect([after.requests - before.requests, after.accepted - before.accepted]).toEqual([1, 1]);
  });

  test.each<[string, number, string | Buffer, Record<string, string>]>([
    ["not JSON", 400, '{"id":', {}],
    ["invalid UTF-8", 400, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), {}],
    ["an array", 200, JSON.stringify([answer("array", "adding-1")]), {}],
    ["a number", 400, "7", {}],
    ["a longer body", 422, JSON.stringify({ ...answer("long", "adding-1"), source: "x".repeat(5_000) }), {}],
    ["another content type", 415, "{}", { "content-type": "text/plain" }],
    ["NDJSON", 200, JSON.stringify(answer("ndjson", "adding-1")), { "content-type": "application/x-ndjson" }],
    ["a wrong key", 401, "{}", { authorization: "Bearer pxl_000000000000_wrong" }],
    ["a page of another origin", 201, JSON.stringify(answer("page", "adding-1")), { origin: "https://a.b" }],
    [
      "a trace",
      201,
      JSON.stringify(answer("traced", "adding-1")),
      { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" },
    ],
  ])("%s is the route's to answer", async (_what, status, body, headers) => {
    const reply = await send(await usedKey(), [body], headers);
    expect(reply.status).toBe(status);
    if (status >= 400) expect(reply.headers["content-type"]).toContain("application/problem+json");
  });

  test("a key that asked too often, and one without the scope", async () => {
    const key = await usedKey();
    const statuses: number[] = [];
    for (let n = 0; n < perMinute + 2; n += 1) {
      statuses.push((await send(key, [JSON.stringify(answer("often", "adding-1"))])).status);
    }
    // One was used to get to know the key.
    expect(statuses).toEqual([...Array(perMinute - 1).fill(201), 429, 429, 429]);
    const author = await api.key("author");
    await api.call("GET", "/v1/items", { key: author });
    expect((await send(author, [JSON.stringify(answer("author", "adding-1"))])).status).toBe(403);
  });
});

/** What is stored of a learner, but for whom, where and when. */
async function eventsOf(learnerId: string): Promise<unknown[]> {
  const events = await api.deps.eventStore.readStream(`learner-${learnerId}`, { limit: 10 });
  return events.map(({ type, revision, data, metadata }) => ({
    ...{ type, revision, metadata },
    data: { ...(data as object), learnerId: "", occurredAt: "" },
  }));
}

async function counted(): Promise<{ requests: number; accepted: number }> {
  const { text } = await api.call("GET", "/metrics");
  const line = 'duration_seconds_count{http_request_method="POST",http_route="/v1/interactions"';
  return {
    requests: Number(text.slice(text.indexOf(line)).match(/\} (\d+)/)?.[1] ?? 0),
    accepted: Number(/interactions_total\{status="accepted"\} (\d+)/.exec(text)?.[1] ?? 0),
  };
}
