import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answer, publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
  await publishCourse(api);
});
afterEach(() => api.stop());

const track = { trackId: "arithmetic", title: "Arithmetic", skillIds: ["counting", "adding", "multiplying"] };
async function define(policy: object, more: object = {}): Promise<void> {
  const { status, text } = await api.call("POST", "/v1/tracks", { body: { ...track, policy, ...more } });
  expect(status, text).toBeLessThan(300);
  await api.settled();
}
async function answers(itemIds: readonly string[], more: object = {}): Promise<void> {
  const body = itemIds.map((itemId) => ({ ...answer("ada", itemId), trackId: "arithmetic", ...more }));
  await api.call("POST", "/v1/interactions", { body });
  await api.settled();
}
const next = async (query = "") => (await api.call("GET", `/v1/learners/ada/next?track=arithmetic${query}`)).json;
const five = (skill: string) => [1, 2, 3, 4, 5].map((n) => `${skill}-${n}`);
const all = [...five("counting"), ...five("adding"), ...five("multiplying")];

describe("the policy of a track", () => {
  test("is told with its defaults and its versions: when, by which key, and what changed", async () => {
    const author = await api.key("author");
    const body = { ...track, policy: { targetSuccess: 0.7, reviews: { retention: 0.85 } } };
    await api.call("POST", "/v1/tracks", { key: author, body });
    await api.call("POST", "/v1/tracks", { key: author, body: { ...body, title: "Sums" } });
    await api.call("DELETE", "/v1/tracks/arithmetic");
    const { status, json } = await api.call("GET", "/v1/tracks/arithmetic/policy", { key: await api.key("analyst") });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      ...{ trackId: "arithmetic", retired: true, policyVersion: "arithmetic@4" },
      policy: { targetSuccess: 0.7, masteryThreshold: 0.95, reviews: { retention: 0.85, maxIntervalDays: 36_500 } },
    });
    expect(json.versions.map((v: Record<string, unknown>) => [v.policyVersion, v.status, v.changed])).toEqual([
      ["arithmetic@4", "retired", null],
      ["arithmetic@3", "defined", []],
      ["arithmetic@2", "defined", ["targetSuccess", "reviews.retention"]],
      ["arithmetic@1", "defined", []],
    ]);
    expect(json.versions[2].apiKeyId).toMatch(/^[0-9a-f]+$/);
    expect(json.versions[2].apiKeyId).not.toBe(json.versions[3].apiKeyId);
    expect(json.nextBefore).toBeNull();
  });

  test("is read page by page; of no track it is not found", async () => {
    for (const targetSuccess of [0.5, 0.6, 0.7]) await define({ targetSuccess });
    const first = (await api.call("GET", "/v1/tracks/arithmetic/policy?count=3")).json;
    expect(first.versions.map((v: { policy: { targetSuccess: number } }) => v.policy.targetSuccess)).toEqual([
      0.7, 0.6, 0.5,
    ]);
    const rest = (await api.call("GET", `/v1/tracks/arithmetic/policy?before=${first.nextBefore}`)).json;
    expect(rest.versions.map((v: { revision: number }) => v.revision)).toEqual([1]);
    expect((await api.call("GET", "/v1/tracks/none/policy")).json.code).toBe("not_found");
  });

  test.each([
    [{ masteryThreshold: 0.6 }, "contradictory_policy", "policy.prerequisiteThreshold"],
    [{ topics: [{ skillId: "algebra" }] }, "unknown_skill", "policy.topics.0.skillId"],
    [{ exposure: { timesMx: 1 } }, "invalid_track", "policy.exposure.timesMx"],
    [{ topics: [{ tag: "a", maxShare: 1.5 }] }, "invalid_track", "policy.topics.0.maxShare"],
  ])("%j is refused by name and field", async (policy, code, path) => {
    const { status, json } = await api.call("POST", "/v1/tracks", { body: { ...track, policy } });
    expect([status, json.code, json.errors[0].path]).toEqual([422, code, path]);
  });
});

