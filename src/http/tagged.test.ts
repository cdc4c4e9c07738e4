import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answer, publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";
import { ReadModelsUnavailable } from "../ports/read-models.ts";
import { rowKeptMs } from "../queries/row-cache.ts";
import { hasAlready } from "./tagged.ts";

let api: TestApi;
let broken = false;
const unlessBroken = <T>(read: () => Promise<T>): Promise<T> =>
  broken ? Promise.reject(new ReadModelsUnavailable("gone")) : read();

beforeAll(async () => {
  api = await startTestApi(({ readModels }) => ({
    options: { servedShare: 1, freshnessWaitMs: 20 },
    readModels: { ...readModels, get: (key, field) => unlessBroken(() => readModels.get(key, field)) },
  }));
  await publishCourse(api);
});
afterAll(() => api.stop());

async function answerOf(learnerId: string, itemId: string): Promise<void> {
  await api.call("POST", "/v1/interactions", { body: answer(learnerId, itemId) });
  await api.settled();
}

const get = (path: string, ifNoneMatch?: string) =>
  api.call("GET", path, ifNoneMatch === undefined ? {} : { headers: { "if-none-match": ifNoneMatch } });
const etagOf = async (path: string): Promise<string> => String((await get(path)).headers.etag);

describe("answers with a tag", () => {
  const paths = (learnerId: string) =>
    ["next?count=3", "next?skills=counting", "scores", "reviews?days=3"].map(
      (what) => `/v1/learners/${learnerId}/${what}`,
    );

  test("who has the answer is told that it holds, in as few bytes as possible, until the learner does something", async () => {
    await answerOf("ada", "counting-1");
    const all = paths("ada");
    const tags: string[] = [];
    for (const path of all) {
      const first = await get(path);
      expect(first.status, path).toBe(200);
      expect(first.headers["cache-control"], path).toBe("private, no-cache");
      const etag = String(first.headers.etag);
      expect(etag, path).toMatch(/^W\/"[\w-]+"$/);
      tags.push(etag);
      const again = await get(path, etag);
      expect([again.status, again.text, again.headers.etag, again.headers["cache-control"]], path).toEqual([
        ...[304, "", etag, "private, no-cache"],
      ]);
      expect(again.headers["content-type"], path).toBeUndefined();
    }
    expect(new Set(tags).size).toBe(all.length);
    await answerOf("ada", "counting-2");
    for (const [at, path] of all.entries()) {
      const changed = await get(path, tags[at] ?? "");
      expect([changed.status, changed.json.revision], path).toEqual([200, 2]);
      expect(changed.headers.etag, path).not.toBe(tags[at]);
    }
  });

  test("time alone leaves the tag as it is, though the age grows", async () => {
    await answerOf("bob", "counting-1");
    const before = await get("/v1/learners/bob/next");
    const tags = await Promise.all(paths("bob").map(etagOf));
    api.clock.advance(3 * rowKeptMs);
    const after = await get("/v1/learners/bob/next");
    expect(after.json.ageMs).toBeGreaterThan(before.json.ageMs);
    expect(await Promise.all(paths("bob").map(etagOf))).toEqual(tags);
  });

  test("a review that falls due gives reviews another tag", async () => {
    await answerOf("cleo", "counting-1");
    const path = "/v1/learners/cleo/reviews";
    const before = await get(path);
    expect(before.json.dueCount).toBe(0);
    api.clock.advance(Date.parse(before.json.nextDueAt) - api.clock.now() + 1);
    const after = await get(path, String(before.headers.etag));
    expect([after.status, after.json.dueCount]).toEqual([200, 1]);
  });

  test("a title that is changed gives the list another tag, though nothing else of it changed", async () => {
    await answerOf("dan", "counting-1");
    const path = "/v1/learners/dan/next?count=5";
    const before = await get(path);
    const { itemId } = before.json.items[0];
    await api.call("POST", "/v1/items", {
      body: [
        { itemId, title: "Another title", skillIds: [itemId.split("-")[0]], difficulty: Number(itemId.at(-1)) - 3 },
      ],
    });
    await api.settled();
    const after = await get(path, String(before.headers.etag));
    expect(after.status).toBe(200);
    expect(after.json.items.map((item: { itemId: string }) => item.itemId)).toEqual(
      before.json.items.map((item: { itemId: string }) => item.itemId),
    );
  });

  test("popular lists have one too, and it holds for a while", async () => {
    await answerOf("eve", "counting-4");
    await answerOf("eve", "counting-5");
    const path = "/v1/popular?window=all&count=3";
    await expect.poll(async () => (await get(path)).json.items.length).toBeGreaterThan(1);
    const etag = await etagOf(path);
    expect((await get("/v1/popular?window=all&count=3", etag)).status).toBe(304);
    expect((await get("/v1/popular?window=all&count=1", etag)).status).toBe(200);
  });

  test("popular lists may be kept by caches between, a copy for each key; nothing else may", async () => {
    const from = await startTestApi(() => ({ options: { corsOrigins: ["https://school.example"] } }));
    await publishCourse(from);
    await from.call("POST", "/v1/interactions", { body: answer("ada", "counting-1") });
    await from.settled();
    const path = "/v1/popular?window=all";
    const caching = "public, max-age=0, s-maxage=60, stale-while-revalidate=300, stale-if-error=86400";
    const first = await from.call("GET", path);
    expect(first.headers["cache-control"]).toBe(caching);
    const varies = String(first.headers.vary).split(", ");
    expect(varies.sort()).toEqual(["Authorization", "Origin", "X-API-Key"]);
    const again = await from.call("GET", path, { headers: { "if-none-match": String(first.headers.etag) } });
    expect([again.status, again.headers["cache-control"], again.headers.vary]).toEqual([
      304,
      caching,
      first.headers.vary,
    ]);
    expect((await from.call("GET", path, { key: null })).headers["cache-control"]).toBe("no-store");
    expect((await from.call("GET", `${path}&at=2026-01-01T00:00:00Z`)).headers["cache-control"]).toBe("no-store");
    expect((await from.call("GET", "/v1/learners/ada/next")).headers["cache-control"]).toBe("private, no-cache");
    await from.stop();
  });

  test("an answer that waited in vain for an interaction has none", async () => {
    await answerOf("fay", "counting-1");
    for (const what of ["next", "scores"]) {
      const path = `/v1/learners/fay/${what}`;
      const etag = await etagOf(path);
      const late = await get(`${path}?after=r9.p9`, etag);
      expect([late.status, late.json.fresh, late.headers.etag]).toEqual([200, false, undefined]);
      expect((await get(`${path}?after=r1.p1`, etag)).status).toBe(304);
    }
  });

  test("without the read models the last that is known is answered, marked stale, and may not be kept", async () => {
    await answerOf("gus", "counting-1");
    const all = ["next", "scores", "reviews"].map((what) => `/v1/learners/gus/${what}`);
    const tags = await Promise.all(all.map(etagOf));
    broken = true;
    api.clock.advance(rowKeptMs);
    try {
      for (const [at, path] of all.entries()) {
        const { status, json, headers } = await get(path, tags[at] ?? "");
        expect([status, json.revision, headers.etag, headers["cache-control"]], path).toEqual([
          ...[200, 1, undefined, "no-store"],
        ]);
        expect(json.stale === true || json.source === "stale", path).toBe(true);
      }
      expect((await get("/v1/learners/never-asked/scores")).status).toBe(503);
    } finally {
      broken = false;
    }
  });

  test("a list that has not changed is not recorded as served once more", async () => {
    await answerOf("hal", "counting-1");
    const path = "/v1/learners/hal/next?count=2";
    const etag = await etagOf(path);
    for (let n = 0; n < 3; n += 1) expect((await get(path, etag)).status).toBe(304);
    const lists = async () => {
      const { events } = await api.deps.feed.read(0, 10_000, { categories: ["served"] });
      return events.filter(({ stream }) => stream.endsWith("-hal")).length;
    };
    await expect.poll(lists).toBe(1);
    await answerOf("hal", "counting-2");
    expect((await get(path, etag)).status).toBe(200);
    await expect.poll(lists).toBe(2);
  });
});

test("tags are compared weakly, one of several or any", () => {
  const etag = 'W/"a-1"';
  const given = [undefined, etag, '"a-1"', '"b", W/"a-1"', "*", '"b"', 'W/"a"', ""];
  expect(given.map((one) => hasAlready(one, etag))).toEqual([false, true, true, true, true, false, false, false]);
  expect(hasAlready("*", null)).toBe(false);
});
