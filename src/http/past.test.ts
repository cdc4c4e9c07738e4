import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { answer, publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";

let api: TestApi;
/** After the first answer; the course stands before it. */
let then: { position: number; time: string };
/** What was answered live at that moment. */
const live = new Map<string, unknown>();
const paths = [
  "/v1/learners/ada/next?count=3",
  "/v1/learners/ada/next?count=3&track=arithmetic&session=placement",
  "/v1/learners/ada/scores",
  "/v1/learners/ada/reviews?days=3",
  "/v1/learners/ada/history",
  "/v1/popular?window=all",
  "/v1/items/counting-1/stats",
  "/v1/items?count=4",
  "/v1/items/counting-2",
  "/v1/tracks",
];
/** And without the position of a popular list, which is where it last changed. */
const withoutAge = (said: Record<string, unknown>) => ({
  ...said,
  ageMs: 0,
  ...("window" in said ? { position: 0 } : {}),
});

beforeAll(async () => {
  api = await startTestApi();
  await publishCourse(api);
  await api.call("POST", "/v1/interactions", { body: answer("ada", "counting-1") });
  await api.settled();
  const popular = async () => {
    api.clock.advance(1_001);
    return (await api.call("GET", "/v1/popular?window=all&count=1")).json.items;
  };
  await vi.waitFor(async () => expect(await popular()).toHaveLength(1), { timeout: 30_000 });
  const [first] = (await api.call("GET", "/v1/learners/ada/history")).json.events;
  then = { position: first.position, time: first.recordedAt };
  for (const path of paths) live.set(path, withoutAge((await api.call("GET", path)).json));
  await api.call("POST", "/v1/interactions", {
    body: [answer("ada", "counting-2", false), answer("ada", "counting-1", false), answer("ben", "counting-1")],
  });
  await api.call("DELETE", "/v1/items/counting-2");
  await api.call("POST", "/v1/tracks", { body: { trackId: "arithmetic", title: "Renamed", skillIds: ["counting"] } });
  await api.settled();
  // Popular lists are kept for some seconds, and made now and then.
  api.clock.advance(11_000);
  await vi.waitFor(async () => expect((await popular())[0]).toMatchObject({ learners: 2 }), { timeout: 30_000 });
});
afterAll(() => api.stop());

const at = (path: string, place: string | number) => `${path}${path.includes("?") ? "&" : "?"}at=${place}`;

test.each(paths)("%s with at= says what it said then, and where in the log that was", async (path) => {
  const { status, json } = await api.call("GET", at(path, then.position));
  expect(status).toBe(200);
  const { at: place, ...said } = json;
  expect(place).toEqual(then);
  expect(withoutAge(said)).toEqual(live.get(path));
  expect(withoutAge((await api.call("GET", path)).json), "now it is another").not.toEqual(live.get(path));
});

test("a time is as good as a position, and a post may ask for many", async () => {
  const byPosition = await api.call("GET", at("/v1/learners/ada/scores", then.position));
  const byTime = await api.call("GET", at("/v1/learners/ada/scores", encodeURIComponent(then.time)));
  expect(byTime.json.revision).toBe(byPosition.json.revision);
  const body = { learnerIds: ["ada", "nobody"], count: 3, at: String(then.position) };
  const { json } = await api.call("POST", "/v1/next", { body });
  expect(json.at).toEqual(then);
  expect(withoutAge(json.answers[0])).toEqual(live.get(paths[0] ?? ""));
  expect(json.answers[1].source).toBe("popular");
});

test("why: the list that was answered, with what it is made of, beside the row that stands ready", async () => {
  const { status, json } = await api.call("GET", at("/v1/learners/ada/explain", then.position));
  expect(status).toBe(200);
  expect(json.at).toEqual(then);
  const answered = live.get(paths[0] ?? "") as { items: { itemId: string }[]; modelVersion: number };
  expect(json.items.map((item: { itemId: string }) => item.itemId)).toEqual(answered.items.map(({ itemId }) => itemId));
  expect([json.liveRow, json.reproduced.status]).toEqual(["another revision", "not served"]);
  expect((await api.call("GET", "/v1/learners/ada/explain")).json.liveRow).toBe("the same");
  const unknown = await api.call("GET", "/v1/learners/nobody/explain");
  expect([unknown.status, unknown.json.code]).toEqual([404, "not_found"]);
  expect((await api.call("GET", "/v1/learners/ada/explain", { key: await api.key("client") })).status).toBe(403);
});

describe("refused", () => {
  test.each([
    ["/v1/learners/ada/next?at=soon", "invalid_request", "at: is a position or a time like"],
    ["/v1/learners/ada/scores?at=999999", "invalid_request", "at: the log ends at position"],
    ["/v1/popular?at=2999-01-01T00:00:00Z", "invalid_request", "at: lies in the future"],
    ["/v1/learners/ada/next?at=5&after=r1.p5", "invalid_request", "give at or after"],
    ["/v1/learners/ada/reviews?at=5&after=r1.p5", "invalid_request", "give at or after"],
    ["/v1/items/counting-1?at=1", "not_found", "Nobody published an item"],
    ["/v1/learners/ada/next?track=arithmetic&at=1", "not_found", "There is no track"],
  ])("%s: %s", async (path, code, detail) => {
    const { json } = await api.call("GET", path);
    expect([json.code, json.detail]).toEqual([code, expect.stringContaining(detail)]);
  });

  test("to who is no analyst; and analysts ask about the past only", async () => {
    const [client, analyst] = [await api.key("client"), await api.key("analyst")];
    for (const path of paths) {
      expect((await api.call("GET", at(path, 5), { key: client })).status, path).toBe(403);
      expect((await api.call("GET", at(path, then.position), { key: analyst })).status, path).toBe(200);
    }
    const next = await api.call("GET", paths[0] ?? "", { key: analyst });
    expect([next.status, next.json.detail]).toEqual([403, expect.stringContaining("scope client")]);
    const many = { body: { learnerIds: ["ada"] }, key: analyst };
    expect((await api.call("POST", "/v1/next", many)).status).toBe(403);
    const tooMany = { body: { learnerIds: new Array(101).fill("ada"), at: "5" } };
    expect((await api.call("POST", "/v1/next", tooMany)).json.detail).toContain("at most 100 learners with at");
  });
});

test("what was asked about the past never answers a question of now", async () => {
  const query = `count=2&at=${then.position}`;
  for (let times = 0; times < 3; times += 1) {
    expect((await api.call("GET", `/v1/learners/ada/next?${query}`)).json.at).toEqual(then);
  }
  expect((await api.call("GET", "/v1/learners/ada/next?count=2")).json).not.toHaveProperty("at");
});
