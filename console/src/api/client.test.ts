import { expect, test } from "vitest";
import { ApiProblem, createApi, pathOf } from "./client.ts";

type Call = { readonly path: string; readonly init: RequestInit };

function apiThatAnswers(answer: () => Response | Promise<Response>) {
  const calls: Call[] = [];
  let refused = 0;
  const fetching = (async (path: string, init: RequestInit) => {
    calls.push({ path, init });
    return answer();
  }) as unknown as typeof fetch;
  const api = createApi("pxl_1_2", () => (refused += 1), fetching);
  return { api, calls, refused: () => refused };
}

const failureOf = async (work: Promise<unknown>): Promise<ApiProblem> => {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ApiProblem) return error;
  throw new Error(`no problem: ${error}`);
};

test("the key goes into a header, the body is JSON", async () => {
  const { api, calls } = apiThatAnswers(() => Response.json({ ok: true }));
  expect(await api.post("/v1/interactions", { a: 1 })).toEqual({ ok: true });
  expect(calls[0]?.init).toMatchObject({ method: "POST", body: '{"a":1}' });
  expect(calls[0]?.init.headers).toEqual({ authorization: "Bearer pxl_1_2", "content-type": "application/json" });
  expect(calls[0]?.path).not.toContain("pxl_");
});

test("a problem is told in its own words; a key that is refused is told of", async () => {
  const body = { title: "No valid API key", detail: "It was revoked.", code: "unauthenticated", status: 401 };
  const { api, refused } = apiThatAnswers(() => Response.json(body, { status: 401 }));
  const problem = await failureOf(api.get("/v1/key"));
  expect(problem).toMatchObject({ title: body.title, detail: body.detail, code: body.code, status: 401 });
  expect(refused()).toBe(1);
});

test("what is no problem, and what is no answer, is told as well", async () => {
  const proxy = apiThatAnswers(() => new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
  expect(await failureOf(proxy.api.get("/x"))).toMatchObject({ title: "The server answered with 502", code: null });
  const gone = apiThatAnswers(() => Promise.reject(new TypeError("Failed to fetch")));
  expect(await failureOf(gone.api.get("/x"))).toMatchObject({ title: "The server does not answer", status: 0 });
});

test("a call that its page has left is no problem", async () => {
  const { api } = apiThatAnswers(() => Promise.reject(new DOMException("left", "AbortError")));
  await expect(api.get("/x", AbortSignal.abort())).rejects.toThrow("left");
});

test("parameters that are null are left out, others are escaped", () => {
  expect(pathOf("/a", { at: null })).toBe("/a");
  expect(pathOf("/a", { at: "2026-03-01T08:00:00+01:00", count: 3, track: null })).toBe(
    "/a?at=2026-03-01T08%3A00%3A00%2B01%3A00&count=3",
  );
});
