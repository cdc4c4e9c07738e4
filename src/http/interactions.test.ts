import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answer, publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";
import type { AppendResult } from "../ports/event-store.ts";
import { LogUnavailable } from "../ports/event-store.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.stop());

const post = (body: unknown, headers: Record<string, string> = {}) =>
  api.call("POST", "/v1/interactions", { body, headers });

describe("a single interaction", () => {
  test("201 with its token, 200 when it comes again, 409 when it is not the same", async () => {
    const sent = answer("ada", "adding-1");
    const first = await post(sent);
    expect([first.status, first.headers["content-type"]]).toEqual([201, "application/json; charset=utf-8"]);
    const outcome = { index: 0, id: sent.id, token: "r1.p1" };
    expect(first.json).toEqual({
      ...{ accepted: 1, duplicates: 0, rejected: 0, tokens: { ada: "r1.p1" } },
      outcomes: [{ ...outcome, status: "accepted" }],
    });
    const again = await post(sent);
    expect([again.status, again.json.outcomes]).toEqual([200, [{ ...outcome, status: "duplicate" }]]);
    const other = await post({ ...sent, correct: false });
    expect([other.status, other.json.code]).toEqual([409, "interaction_conflict"]);
    expect(other.json.errors.map((error: { path: string }) => error.path).sort()).toEqual(["correct", "score"]);
  });

  test("422 names the field", async () => {
    const { status, json } = await post({ ...answer("ada", "adding-1"), durationMs: "long" });
    expect([status, json.code, json.errors[0].path]).toEqual([422, "invalid_interaction", "durationMs"]);
  });

  test("what happened just now is taken where the server's clock was set back by an hour", async () => {
    const occurredAt = new Date(api.clock.now()).toISOString();
    api.clock.advance(-3_600_000);
    expect((await post({ ...answer("ada", "adding-1"), occurredAt })).status).toBe(201);
  });

  test("carries the trace context and the key's id into the event, and nothing of the secret", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    await post(answer("ada", "adding-1"), { traceparent });
    await post(answer("ada", "adding-1"), { traceparent: "00-nonsense" });
    const [first, second] = await api.deps.eventStore.readStream("learner-ada", { limit: 2 });
    const keyId = api.operatorKey.split("_")[1];
    expect(first?.metadata).toEqual({ schemaVersion: 1, traceparent, apiKeyId: keyId });
    expect(second?.metadata).toEqual({ schemaVersion: 1, apiKeyId: keyId });
  });
});

describe("an array", () => {
  test("outcomes in order, a bad neighbour loses nobody, a token for each learner", async () => {
    await publishCourse(api);
    const { status, json } = await post([
      answer("ada", "adding-1"),
      { kind: "answer" },
      answer("bob", "adding-1"),
      answer("ada", "adding-2"),
    ]);
    expect(status).toBe(200);
    expect(json).toMatchObject({ accepted: 3, duplicates: 0, rejected: 1 });
    expect(json.outcomes.map((outcome: { index: number; status: string }) => [outcome.index, outcome.status])).toEqual([
      [0, "accepted"],
      [1, "rejected"],
      [2, "accepted"],
      [3, "accepted"],
    ]);
    expect(json.outcomes[1].problem).toMatchObject({ status: 422, code: "invalid_interaction" });
    expect(Object.keys(json.tokens)).toEqual(["ada", "bob"]);
    expect(json.tokens.ada).toBe(json.outcomes[3].token);
  });

  test("nothing in it is nothing done; 1,000 is the most", async () => {
    expect((await post([])).json).toEqual({ accepted: 0, duplicates: 0, rejected: 0, outcomes: [], tokens: {} });
    const many = Array.from({ length: 1_001 }, () => answer("ada", "adding-1"));
    const refused = await post(many);
    expect([refused.status, refused.json.code]).toEqual([413, "too_many"]);
    expect(refused.json.detail).toContain("NDJSON");
    expect((await post(many.slice(1))).json.accepted).toBe(1_000);
  });

  test("posts of the same moment share commits", async () => {
    await Promise.all(Array.from({ length: 200 }, (_, at) => post(answer(`learner-${at}`, "adding-1"))));
    const metrics = await api.call("GET", "/metrics");
    const commits = Number(/append_batch_events_count (\d+)/.exec(metrics.text)?.[1]);
    const events = Number(/append_batch_events_sum (\d+)/.exec(metrics.text)?.[1]);
    expect(events).toBe(200);
    expect(commits).toBeLessThan(20);
  });
});

