import { request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answer, publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await publishCourse(api);
  await api.call("POST", "/v1/interactions", { body: ["ada", "bob", "ada"].map((who) => answer(who, "counting-1")) });
  await api.app.listen({ port: 0, host: "127.0.0.1" });
});
afterAll(() => api.stop());

interface Line {
  readonly position: number;
  readonly stream: string;
  readonly type: string;
  readonly data: { readonly learnerId?: string };
}
async function events(query: string): Promise<Line[]> {
  const { status, text } = await api.call("GET", `/v1/events${query}`);
  expect(status).toBe(200);
  return text.split("\n").flatMap((line) => (line === "" ? [] : JSON.parse(line)));
}

test("all of the log, in order, whole events", async () => {
  const reply = await api.call("GET", "/v1/events");
  expect(reply.headers["content-type"]).toBe("application/x-ndjson");
  const all = await events("");
  expect(reply.headers["x-log-head"]).toBe(String(all.length));
  expect(all.map(({ position }) => position)).toEqual(all.map((_, at) => at + 1));
  expect(all[0]).toMatchObject({
    stream: "skill-counting",
    type: "SkillDefined",
    revision: 1,
    data: { skillId: "counting" },
  });
  expect(all[0]).toHaveProperty("eventId");
  expect(all[0]).toHaveProperty("metadata.schemaVersion", 1);
});

test("filters: category, type, learner, time, limit; resumed by position", async () => {
  const all = await events("");
  expect(await events("?category=item,track")).toEqual(all.filter(({ stream }) => /^(item|track)-/.test(stream)));
  expect(await events("?type=SkillDefined&type=TrackDefined")).toHaveLength(4);
  expect((await events("?learner=ada")).map(({ data }) => data.learnerId)).toEqual(["ada", "ada"]);
  expect(await events(`?learner=ada&after=${all.length - 1}`)).toHaveLength(1);
  expect(await events("?learner=ada&type=ItemPublished")).toEqual([]);
  const first = await events("?limit=7");
  expect(await events(`?after=${first[6]?.position}&limit=1000`)).toEqual(all.slice(7));
  const hour = 3_600_000;
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  expect(await events(`?from=${at(-hour)}&to=${at(hour)}`)).toEqual(all);
  expect(await events(`?from=${at(hour)}`)).toEqual([]);
  expect(await events(`?to=${at(-hour)}`)).toEqual([]);
});

test.each([
  ["?category=learners", "category"],
  ["?type=Nonsense", "type"],
  ["?after=-1", "after"],
  ["?limit=0", "limit"],
  ["?from=yesterday", "from"],
  ["?follow=yes", "follow"],
  ["?learner=a%20b", "learner"],
  ["?learners=ada", "learners"],
])("%s is refused by name", async (query, field) => {
  const { status, json } = await api.call("GET", `/v1/events${query}`);
  expect([status, json.errors[0].path]).toEqual([400, field]);
});

function open(path: string) {
  const { port } = api.app.server.address() as AddressInfo;
  const sending = httpRequest({ host: "127.0.0.1", port, path, headers: { "x-api-key": api.operatorKey } });
  const reply = new Promise<IncomingMessage>((resolve, reject) =>
    sending.once("response", resolve).once("error", reject),
  );
  sending.end();
  return { sending, reply };
}

test("a reader that stops reading stops the reading of the log", async () => {
  for (let at = 0; at < 20; at += 1) {
    const body = Array.from({ length: 1_000 }, () => ({ ...answer("eve", "counting-1"), source: "x".repeat(200) }));
    const posted = await api.call("POST", "/v1/interactions", { body });
    expect(posted.json.accepted).toBe(1_000);
  }
  const other = await startTestApi(({ feed }) => ({
    eventStore: api.deps.eventStore,
    feed: {
      ...api.deps.feed,
      read: (...args) => {
        reads += 1;
        return api.deps.feed.read(...args);
      },
      waitForMore: feed.waitForMore,
    },
  }));
  let reads = 0;
  await other.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = other.app.server.address() as AddressInfo;
  const sending = httpRequest({
    host: "127.0.0.1",
    port,
    path: "/v1/events",
    headers: { "x-api-key": other.operatorKey },
  });
  const response = new Promise<IncomingMessage>((resolve) => sending.once("response", resolve));
  sending.end();
  const stream = await response;
  let before = -1;
  while (before !== reads) {
    before = reads;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const pages = Math.ceil((await api.deps.feed.head()) / 500);
  expect(reads).toBeLessThan(pages);
  let lines = 0;
  for await (const chunk of stream) lines += String(chunk).split("\n").length - 1;
  expect(lines).toBe(await api.deps.feed.head());
  await other.stop();
});

test("follow goes on with what comes, and ends when the server closes", async () => {
  const head = await api.deps.feed.head();
  const { reply } = open(`/v1/events?after=${head}&follow=true`);
  const lines = (await reply)[Symbol.asyncIterator]();
  await api.call("POST", "/v1/interactions", { body: answer("zoe", "counting-1") });
  expect(JSON.parse(String((await lines.next()).value))).toMatchObject({ position: head + 1, stream: "learner-zoe" });
  await api.call("POST", "/v1/interactions", { body: answer("zoe", "counting-1") });
  expect(JSON.parse(String((await lines.next()).value))).toMatchObject({ position: head + 2 });
  const closed = api.app.close();
  expect((await lines.next()).done).toBe(true);
  await closed;
});

test("where positions have gaps, a place that was never handed out is refused by name", async () => {
  const other = await startTestApi(({ feed }) => ({
    feed: {
      ...feed,
      read: (after, limit, filter) =>
        after % 2 === 1 ? Promise.reject(new RangeError(`${after}`)) : feed.read(after, limit, filter),
    },
  }));
  await publishCourse(other);
  const refused = await other.call("GET", "/v1/events?after=3");
  expect([refused.status, refused.json.errors[0].path]).toEqual([400, "after"]);
  expect((await other.call("GET", "/v1/events?after=4&limit=1")).status).toBe(200);
  await other.stop();
});
