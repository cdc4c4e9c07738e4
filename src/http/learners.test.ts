import { afterAll, beforeAll, expect, test } from "vitest";
import { answer, publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await publishCourse(api);
  await api.call("POST", "/v1/interactions", {
    body: [
      answer("ada", "counting-1"),
      answer("ada", "adding-1", false),
      { learnerId: "ada", itemId: "not-published", kind: "view" },
    ],
  });
  await api.settled();
});
afterAll(() => api.stop());

test("scores: ability, mastery of each skill, recent outcomes", async () => {
  const { status, json } = await api.call("GET", "/v1/learners/ada/scores");
  expect(status).toBe(200);
  expect(json).toMatchObject({
    learnerId: "ada",
    revision: 3,
    interactions: 3,
    answers: 2,
    correct: 1,
    streak: 0,
    bestStreak: 1,
  });
  expect(json.skills.map((skill: { skillId: string }) => skill.skillId)).toEqual(["counting", "adding"]);
  const [counting, adding] = json.skills;
  expect(counting).toMatchObject({ title: "The skill of counting", answers: 1 });
  expect(counting.mastery).toBeGreaterThan(adding.mastery);
  expect(counting.sd).toBeGreaterThan(0);
  expect(json.recent.map((one: { itemId: string; correct: boolean }) => [one.itemId, one.correct])).toEqual([
    ["adding-1", false],
    ["counting-1", true],
  ]);
  expect(json.lastItems).toEqual(["not-published", "adding-1", "counting-1"]);
  expect(json.ageMs).toBeGreaterThanOrEqual(0);
  expect(json).not.toHaveProperty("fresh");
});

test("scores of a learner nothing is known of are empty, not an error", async () => {
  const { status, json } = await api.call("GET", "/v1/learners/nobody/scores");
  expect(status).toBe(200);
  expect(json).toMatchObject({ revision: 0, position: 0, ageMs: null, interactions: 0, skills: [], recent: [] });
});

test("a token: waits for its interaction, and says when it is not in", async () => {
  const posted = await api.call("POST", "/v1/interactions", { body: answer("bob", "counting-1") });
  const token = posted.json.tokens.bob;
  expect((await api.call("GET", `/v1/learners/bob/scores?after=${token}`)).json).toMatchObject({
    fresh: true,
    answers: 1,
  });
  expect((await api.call("GET", "/v1/learners/bob/reviews?after=r2.p999")).json).toMatchObject({
    fresh: false,
    revision: 1,
  });
  const bad = await api.call("GET", "/v1/learners/bob/scores?after=now");
  expect([bad.status, bad.json.errors]).toEqual([400, [{ path: "after", message: "not a freshness token" }]]);
});

test("reviews: what is due now, and the load of the coming days", async () => {
  const today = (await api.call("GET", "/v1/learners/ada/reviews?days=400")).json;
  expect(today.errors[0].path).toBe("days");
  const soon = (await api.call("GET", "/v1/learners/ada/reviews?days=60")).json;
  expect(soon).toMatchObject({ dueCount: 0, due: [] });
  expect(soon.load).toHaveLength(60);
  expect(soon.load.reduce((sum: number, day: { due: number }) => sum + day.due, 0)).toBe(2);
  expect(Date.parse(soon.nextDueAt)).toBeGreaterThan(Date.now());
  const day = 24 * 3_600_000;
  api.clock.advance(60 * day);
  const later = (await api.call("GET", "/v1/learners/ada/reviews")).json;
  expect(later.dueCount).toBe(2);
  expect(later.due[0]).toMatchObject({ skillId: "adding", itemId: null, title: "The skill of adding" });
  expect(later.load[0].due).toBe(2);
  api.clock.advance(-60 * day);
});

test("history: newest first, page by page, from the log itself", async () => {
  const all = (await api.call("GET", "/v1/learners/ada/history")).json;
  expect(all.events.map((event: { revision: number }) => event.revision)).toEqual([3, 2, 1]);
  expect(all.nextBefore).toBeNull();
  expect(all.events[0]).toMatchObject({ type: "InteractionRecorded", title: null, data: { itemId: "not-published" } });
  expect(all.events[1].title).toBe("adding no. 1");
  const first = (await api.call("GET", "/v1/learners/ada/history?count=2")).json;
  expect(first.nextBefore).toBe(2);
  const second = (await api.call("GET", `/v1/learners/ada/history?count=2&before=${first.nextBefore}`)).json;
  expect(second.events).toEqual(all.events.slice(2));
  expect(second.nextBefore).toBeNull();
  expect((await api.call("GET", "/v1/learners/ada/history?before=1")).json.events).toEqual([]);
  expect((await api.call("GET", "/v1/learners/nobody/history")).json).toEqual({
    learnerId: "nobody",
    events: [],
    nextBefore: null,
  });
});

test("popular: by window, track and skill", async () => {
  await api.call("POST", "/v1/interactions", { body: ["x", "y", "z"].map((who) => answer(who, "adding-2")) });
  await api.settled();
  const popular = async (query: string) => (await api.call("GET", `/v1/popular${query}`)).json;
  while ((await popular("")).items[0]?.itemId !== "adding-2") {
    api.clock.advance(1_100);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const all = await popular("?window=all");
  expect(all).toMatchObject({ window: "all", trackId: null, skillId: null, stale: false });
  expect(all.items[0]).toMatchObject({
    itemId: "adding-2",
    title: "adding no. 2",
    skillIds: ["adding"],
    learners: 3,
    count: 3,
  });
  expect((await popular("?window=hour&skill=adding&count=1")).items).toHaveLength(1);
  expect((await popular("?track=arithmetic")).items[0].itemId).toBe("adding-2");
  expect((await popular("?skill=multiplying")).items).toEqual([]);
  expect((await popular("?track=a&skill=b")).errors[0].path).toBe("skill");
  for (const count of ["many", "1.5"]) {
    expect((await popular(`?count=${count}`)).errors).toEqual([{ path: "count", message: "expected a whole number" }]);
  }
  expect((await popular("?window=year")).errors[0].path).toBe("window");
});

test("item stats: from the answers; an item nobody knows is not found", async () => {
  const { json } = await api.call("GET", "/v1/items/adding-2/stats");
  expect(json).toMatchObject({
    itemId: "adding-2",
    title: "adding no. 2",
    retired: false,
    attempts: 3,
    learners: 3,
    correct: 3,
  });
  expect(json).toMatchObject({
    successRate: 1,
    hintRate: 0,
    difficulty: -1,
    difficultySource: "author",
    modelVersion: 0,
  });
  expect(json.successInterval[0]).toBeGreaterThan(0.3);
  expect(json.medianDurationMs).toBeGreaterThan(3_500);
  const unanswered = (await api.call("GET", "/v1/items/multiplying-5/stats")).json;
  expect(unanswered).toMatchObject({ attempts: 0, successRate: null, successInterval: null, difficulty: 2 });
  expect((await api.call("GET", "/v1/items/never-heard-of/stats")).status).toBe(404);
});
