import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../test/support/api.ts";
import { memoryReplays, numbersText } from "../../test/support/replays.ts";

let api: TestApi;
let announced: string[];
let own: ReturnType<typeof memoryReplays>;
beforeEach(async () => {
  announced = [];
  api = await startTestApi((deps) => {
    own = memoryReplays({ clock: deps.clock, announce: async (id) => void announced.push(id) });
    return { replays: own.replays };
  });
});
afterEach(() => api.stop());

const ask = (body: object, headers: Record<string, string> = {}, key?: string) =>
  api.call("POST", "/v1/replays", { body, headers, ...(key === undefined ? {} : { key }) });

test("asked for, done by a worker, fetched", async () => {
  const asked = await ask({ kind: "numbers", input: { count: 25 } });
  expect(asked.status).toBe(202);
  const { replayId } = asked.json;
  expect(asked.headers.location).toBe(`/v1/replays/${replayId}`);
  expect(announced).toEqual([replayId]);
  expect(asked.json).toMatchObject({
    ...{ kind: "numbers", state: "queued", input: { count: 25, every: 10, pauseMs: 0, secret: false } },
    ...{ startedAt: null, endedAt: null, expiresAt: null, attempts: 0, progress: null, summary: null, files: [] },
  });
  const early = await api.call("GET", `/v1/replays/${replayId}/files/numbers.txt`);
  expect([early.status, early.json.code]).toEqual([409, "replay_not_done"]);

  expect(await own.work(replayId)).toBe("done");
  const { json: done } = await api.call("GET", `/v1/replays/${replayId}`);
  const href = `/v1/replays/${replayId}/files/numbers.txt`;
  expect(done).toMatchObject({
    ...{ state: "done", attempts: 1, progress: { done: 25, total: 25 }, summary: { numbers: 25 }, error: null },
    files: [{ name: "numbers.txt", mediaType: "text/plain", bytes: numbersText(25).length, href }],
  });
  expect(Date.parse(done.expiresAt) - Date.parse(done.endedAt)).toBe(86_400_000);
  const file = await api.call("GET", href);
  expect(file.text).toBe(numbersText(25));
  expect(file.headers).toMatchObject({
    ...{ "content-type": "text/plain", "content-length": String(numbersText(25).length) },
    "content-disposition": 'attachment; filename="numbers.txt"',
  });
  expect((await api.call("GET", `/v1/replays/${replayId}/files/other.txt`)).json.detail).toBe("It made numbers.txt.");
});

test("what is wrong is refused by name", async () => {
  const wrong = async (body: object) => (await ask(body)).json;
  expect(await wrong({ kind: "nonsense" })).toMatchObject({
    status: 400,
    errors: [{ path: "kind", message: "there are numbers" }],
  });
  expect((await wrong({ kind: "numbers", input: { count: -1 } })).errors[0].path).toBe("input.count");
  expect((await wrong({ kind: "numbers", input: { count: 1, cuont: 2 } })).errors).toEqual([
    { path: "input.cuont", message: "unknown field" },
  ]);
  expect((await wrong({ kind: "numbers", inptu: {} })).errors[0].path).toBe("inptu");
  expect((await api.call("GET", "/v1/replays/17")).status).toBe(400);
  expect((await api.call("GET", "/v1/replays/018f3c2a-0000-4000-8000-000000000000")).status).toBe(404);
  expect((await api.call("GET", "/v1/replays?state=lost")).json.errors[0].path).toBe("state");
});

test("some inputs are for operators", async () => {
  const analyst = await api.key("analyst");
  const secret = { kind: "numbers", input: { count: 1, secret: true } };
  expect(await ask(secret, {}, analyst)).toMatchObject({ status: 403 });
  expect(await ask(secret)).toMatchObject({ status: 202 });
});

test("an Idempotency-Key: the same is the same replay, another is a conflict, another caller's is their own", async () => {
  const key = { "idempotency-key": "k-1" };
  const body = { kind: "numbers", input: { count: 1 } };
  const first = await ask(body, key);
  const again = await ask({ kind: "numbers", input: { every: 10, count: 1 } }, key);
  expect([again.status, again.json.replayId]).toEqual([202, first.json.replayId]);
  expect(announced).toHaveLength(1);
  expect((await ask({ kind: "numbers", input: { count: 2 } }, key)).json.code).toBe("idempotency_conflict");
  const other = await ask(body, key, await api.key("analyst"));
  expect(other.json.replayId).not.toBe(first.json.replayId);
  expect((await ask(body, { "idempotency-key": "a b" })).status).toBe(400);
});

test("a queue that cannot be told is no reason to refuse", async () => {
  await api.stop();
  api = await startTestApi(() => ({
    replays: memoryReplays({ announce: () => Promise.reject(new Error("no Redis")) }).replays,
  }));
  expect((await ask({ kind: "numbers", input: { count: 1 } })).status).toBe(202);
});

test("lists in pages, by kind and state", async () => {
  const ids: string[] = [];
  for (let n = 0; n < 5; n += 1) ids.unshift((await ask({ kind: "numbers", input: { count: n } })).json.replayId);
  await own.work(ids[4] ?? "");
  const page = async (query: string) => (await api.call("GET", `/v1/replays${query}`)).json;
  const first = await page("?count=3");
  expect(first.replays.map((one: { replayId: string }) => one.replayId)).toEqual(ids.slice(0, 3));
  const second = await page(`?count=3&cursor=${first.nextCursor}`);
  expect(second.replays.map((one: { replayId: string }) => one.replayId)).toEqual(ids.slice(3));
  expect(second.nextCursor).toBeNull();
  expect((await page("?state=done")).replays).toHaveLength(1);
  expect((await page("?kind=numbers&state=queued")).replays).toHaveLength(4);
});

test("cancelled and removed", async () => {
  const { replayId } = (await ask({ kind: "numbers", input: { count: 1 } })).json;
  const cancelled = await api.call("POST", `/v1/replays/${replayId}/cancel`);
  expect(cancelled.json).toMatchObject({ state: "cancelled", files: [] });
  expect((await api.call("POST", `/v1/replays/${replayId}/cancel`)).json).toEqual(cancelled.json);
  expect(await own.work(replayId)).toBe("nothing");
  expect((await api.call("DELETE", `/v1/replays/${replayId}`)).json).toEqual({ replayId, removed: true });
  expect((await api.call("DELETE", `/v1/replays/${replayId}`)).status).toBe(404);
});

test("a server that takes no commands takes replays", async () => {
  await api.stop();
  api = await startTestApi(() => ({ options: { readOnly: true } }));
  expect((await ask({ kind: "numbers", input: { count: 1 } })).status).toBe(202);
});
