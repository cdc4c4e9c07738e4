import { request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answer, startTestApi, type TestApi } from "../../test/support/api.ts";
import { LogUnavailable } from "../ports/event-store.ts";
import { linesOf } from "./ndjson-lines.ts";

let api: TestApi;
let port: number;
beforeEach(async () => {
  api = await startTestApi();
  await api.app.listen({ port: 0, host: "127.0.0.1" });
  port = (api.app.server.address() as AddressInfo).port;
});
afterEach(() => api.stop());

function open(path = "/v1/interactions", at = port, key = api.operatorKey) {
  const sending = httpRequest({
    ...{ host: "127.0.0.1", port: at, path, method: "POST" },
    headers: { authorization: `Bearer ${key}`, "content-type": "application/x-ndjson" },
  });
  const reply = new Promise<IncomingMessage>((resolve, reject) =>
    sending.once("response", resolve).once("error", reject),
  );
  return { sending, reply };
}

/** Outcome lines of a stream, one at a time. */
async function* outcomes(reply: Promise<IncomingMessage>) {
  let rest = "";
  for await (const chunk of await reply) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}

const line = (learnerId: string) => `${JSON.stringify(answer(learnerId, "adding-1"))}\n`;

describe("a stream of interactions", () => {
  test("10,000 lines: an outcome for each, in order, and a summary", async () => {
    const { sending, reply } = open();
    sending.end(Array.from({ length: 10_000 }, (_, at) => line(`learner-${at % 100}`)).join(""));
    let index = 0;
    for await (const outcome of outcomes(reply)) {
      if ("summary" in outcome) {
        expect(outcome).toEqual({ summary: { accepted: 10_000, duplicates: 0, rejected: 0, lines: 10_000 } });
        break;
      }
      expect(outcome).toMatchObject({ index, line: index + 1, status: "accepted" });
      index += 1;
    }
    expect(index).toBe(10_000);
    expect((await reply).headers["content-type"]).toBe("application/x-ndjson");
    const first = await api.deps.eventStore.readStream("learner-learner-0", { limit: 200 });
    const times = first.map(({ data }) => Number((data as { interactionId: string }).interactionId.slice(7)));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test("outcomes come while the input is still being sent", async () => {
    const { sending, reply } = open();
    sending.write(line("ada"));
    const lines = outcomes(reply);
    expect((await lines.next()).value).toMatchObject({ index: 0, status: "accepted", token: "r1.p1" });
    sending.write(line("ada"));
    expect((await lines.next()).value).toMatchObject({ index: 1, status: "accepted", token: "r2.p2" });
    sending.end();
    expect((await lines.next()).value).toEqual({ summary: { accepted: 2, duplicates: 0, rejected: 0, lines: 2 } });
  });

  test("a bad line is a rejected item with its number; blank lines are nothing; the last needs no newline", async () => {
    const { sending, reply } = open();
    const again = line("ada");
    sending.write(again);
    sending.write('{"cut":\n\n   \r\n[1,2]\n');
    sending.write(Buffer.from([0xff, 0xfe, 0x0a]));
    sending.write(`{"id":"${"x".repeat(70_000)}"}\n`);
    sending.write('{"learnerId":"a","itemId":"b","kind":"view","__proto__":{}}\n');
    sending.end(again.trimEnd());
    const all = [];
    for await (const outcome of outcomes(reply)) all.push(outcome);
    expect(all.pop()).toEqual({ summary: { accepted: 1, duplicates: 1, rejected: 5, lines: 9 } });
    expect(all.map(({ line: number, status, problem }) => [number, status, problem?.code])).toEqual([
      [1, "accepted", undefined],
      [2, "rejected", "malformed_json"],
      [5, "rejected", "invalid_interaction"],
      [6, "rejected", "malformed_json"],
      [7, "rejected", "malformed_json"],
      [8, "rejected", "malformed_json"],
      [9, "duplicate", undefined],
    ]);
    expect(all[4].problem.detail).toContain("line 7");
  });

  test("on request only the refused come back", async () => {
    const { sending, reply } = open("/v1/interactions?outcomes=rejected");
    sending.end(`${line("ada")}nonsense\n${line("ada")}`);
    const all = [];
    for await (const outcome of outcomes(reply)) all.push(outcome);
    expect(all.map((outcome) => outcome.line ?? outcome.summary.accepted)).toEqual([2, 2]);
  });

  test("memory stays the same while a client that does not read sends without end", async () => {
    const { sending, reply } = open();
    let sent = 0;
    const block = Array.from({ length: 200 }, (_, at) => line(`learner-${at}`)).join("");
    // Until the server stops reading, because nobody reads its outcomes.
    for (;;) {
      if (!sending.write(block)) {
        const drained = await Promise.race([
          new Promise((resolve) => sending.once("drain", () => resolve(true))),
          new Promise((resolve) => setTimeout(() => resolve(false), 500)),
        ]);
        if (!drained) break;
      }
      sent += 200;
      expect(sent).toBeLessThan(200_000);
    }
    const stored = await api.deps.feed.head();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await api.deps.feed.head()).toBe(stored);
    sending.end();
    let last: { summary?: { accepted: number; duplicates: number } } = {};
    for await (const outcome of outcomes(reply)) last = outcome;
    expect(last.summary?.accepted).toBeGreaterThan(0);
    expect(last.summary?.accepted).toBe(await api.deps.feed.head());
  });

  test("a client that goes away leaves what was accepted, and a server that works", async () => {
    const { sending, reply } = open();
    reply.catch(() => undefined);
    sending.on("error", () => undefined);
    sending.write(line("ada"));
    const lines = outcomes(reply);
    await lines.next();
    sending.destroy();
    await lines.next().catch(() => undefined);
    expect((await api.call("POST", "/v1/interactions", { body: answer("ada", "adding-1") })).json.tokens).toEqual({
      ada: "r2.p2",
    });
  });

  test("a log that goes away ends the stream with a problem in the last line", async () => {
    let appends = 0;
    const other = await startTestApi(({ eventStore }) => ({
      eventStore: {
        ...eventStore,
        append: async (requests) => {
          appends += 1;
          if (appends > 1) throw new LogUnavailable("gone");
          return eventStore.append(requests);
        },
      },
    }));
    await other.app.listen({ port: 0, host: "127.0.0.1" });
    const at = (other.app.server.address() as AddressInfo).port;
    const { sending, reply } = open("/v1/interactions", at, other.operatorKey);
    sending.write(line("ada"));
    const lines = outcomes(reply);
    await lines.next();
    sending.write(line("ada"));
    sending.end();
    const { value } = await lines.next();
    expect(value.summary).toEqual({ accepted: 1, duplicates: 0, rejected: 0, lines: 1 });
    expect(value.problem).toMatchObject({ status: 503, code: "log_unavailable" });
    await other.stop();
  });
});

describe("lines of a stream of bytes", () => {
  async function cut(text: string, size: number, max = 1_000) {
    const bytes = Buffer.from(text);
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    const found = [];
    for await (const lines of linesOf(chunks(), max)) found.push(...lines);
    return found;
  }

  test("are the same however the bytes are cut", async () => {
    const text = "eins\n\nzwei ü€😀\r\n   \n1234567890123\ndrei";
    for (let size = 1; size <= 40; size += 1) {
      expect(await cut(text, size, 20)).toEqual([
        { line: 1, text: "eins" },
        { line: 3, text: "zwei ü€😀" },
        { line: 5, text: "1234567890123" },
        { line: 6, text: "drei" },
      ]);
    }
  });

  test("a line too long is reported once, wherever it stands", async () => {
    for (const size of [1, 3, 7, 100]) {
      const found = await cut(`${"x".repeat(50)}\nok\n${"y".repeat(50)}`, size, 10);
      expect(found.map((one) => ("text" in one ? one.text : one.line))).toEqual([1, "ok", 3]);
    }
  });

  test("an empty stream has none", async () => {
    expect(await cut("", 1)).toEqual([]);
  });
});