describe("next says when to stop, and why", () => {
  test("mastered: everything is, and nothing is kept fresh", async () => {
    await define({ maintenance: false, reviewShare: 0, doNotRepeat: 0 });
    for (let times = 0; times < 2; times += 1) await answers(all);
    expect(await next()).toMatchObject({
      ...{ computed: "precomputed", items: [] },
      stop: { reason: "mastered", text: "Everything here is mastered" },
    });
    await define({ maintenance: true, reviewShare: 0, doNotRepeat: 0 });
    const kept = await next();
    expect([kept.stop, kept.items[0].reason.code]).toEqual([null, "maintenance"]);
  });

  test("not mastered by easy items alone: the reason says so", async () => {
    await define({
      maintenance: false,
      reviewShare: 0,
      doNotRepeat: 0,
      masteryNeeds: { hardAnswersMin: 1, pMax: 0.05 },
    });
    for (let times = 0; times < 2; times += 1) await answers(all);
    const { stop, items } = await next();
    expect(stop).toBeNull();
    expect(items[0].reason).toMatchObject({ code: "open_skill", rules: ["mastery_evidence"] });
    expect(items[0].reason.text).toMatch(
      /^The skill of counting is open and at \d+ % mastery \(more answers, or harder/,
    );
  });

  test("nothing due: a review session before the first card falls due", async () => {
    await define({ reviews: { ahead: false } });
    await answers(["counting-1"]);
    expect(await next("&session=review")).toMatchObject({ items: [], stop: { reason: "nothing_due" } });
    await define({});
    const ahead = await next("&session=review");
    expect([ahead.stop.reason, ahead.items[0].reason.code]).toEqual(["nothing_due", "upcoming_review"]);
    api.clock.advance(3 * 86_400_000);
    const due = await next("&session=review");
    expect([due.stop, due.items[0].reason.code]).toEqual([null, "due_review"]);
  });

  test("budget used: until another session begins, by name or after half an hour", async () => {
    await define({ sessionBudget: { items: 3 }, doNotRepeat: 0 });
    await answers(["counting-1"], { sessionId: "monday" });
    expect((await next()).items).toHaveLength(2);
    expect((await next()).items[1].reason.rules).toContain("session_budget");
    await answers(["counting-2", "counting-3"], { sessionId: "monday" });
    expect(await next()).toMatchObject({ computed: "precomputed", items: [], stop: { reason: "budget_used" } });
    expect(await next("&sessionId=monday")).toMatchObject({ items: [], stop: { reason: "budget_used" } });
    expect((await next("&sessionId=tuesday")).items).toHaveLength(3);
    expect((await next()).stop.reason).toBe("budget_used");
    api.clock.advance(31 * 60_000);
    expect((await next()).items).toHaveLength(3);
  });

  test("time too: items are expected to take what the author says, or what the learner usually takes", async () => {
    const long = { itemId: "counting-6", title: "A long one", skillIds: ["counting"], expectedSeconds: 600 };
    await api.call("POST", "/v1/items", { body: long });
    await define({ sessionBudget: { minutes: 5 } });
    await answers(["counting-1"], { sessionId: "monday", durationMs: 100_000 });
    const { items } = await next();
    expect(items).toHaveLength(2);
    await answers(["counting-2"], { sessionId: "monday", durationMs: 190_000 });
    expect((await next()).stop).toEqual({
      reason: "budget_used",
      text: "The session has used its time or its items",
    });
  });

  test("exposure cap: what is left was given as often as may be", async () => {
    await define({ exposure: { timesMax: 1, restDays: 2 }, doNotRepeat: 0 });
    await answers(all);
    expect(await next()).toMatchObject({ items: [], stop: { reason: "exposure_cap" } });
    api.clock.advance(3 * 86_400_000);
    expect((await next()).items.length).toBeGreaterThan(0);
  });

  test("a learner nobody knows is given what the policy's rules allow, and not merely what is popular", async () => {
    await answers(all);
    const nobody = async () => (await api.call("GET", "/v1/learners/new/next?track=arithmetic")).json;
    const firstReason = async () => {
      // A popular list is read again after a while, by the clock of the test.
      api.clock.advance(20_000);
      return (await nobody()).items[0].reason.code;
    };
    await expect.poll(firstReason, { timeout: 30_000 }).toBe("popular");
    await define({ sessionBudget: { items: 2 } }, { pinnedItemIds: ["counting-5"] });
    const { items } = await nobody();
    expect(items.map((one: { reason: { code: string } }) => one.reason.code)).toEqual(["pinned", "open_skill"]);
  });
});