describe("bodies meant to hurt", () => {
  test.each<[string, string | Buffer, string]>([
    ["cut short", '{"id":', "malformed_json"],
    ["not JSON at all", "id=1&kind=answer", "malformed_json"],
    ["two values", "{}{}", "malformed_json"],
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), "malformed_json"],
    ["half a surrogate pair", '{"learnerId":"\\ud800"}', "malformed_json"],
    ["a zero byte", '{"learnerId":"a\\u0000"}', "malformed_json"],
    ["a prototype", '{"__proto__":{"scopes":["operator"]}}', "malformed_json"],
    ["a prototype in disguise", '[{"\\u005f_proto__":{}}]', "malformed_json"],
    ["a constructor's prototype", '{"constructor":{"prototype":{}}}', "malformed_json"],
    ["objects 30 deep", `${'{"a":'.repeat(30)}1${"}".repeat(30)}`, "malformed_json"],
    ["half a million brackets", "[".repeat(500_000) + "]".repeat(500_000), "malformed_json"],
    ["a number", "7", "invalid_request"],
    ["null", "null", "invalid_request"],
    ["text", '"answer"', "invalid_request"],
  ])("%s", async (_what, body, code) => {
    const { status, json } = await post(body);
    expect([status, json.code]).toEqual([400, code]);
  });

  test("nothing at all", async () => {
    const { status, json } = await post("");
    expect([status, json.code]).toEqual([400, "invalid_request"]);
  });

  test("an array of half a million nulls", async () => {
    const { status, json } = await post(`[${"0,".repeat(500_000)}0]`);
    expect([status, json.code]).toEqual([413, "too_many"]);
  });

  test("more bytes than the limit", async () => {
    const { status, json } = await post(`"${"x".repeat(1024 * 1024)}"`);
    expect([status, json.code]).toEqual([413, "payload_too_large"]);
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/csv"])(
    "%s is not read",
    async (type) => {
      const { status, json } = await post("{}", { "content-type": type });
      expect([status, json.code]).toEqual([415, "unsupported_media_type"]);
    },
  );

  test("of a key given twice the last counts", async () => {
    const { id, ...rest } = answer("ada", "adding-1");
    const text = JSON.stringify(rest);
    const { json } = await post(`{"id":"first","id":${JSON.stringify(id)},${text.slice(1)}`);
    expect(json.outcomes[0].id).toBe(id);
  });

  test("a deep value in an unknown field is refused by name, the neighbour stays", async () => {
    const { json } = await post([
      { ...answer("ada", "adding-1"), extra: { a: { b: [1] } } },
      answer("ada", "adding-1"),
    ]);
    expect(json.outcomes[0].problem.errors).toEqual([{ path: "extra", message: "unknown field" }]);
    expect(json.accepted).toBe(1);
  });
});

describe("when the log cannot", () => {
  test("503 with Retry-After, and the same post is taken later", async () => {
    let down = true;
    const other = await startTestApi(({ eventStore }) => ({
      eventStore: {
        ...eventStore,
        append: async (requests) => {
          if (down) throw new LogUnavailable("gone");
          return eventStore.append(requests);
        },
      },
    }));
    const sent = answer("ada", "adding-1");
    const refused = await other.call("POST", "/v1/interactions", { body: sent });
    expect([refused.status, refused.json.code, refused.headers["retry-after"]]).toEqual([503, "log_unavailable", "1"]);
    down = false;
    expect((await other.call("POST", "/v1/interactions", { body: sent })).status).toBe(201);
    await other.stop();
  });

  test("503 busy when too much waits, and what waited is stored", async () => {
    const held: (() => void)[] = [];
    const other = await startTestApi(({ eventStore }) => ({
      options: { groupCommit: { maxQueued: 1, maxBatch: 1 } },
      eventStore: {
        ...eventStore,
        append: (requests) =>
          new Promise<AppendResult[]>((resolve) => {
            held.push(() => resolve(eventStore.append(requests)));
          }),
      },
    }));
    const sending = (n: number) => other.call("POST", "/v1/interactions", { body: answer(`l${n}`, "adding-1") });
    const first = sending(1);
    await until(() => held.length === 1);
    const replies = [sending(2), sending(3), sending(4)];
    const settled = Promise.all(replies);
    await until(() => other.logged.some((line) => line.includes("wait for the log already")));
    held[0]?.();
    await until(() => held.length === 2);
    held[1]?.();
    const statuses = (await settled).map(({ status }) => status).sort();
    expect((await first).status).toBe(201);
    expect(statuses).toEqual([201, 503, 503]);
    await other.stop();
  });
});

async function until(fact: () => boolean): Promise<void> {
  while (!fact()) await new Promise((resolve) => setImmediate(resolve));
}
