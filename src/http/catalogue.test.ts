import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.stop());

const item = { itemId: "sum", title: "A sum", skillIds: [] };

describe("one at a time", () => {
  test("published 201, the same 200 unchanged, another 200 revised, retired, and back 201", async () => {
    const post = async (body: unknown) => {
      const { status, json } = await api.call("POST", "/v1/items", { body });
      return [status, json.outcomes[0].status];
    };
    expect(await post(item)).toEqual([201, "published"]);
    expect(await post(item)).toEqual([200, "unchanged"]);
    expect(await post({ ...item, title: "Another" })).toEqual([200, "revised"]);
    expect((await api.call("GET", "/v1/items/sum")).json).toMatchObject({
      title: "Another",
      revision: 2,
      retired: false,
    });
    const retired = await api.call("DELETE", "/v1/items/sum", { headers: { "content-type": "application/json" } });
    expect([retired.status, retired.json]).toMatchObject([
      200,
      { retired: 1, outcomes: [{ id: "sum", status: "retired" }] },
    ]);
    expect((await api.call("GET", "/v1/items/sum")).json.retired).toBe(true);
    expect(await post(item)).toEqual([201, "published"]);
  });

  test.each([
    ["/v1/items", { ...item, titel: "x" }, 422, "invalid_item", "titel"],
    ["/v1/items", { ...item, title: "" }, 422, "invalid_item", "title"],
    ["/v1/items", { ...item, skillIds: ["no-such-skill"] }, 422, "unknown_skill", "skillIds.0"],
    [
      "/v1/skills",
      { skillId: "a", title: "A", prerequisites: [{ skillId: "b", weight: 2 }] },
      422,
      "invalid_skill",
      "prerequisites.0.weight",
    ],
    [
      "/v1/skills",
      { skillId: "a", title: "A", prerequisites: [{ skillId: "a" }] },
      422,
      "skill_cycle",
      "prerequisites",
    ],
    [
      "/v1/tracks",
      { trackId: "t", title: "T", policy: { targetSuccess: 2 } },
      422,
      "invalid_track",
      "policy.targetSuccess",
    ],
    ["/v1/tracks", { trackId: "t", title: "T", itemIds: ["nope"] }, 422, "unknown_item", "itemIds.0"],
  ])("%s %j is refused and names the field", async (url, body, status, code, path) => {
    const reply = await api.call("POST", url, { body });
    expect([reply.status, reply.json.code, reply.json.errors[0].path]).toEqual([status, code, path]);
    expect(reply.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
  });

  test("no body", async () => {
    const { status, json } = await api.call("POST", "/v1/items");
    expect([status, json.code]).toEqual([422, "invalid_item"]);
  });

  test("what is not there is not found, whether read or retired", async () => {
    for (const name of ["items", "skills", "tracks"]) {
      for (const method of ["GET", "DELETE"] as const) {
        const { status, json } = await api.call(method, `/v1/${name}/nope`);
        expect([name, method, status, json.code]).toEqual([name, method, 404, "not_found"]);
      }
    }
  });
});

test("an array: each stands for itself; a cycle among those sent is named", async () => {
  const { status, json } = await api.call("POST", "/v1/skills", {
    body: [
      { skillId: "a", title: "A", prerequisites: [{ skillId: "b" }] },
      { skillId: "b", title: "B", prerequisites: [{ skillId: "a" }] },
      { skillId: "c", title: "C" },
    ],
  });
  expect(status).toBe(200);
  expect(json).toMatchObject({ published: 1, refused: 2 });
  const [a, b, c] = json.outcomes;
  // One of the two closes the cycle; without it the other asks for a skill that is not there.
  expect([a.problem.code, b.problem.code, c.status]).toEqual(["unknown_skill", "skill_cycle", "published"]);
  expect(b.problem.detail).toMatch(/a.*b/);
  const many = Array.from({ length: 1_001 }, () => item);
  expect((await api.call("POST", "/v1/items", { body: many })).json.code).toBe("too_many");
});

test("lists: by id, in pages, without what was retired unless asked for", async () => {
  await publishCourse(api);
  await api.call("DELETE", "/v1/items/adding-3");
  const seen: string[] = [];
  let cursor = "";
  for (let pages = 1; ; pages += 1) {
    const { json } = await api.call("GET", `/v1/items?count=5${cursor}`);
    expect(json.total).toBe(14);
    seen.push(...json.items.map((one: { itemId: string }) => one.itemId));
    if (json.nextCursor === null) {
      expect(pages).toBe(3);
      break;
    }
    cursor = `&cursor=${json.nextCursor}`;
  }
  expect(seen).toEqual([...new Set(seen)].sort());
  expect(seen).toHaveLength(14);
  expect(seen).not.toContain("adding-3");
  const all = (await api.call("GET", "/v1/items?retired=true&count=1000")).json;
  expect(all.items.find((one: { itemId: string }) => one.itemId === "adding-3")).toMatchObject({ retired: true });
  expect((await api.call("GET", "/v1/skills")).json).toMatchObject({ total: 3, nextCursor: null });
  expect((await api.call("GET", "/v1/tracks")).json.tracks[0]).toMatchObject({ trackId: "arithmetic" });
  expect((await api.call("GET", "/v1/items?count=0")).json.errors[0].path).toBe("count");
});

test("events of authors carry the key and the trace", async () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  await api.call("POST", "/v1/items", { body: item, headers: { traceparent } });
  const [event] = await api.deps.eventStore.readStream("item-sum", { limit: 1 });
  expect(event?.metadata).toMatchObject({ traceparent, apiKeyId: api.operatorKey.split("_")[1] });
});

test("what is correct is shown to authors and analysts, not to the key of an app", async () => {
  const responses = [{ responseId: "R", interaction: "choice", cardinality: "single", correct: ["B"] }];
  await api.call("POST", "/v1/items", { body: { ...item, responses, source: "package-1" } });
  const seen = async (scope: "author" | "analyst" | "client") => {
    const key = await api.key(scope);
    const one = (await api.call("GET", "/v1/items/sum", { key })).json;
    const [listed] = (await api.call("GET", "/v1/items", { key })).json.items;
    return [one.responses, listed.responses, one.source];
  };
  expect(await seen("author")).toEqual([responses, responses, "package-1"]);
  expect(await seen("analyst")).toEqual([responses, responses, "package-1"]);
  expect(await seen("client")).toEqual([undefined, undefined, "package-1"]);
});
