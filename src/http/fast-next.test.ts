import { get } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answer, publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";
import { countFrameworkRequests, listen, type Reply, silentLog } from "../../test/support/framework-requests.ts";
import { ReadModelsUnavailable } from "../ports/read-models.ts";

const frozen = Date.now();
let broken = false;
let api: TestApi;
let port: number;
const framework = countFrameworkRequests();

beforeAll(async () => {
  api = await startTestApi(({ readModels }) => ({
    log: silentLog,
    clock: { now: () => frozen + 600_000 },
    options: { rateLimitPerMinute: 40 },
    readModels: {
      ...readModels,
      get: (key, field) => (broken ? Promise.reject(new ReadModelsUnavailable("gone")) : readModels.get(key, field)),
    },
  }));
  await publishCourse(api);
  await api.call("POST", "/v1/interactions", {
    body: [answer("ada", "counting-3"), { ...answer("ada", "counting-4"), sessionType: "placement" }],
  });
  await api.settled();
  port = await listen(api);
});
afterAll(() => api.stop());

function fetchNext(path: string, headers: Record<string, string>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", path, headers }, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
    }).on("error", reject);
  });
}

const withKey = (key: string) => ({ authorization: `Bearer ${key}` });
/** Of the connection, not of the answer. */
const ofAnswer = ({ date: _d, connection: _c, "keep-alive": _k, ...rest }: Record<string, unknown>) => rest;

describe("next items before the framework", () => {
  test.each(["", "?count=3", "?session=placement", "?track=arithmetic", "?skills=adding&count=1"])(
    "ada%s: the very answer of the route, which took the first only",
    async (query) => {
      const key = await api.key("client");
      const path = `/v1/learners/ada/next${query}`;
      const slow = await api.call("GET", path, { key });
      expect(framework.taken()).toBe(1);
      const fast = await fetchNext(path, withKey(key));
      expect(framework.taken()).toBe(1);
      expect([fast.status, fast.text]).toEqual([200, slow.text]);
      expect(ofAnswer(fast.headers)).toEqual(ofAnswer(slow.headers));
    },
  );

  test("a learner nobody knows, and one whose row has to be read, are answered too", async () => {
    const key = await api.key("client");
    const slow = await api.call("GET", "/v1/learners/nobody/next", { key });
    expect((await fetchNext("/v1/learners/nobody/next", withKey(key))).text).toBe(slow.text);
    expect((await fetchNext("/v1/learners/never-asked/next", withKey(key))).status).toBe(200);
    expect(framework.taken()).toBe(1);
  });

  test("without the read models a learner never asked for gets what is popular", async () => {
    const key = await api.key("client");
    await api.call("GET", "/v1/learners/ada/next", { key });
    broken = true;
    try {
      const gone = await fetchNext("/v1/learners/asked-when-gone/next", withKey(key));
      expect([gone.status, JSON.parse(gone.text).source, framework.taken()]).toEqual([200, "popular", 1]);
    } finally {
      broken = false;
    }
  });

  test("requests are counted under the route", async () => {
    const before = await requestsCounted();
    await fetchNext("/v1/learners/ada/next", withKey(api.operatorKey));
    expect((await requestsCounted()) - before).toBe(1);
    // Those for the metrics.
    expect(framework.taken()).toBe(2);
  });

  test.each<[string, number, string, (key: string) => Record<string, string>]>([
    ["no key", 401, "/v1/learners/ada/next", () => ({})],
    ["a wrong key", 401, "/v1/learners/ada/next", (key) => withKey(`${key.slice(0, -4)}0000`)],
    ["an id in percent signs", 200, "/v1/learners/%61da/next", withKey],
    ["an id that cannot be one", 400, "/v1/learners/a%20b/next", withKey],
    ["a parameter never seen", 400, "/v1/learners/ada/next?count=none", withKey],
    ["a path that goes on", 404, "/v1/learners/ada/next/next", withKey],
    ["a page of another origin", 200, "/v1/learners/ada/next", (key) => ({ ...withKey(key), origin: "https://a.b" })],
  ])("%s is the route's to answer", async (_what, status, path, headers) => {
    const key = await api.key("client");
    await api.call("GET", "/v1/learners/ada/next", { key });
    const reply = await fetchNext(path, headers(key));
    expect(reply.status).toBe(status);
    if (status !== 200) expect(reply.headers["content-type"]).toContain("application/problem+json");
  });

  test("a key without the scope, and one that asked too often", async () => {
    const author = await api.key("author");
    await api.call("GET", "/v1/items", { key: author });
    expect((await fetchNext("/v1/learners/ada/next", withKey(author))).status).toBe(403);
    const key = await api.key("client");
    const statuses: number[] = [];
    for (let n = 0; n < 45; n += 1) statuses.push((await fetchNext("/v1/learners/ada/next", withKey(key))).status);
    expect(statuses).toEqual([...Array(40).fill(200), ...Array(5).fill(429)]);
  });
});

async function requestsCounted(): Promise<number> {
  const { text } = await api.call("GET", "/metrics");
  const line = 'duration_seconds_count{http_request_method="GET",http_route="/v1/learners/:learnerId/next"';
  return Number(text.slice(text.indexOf(line)).match(/\} (\d+)/)?.[1]);
}
