import { afterEach, beforeEach, expect, test } from "vitest";
import { answer, publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";
import { decodeEvent } from "../domain/decode-event.ts";
import type { EventOf } from "../domain/events.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi(() => ({ options: { servedShare: 1 } }));
  await publishCourse(api);
});
afterEach(() => api.stop());

const next = async (query = "", learnerId = "ada") =>
  (await api.call("GET", `/v1/learners/${learnerId}/next${query}`)).json;

/** Stops the server: what it gave out is in the log then. */
async function served(): Promise<EventOf<"ItemsServed">[]> {
  await api.app.close();
  const { events } = await api.deps.feed.read(0, 10_000, { categories: ["served"] });
  return events.map((event) => decodeEvent(event) as EventOf<"ItemsServed">);
}

test("a list that is given out is in the log, once, with what was shown, how likely, and what else there was", async () => {
  await api.call("POST", "/v1/interactions", { body: { ...answer("ada", "counting-1"), trackId: "arithmetic" } });
  await api.settled();
  const first = await next("?count=3");
  expect(await next("?count=3")).toMatchObject({ selectionId: first.selectionId });
  const events = await served();
  expect(events).toHaveLength(1);
  const data = events[0]?.data;
  expect(data).toMatchObject({
    ...{ selectionId: first.selectionId, learnerId: "ada", trackId: "arithmetic", policyVersion: "arithmetic@1" },
    ...{ revision: 1, position: first.position, source: "personal", computed: "precomputed", size: 30 },
  });
  expect(data?.items).toEqual(
    first.items.map(({ itemId, p, propensity, reason }: Record<string, unknown> & { reason: { code: string } }) => ({
      itemId,
      p,
      propensity,
      reason: reason.code,
    })),
  );
  expect(data?.candidates).toHaveLength(1);
  expect(data).not.toHaveProperty("cut");
});

test("giving lists out changes nothing for the learner: not the revision, not the list, not its id", async () => {
  await api.call("POST", "/v1/interactions", { body: answer("ada", "counting-1") });
  await api.settled();
  const before = await next();
  await next("?count=1");
  await next("?count=2");
  await expect.poll(async () => api.deps.feed.head()).toBeGreaterThan(before.position + 2);
  await api.settled();
  const { ageMs: _, ...after } = await next();
  expect(before).toMatchObject(after);
});

test("lists of a class, on demand, with items passed over, and of a new learner say so", async () => {
  await api.call("POST", "/v1/interactions", { body: answer("ada", "counting-1") });
  await api.settled();
  const body = { learnerIds: ["ada", "new"], count: 2 };
  const { answers } = (await api.call("POST", "/v1/next", { body })).json;
  const [best] = answers[0].items;
  await next(`?count=2&exclude=${best.itemId}`);
  await next("?count=2&skills=counting");
  const events = (await served()).map(({ data }) => data);
  expect(events.map(({ learnerId, source, cut, skillIds }) => [learnerId, source, cut, skillIds])).toEqual([
    ["ada", "personal", undefined, undefined],
    ["new", "popular", undefined, undefined],
    ["ada", "personal", true, undefined],
    ["ada", "personal", undefined, ["counting"]],
  ]);
});

test("the rules that shaped a choice stand beside it, and why to stop", async () => {
  const policy = { exposure: { timesMax: 1 }, doNotRepeat: 0 };
  await api.call("POST", "/v1/tracks", {
    body: { trackId: "capped", title: "Capped", skillIds: ["counting"], policy },
  });
  await api.call("POST", "/v1/interactions", { body: { ...answer("ada", "counting-1"), trackId: "capped" } });
  await api.settled();
  const shown = await next();
  await next("?skills=adding&session=review");
  const [list, reviews] = (await served()).map(({ data }) => data);
  const rulesOf = ({ reason }: { reason: { rules?: string[] } }) => reason.rules;
  expect(list?.items.map(({ rules }) => rules)).toEqual(shown.items.map(rulesOf));
  expect(list?.items.flatMap(({ rules }) => rules ?? [])).toContain("exposure_cap");
  expect(list).not.toHaveProperty("stop");
  expect(reviews).toMatchObject({ sessionType: "review", stop: "nothing_due" });
});

test("the share is of lists, by their ids: half of many, the same ones again", async () => {
  await api.stop();
  const record = async () => {
    api = await startTestApi(() => ({ options: { servedShare: 0.5 } }));
    await publishCourse(api);
    for (let n = 0; n < 200; n += 1) await next("", `learner-${n}`);
    return (await served()).map(({ data }) => data.selectionId);
  };
  const first = await record();
  expect(first.length).toBeGreaterThan(70);
  expect(first.length).toBeLessThan(130);
  expect((await record()).length).toBe(first.length);
});

test("without a share nothing is recorded", async () => {
  await api.stop();
  api = await startTestApi();
  await publishCourse(api);
  await next();
  expect(await served()).toEqual([]);
});
