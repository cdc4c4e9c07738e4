import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { answer, publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";
import { ReadModelsUnavailable } from "../ports/read-models.ts";
import { rowKeptMs } from "../queries/row-cache.ts";
import { nextAnswerSchema } from "./schemas.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await publishCourse(api);
});
afterAll(() => api.stop());

const next = (learnerId: string, query = "") => api.call("GET", `/v1/learners/${learnerId}/next${query}`);
const post = async (...interactions: unknown[]) => {
  const { json } = await api.call("POST", "/v1/interactions", { body: interactions });
  expect(json.rejected).toBe(0);
  return json.tokens as Record<string, string>;
};
// biome-ignore lint/suspicious/noExplicitAny: answers are checked against their schema
const ids = (json: any): string[] => json.items.map((item: { itemId: string }) => item.itemId);

describe("one learner", () => {
  test("a known learner gets the precomputed list, with everything it should say", async () => {
    const { ada: token } = await post(answer("ada", "counting-3"), answer("ada", "counting-4"));
    const { status, headers, json } = await next("ada", `?count=3&after=${token}`);
    expect([status, headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
    expect(nextAnswerSchema.strict().parse(json)).toEqual(json);
    expect(json).toMatchObject({
      learnerId: "ada",
      source: "personal",
      computed: "precomputed",
      fresh: true,
      revision: 2,
    });
    expect(json).toMatchObject({
      policyVersion: "default@0",
      model: "lr-full",
      trackId: null,
      sessionType: "practice",
    });
    expect(json.items).toHaveLength(3);
    const [first] = json.items;
    const [{ skillId, title }] = first.skills;
    expect(title).toBe(`The skill of ${skillId}`);
    expect(first.reason).toMatchObject({ code: "open_skill", skillId, text: expect.stringContaining(title) });
    expect(ids(json).some((id) => id.startsWith("multiplying"))).toBe(false);
    expect(ids(json)).not.toContain("counting-3");
  });

  test("asking again gives the same bytes but for the age, and the same selection", async () => {
    await post(answer("same", "counting-3"));
    await api.settled();
    const [one, two] = [await next("same"), await next("same")];
    expect({ ...two.json, ageMs: 0 }).toEqual({ ...one.json, ageMs: 0 });
    expect(two.json.selectionId).toBe(one.json.selectionId);
    await post(answer("same", "counting-1"));
    await api.settled();
    expect((await next("same")).json.selectionId).not.toBe(one.json.selectionId);
  });

  test("count and exclude are cut from the list; one that leaves too few is selected on demand", async () => {
    await post(answer("bea", "counting-3"));
    await api.settled();
    const all = (await next("bea")).json;
    const [dropped, ...rest] = ids(all);
    const some = (await next("bea", `?count=2&exclude=${dropped}`)).json;
    expect([some.computed, ids(some)]).toEqual(["precomputed", rest.slice(0, 2)]);
    const twice = (await next("bea", `?count=1&exclude=${dropped}&exclude=${rest[0]}`)).json;
    expect(ids(twice)).toEqual([rest[1]]);
    const few = (await next("bea", `?exclude=${ids(all).join(",")}`)).json;
    expect(few.computed).toBe("on_demand");
    expect(ids(few).filter((id) => ids(all).includes(id))).toEqual([]);
  });

  test.each([
    ["?track=arithmetic", { trackId: "arithmetic", policyVersion: "arithmetic@1" }],
    ["?session=placement", { sessionType: "placement" }],
    ["?session=mock_test&count=5", { sessionType: "mock_test" }],
    ["?skills=counting", { trackId: null }],
  ])("%s is selected on demand from the same state", async (query, expected) => {
    await post(answer("cora", "counting-3"));
    await api.settled();
    const { json } = await next("cora", query);
    expect(json).toMatchObject({
      source: "personal",
      computed: "on_demand",
      revision: expect.any(Number),
      ...expected,
    });
    expect(json.items.length).toBeGreaterThan(0);
    if (query.includes("skills")) expect(ids(json).every((id) => id.startsWith("counting"))).toBe(true);
    const again = await next("cora", query);
    expect(ids(again.json)).toEqual(ids(json));
  });

  test("the list of the session the learner is in is precomputed", async () => {
    await post({ ...answer("dan", "counting-3"), sessionType: "placement" });
    await api.settled();
    expect((await next("dan", "?session=placement")).json).toMatchObject({
      computed: "precomputed",
      sessionType: "placement",
    });
  });

  test("the list of the track the learner is in is precomputed, and meant where no track is named", async () => {
    const body = { trackId: "sums", title: "Sums", skillIds: ["counting", "adding"] };
    await api.call("POST", "/v1/tracks", { body });
    await api.settled();
    await post({ ...answer("gil", "counting-3"), trackId: "sums" }, answer("gil", "counting-1"));
    await api.settled();
    const inTrack = { source: "personal", trackId: "sums", policyVersion: "sums@1" };
    const plain = (await next("gil", "?count=5")).json;
    expect(plain).toMatchObject({ ...inTrack, computed: "precomputed" });
    const named = (await next("gil", "?count=5&track=sums")).json;
    expect([named.computed, named.items]).toEqual(["precomputed", plain.items]);
    const { answers } = (await api.call("POST", "/v1/next", { body: { learnerIds: ["gil"], track: "sums", count: 5 } }))
      .json;
    expect([answers[0].computed, ids(answers[0])]).toEqual(["precomputed", ids(plain)]);
    const selected = (await next("gil", "?count=5&skills=counting,adding")).json;
    expect(selected).toMatchObject({ ...inTrack, computed: "on_demand" });
    expect(ids(selected)).toEqual(ids(plain));
    expect((await next("gil", "?track=arithmetic")).json).toMatchObject({
      computed: "on_demand",
      trackId: "arithmetic",
    });

    await api.call("DELETE", "/v1/tracks/sums");
    await api.settled();
    expect((await next("gil", "?count=5")).json).toMatchObject({ computed: "on_demand", trackId: null });
    await post(answer("gil", "counting-2"));
    await api.settled();
    expect((await next("gil", "?count=5")).json).toMatchObject({ computed: "precomputed", trackId: null });
  });

  test("an item that is retired is gone at once", async () => {
    await api.call("POST", "/v1/items", { body: { itemId: "soon-gone", title: "Soon gone", skillIds: ["counting"] } });
    await post(answer("eve", "counting-3"));
    await api.settled();
    expect(ids((await next("eve", "?count=30")).json)).toContain("soon-gone");
    await api.call("DELETE", "/v1/items/soon-gone");
    expect(ids((await next("eve", "?count=30")).json)).not.toContain("soon-gone");
  });

  test("a title that is revised is the new one at once", async () => {
    await post(answer("fay", "counting-3"));
    await api.settled();
    const item = { itemId: "counting-2", title: 'A "new" title\u2028', skillIds: ["counting"], difficulty: -1 };
    await api.call("POST", "/v1/items", { body: item });
    const { json } = await next("fay", "?count=30");
    expect(json.items.find((one: { itemId: string }) => one.itemId === "counting-2").title).toBe(item.title);
  });
});

describe("a new learner", () => {
  test("gets what is popular and open to a beginner, topped up by selection", async () => {
    const item = "counting-5";
    await post(...["p1", "p2", "p3"].map((who) => answer(who, item)), answer("p1", "multiplying-1"));
    await api.settled();
    await until(async () => ids((await api.call("GET", "/v1/popular")).json).includes(item));
    const { json } = await next("nobody", "?count=5");
    expect(json).toMatchObject({ source: "popular", revision: 0 });
    expect(json.items).toHaveLength(5);
    const many = (await next("nobody", "?count=50")).json;
    expect(ids(many).sort()).toEqual([1, 2, 3, 4, 5].map((n) => `counting-${n}`));
    const popular = json.items.filter((one: { reason: { code: string } }) => one.reason.code === "popular");
    expect(popular.map((one: { itemId: string }) => one.itemId)).toContain(item);
    expect(ids(json)).not.toContain("multiplying-1");
    expect(nextAnswerSchema.strict().parse(json)).toEqual(json);
    expect(ids((await next("nobody", "?count=1&track=arithmetic&exclude=counting-5")).json)).not.toContain(item);
  });

  test("with a token of a post that is not in yet, waits within bounds and says that it is not", async () => {
    const started = performance.now();
    const { json } = await next("not-yet", "?after=r1.p999999");
    expect(json).toMatchObject({ source: "popular", fresh: false });
    expect(performance.now() - started).toBeGreaterThan(900);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe("refused", () => {
  test.each([
    ["?count=0", "count"],
    ["?count=51", "count"],
    ["?count=many", "count"],
    ["?cuont=1", "cuont"],
    ["?session=exam", "session"],
    ["?after=r1", "after"],
    ["?track=a%20b", "track"],
    [`?exclude=${Array.from({ length: 501 }, (_, at) => at).join(",")}`, "exclude"],
    [`?skills=${Array.from({ length: 51 }, (_, at) => at).join(",")}`, "skills"],
  ])("%.20s names the parameter", async (query, field) => {
    const { status, json } = await next("ada", query);
    expect([status, json.code, json.errors[0].path]).toEqual([400, "invalid_request", field]);
  });

  test("an unknown track, and an id that cannot be one", async () => {
    const unknown = await next("ada", "?track=nowhere");
    expect([unknown.status, unknown.json.errors[0].path]).toEqual([404, "track"]);
    const bad = await next("a%20b");
    expect([bad.status, bad.json.errors[0].path]).toEqual([400, "learnerId"]);
  });

  test("an id of 200 characters outside ASCII is fine", async () => {
    expect((await next(encodeURIComponent("ü".repeat(200)))).status).toBe(200);
  });
});

describe("many learners", () => {
  test("answers in the order asked, known and new ones", async () => {
    await post(answer("m1", "counting-3"), answer("m2", "counting-1"));
    await api.settled();
    const learnerIds = ["m2", "new-one", "m1", "m2"];
    const { status, json } = await api.call("POST", "/v1/next", { body: { learnerIds, count: 2 } });
    expect(status).toBe(200);
    expect(json.answers.map((one: { learnerId: string }) => one.learnerId)).toEqual(learnerIds);
    expect(json.answers.map((one: { source: string }) => one.source)).toEqual([
      "personal",
      "popular",
      "personal",
      "personal",
    ]);
    const single = (await next("m1", "?count=2")).json;
    expect({ ...json.answers[2], ageMs: 0 }).toEqual({ ...single, ageMs: 0 });
  });

  test.each([
    [{ learnerIds: [] }, "learnerIds"],
    [{ learnerIds: Array.from({ length: 1_001 }, () => "a") }, "learnerIds"],
    [{ learnerIds: ["a b"] }, "learnerIds.0"],
    [{ learnerIds: ["a"], counts: 3 }, "counts"],
    [{ learnerIds: ["a"], session: 1 }, "session"],
  ])("refused: %.40j", async (body, field) => {
    const { status, json } = await api.call("POST", "/v1/next", { body });
    expect([status, json.errors[0].path]).toEqual([400, field]);
  });
});

describe("without the read models", () => {
  test.each([
    ["gone", () => Promise.reject(new ReadModelsUnavailable("gone"))],
    // Adapters end every read at its deadline.
    ["slow", () => sleep(50).then(() => Promise.reject(new ReadModelsUnavailable("no answer within 50 ms")))],
  ])("%s: the last answer, marked stale, then popular, within bounds; other queries say so", async (_how, fail) => {
    let broken = false;
    const other = await startTestApi(({ readModels }) => ({
      options: { freshnessWaitMs: 100 },
      readModels: {
        ...readModels,
        get: (key, field) => (broken ? fail() : readModels.get(key, field)),
        getMany: (keys, field) => (broken ? fail() : readModels.getMany(keys, field)),
      },
    }));
    await publishCourse(other);
    await other.call("POST", "/v1/interactions", { body: [answer("ada", "counting-3"), answer("bob", "counting-3")] });
    await other.settled();
    const before = (await other.call("GET", "/v1/learners/ada/next?count=3")).json;
    broken = true;
    other.clock.advance(rowKeptMs);
    const started = performance.now();
    const stale = (await other.call("GET", "/v1/learners/ada/next?count=3")).json;
    expect(stale).toMatchObject({ source: "stale", revision: before.revision });
    expect(ids(stale)).toEqual(ids(before));
    const unknown = (await other.call("GET", "/v1/learners/bob/next?count=3")).json;
    expect(unknown.source).toBe("popular");
    expect(unknown.items).toHaveLength(3);
    const late = (await other.call("GET", "/v1/learners/ada/next?after=r9.p9")).json;
    expect(late).toMatchObject({ source: "stale", fresh: false });
    const many = (await other.call("POST", "/v1/next", { body: { learnerIds: ["ada", "bob"] } })).json;
    expect(many.answers.map((one: { source: string }) => one.source)).toEqual(["stale", "popular"]);
    const scores = await other.call("GET", "/v1/learners/ada/scores");
    expect([scores.status, scores.json.code, scores.headers["retry-after"]]).toEqual([
      503,
      "read_models_unavailable",
      "1",
    ]);
    expect(performance.now() - started).toBeLessThan(3_000);
    expect((await other.call("POST", "/v1/interactions", { body: answer("ada", "counting-1") })).status).toBe(201);
    broken = false;
    // Whoever asks while the read that began at the write is under way is told what comes of that.
    const personal = async (): Promise<void> => {
      expect((await other.call("GET", "/v1/learners/ada/next")).json.source).toBe("personal");
    };
    await vi.waitFor(personal, { timeout: 30_000 });
    await other.stop();
  });
});

async function until(fact: () => Promise<boolean>): Promise<void> {
  while (!(await fact())) {
    api.clock.advance(1_100);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
