import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { orSkip } from "../../../../test/support/engines.ts";
import { noFaults } from "../../../../test/support/eventstoredb/faults.ts";
import { startEventStoreDb } from "../../../../test/support/eventstoredb/start.ts";
import { temporaryFolder } from "../../../../test/support/folders.ts";
import { findProgram, run } from "../../../../test/support/servers.ts";
import { LogUnavailable } from "../../../ports/event-store.ts";
import { newEvent, newEvents, readAll, request } from "../support.contract.ts";
import { type EventStoreDbLog, openEventStoreDbLog } from "./log.ts";

// What appends come to when the server, the network or the client library fails. All of it tries to break invariant 1:
// what is accepted is durable, stored once, and in the order of its learner. An error that nobody catches fails the run.
const server = await startEventStoreDb({ nodes: 3 });
afterAll(() => server.stop());

const openssl =
  findProgram("openssl") ?? orSkip({ skip: "openssl, which makes the certificates for TLS, is not installed" });

const deadlineMs = 1_200;
const opened: EventStoreDbLog[] = [];
async function open(url = server.url): Promise<EventStoreDbLog> {
  const log = await openEventStoreDbLog({ url, deadlineMs });
  opened.push(log);
  return log;
}
let count = 0;
const newStream = () => `learner-${count++}`;

afterEach(async () => {
  await server.set(noFaults());
  for (const log of opened.splice(0)) await log.close();
});

const revisionsOf = async (log: EventStoreDbLog, stream: string) =>
  (await log.readStream(stream, { limit: 1_000 })).map((event) => event.revision);

describe("an append to EventStoreDB", () => {
  test("whose reply is lost is stored once, and answered in time", async () => {
    const log = await open();
    const stream = newStream();
    await log.append([request(stream, newEvents(1))]);
    await server.set({ lostReplies: 1 });
    expect(await log.append([request(stream, newEvents(2))])).toMatchObject([{ status: "appended", revision: 3 }]);
    await server.set({ cutReplies: 1 });
    expect(await log.append([request(stream, newEvents(1))])).toMatchObject([{ status: "appended", revision: 4 }]);
    expect(await revisionsOf(log, stream)).toEqual([1, 2, 3, 4]);
  });

  test("that is never answered is LogUnavailable in time; repeated later it is a duplicate", async () => {
    const log = await open();
    const once = request(newStream(), newEvents(2));
    await server.set({ lostReplies: 100 });
    const started = performance.now();
    await expect(log.append([once])).rejects.toThrow(LogUnavailable);
    expect(performance.now() - started).toBeLessThan(4 * deadlineMs);
    await server.set(noFaults());
    expect(await log.append([once])).toMatchObject([{ status: "duplicate", revision: 2 }]);
    expect(await revisionsOf(log, once.stream)).toEqual([1, 2]);
  });

  test("that is answered late or twice ends nobody's process", async () => {
    const log = await open();
    const late = request(newStream(), newEvents(1));
    await server.set({ lateReplies: 3, lateByMs: deadlineMs * 2, doubleReplies: 1 });
    await Promise.allSettled([late, late, request(newStream(), newEvents(1))].map((one) => log.append([one])));
    await server.set({ ...noFaults(), doubleReplies: 20 });
    for (let i = 0; i < 20; i++) await log.append([request(newStream(), newEvents(1))]);
    await sleep(deadlineMs * 2);
    expect(await log.append([late])).toMatchObject([{ status: "duplicate" }]);
  });

  test("to a server that hangs is LogUnavailable in time, and works again when it does not", async () => {
    const log = await open();
    const stream = newStream();
    await log.append([request(stream, newEvents(1))]);
    server.freeze();
    const started = performance.now();
    const appends = [request(stream, newEvents(1)), request(newStream(), newEvents(1))];
    const results = await Promise.allSettled(appends.map((one) => log.append([one])));
    server.thaw();
    expect(performance.now() - started).toBeLessThan(4 * deadlineMs);
    for (const result of results)
      expect(result).toMatchObject({ status: "rejected", reason: { name: "LogUnavailable" } });
    const again = (await Promise.all(appends.map((one) => log.append([one])))).flat();
    for (const result of again) expect(["appended", "duplicate"]).toContain(result.status);
    expect(await revisionsOf(log, stream)).toEqual([1, 2]);
  });

  test("survives a server that is busy, connections cut in the middle of a batch, and wrong answers", async () => {
    const log = await open();
    for (const fault of [{ unavailableAppends: 3 }, { cutReplies: 3 }, { wrongVersions: 3 }]) {
      await server.set(fault);
      const streams = Array.from({ length: 40 }, newStream);
      const results = await log.append(streams.map((stream) => request(stream, newEvents(2))));
      expect(results.every((result) => result.status === "appended" && result.revision === 2)).toBe(true);
      for (const stream of streams) expect(await revisionsOf(log, stream)).toEqual([1, 2]);
    }
  });

  test("a server that is gone is LogUnavailable in time, for everything", async () => {
    const doomed = await startEventStoreDb();
    const log = await openEventStoreDbLog({ url: doomed.url, deadlineMs: 400 });
    await log.append([request(newStream(), newEvents(1))]);
    await doomed.stop();
    for (const call of [
      () => log.append([request(newStream(), newEvents(1))]),
      () => log.read(0, 10),
      () => log.head(),
      () => log.behind(0),
      () => log.readStream("learner-1", { limit: 1 }),
    ]) {
      await expect(call()).rejects.toThrow(LogUnavailable);
    }
    await log.waitForMore(1_000_000, 200, new AbortController().signal);
    await log.close();
    await expect(openEventStoreDbLog({ url: doomed.url, deadlineMs: 400 })).rejects.toThrow(LogUnavailable);
  });
});

describe("a cluster of EventStoreDB", () => {
  test("another leader: appends go on there, nobody is refused", async () => {
    for (const url of [server.url, server.clusterUrl]) {
      const log = await open(url);
      const stream = newStream();
      for (const leader of [1, 2, 0]) {
        await log.append([request(stream, newEvents(1))]);
        await server.set({ leader });
        expect(await log.append([request(stream, newEvents(1))])).toMatchObject([{ status: "appended" }]);
      }
      expect(await revisionsOf(log, stream)).toEqual([1, 2, 3, 4, 5, 6]);
      await log.close();
    }
  });

  test("the leader dies: appends and reads go on with the others", async () => {
    const log = await open(server.clusterUrl);
    const stream = newStream();
    await log.append([request(stream, newEvents(1))]);
    await server.order({ do: "stopNode", node: 0 });
    await server.set({ leader: 1 });
    expect(await log.append([request(stream, newEvents(1))])).toMatchObject([{ status: "appended", revision: 2 }]);
    expect(await revisionsOf(log, stream)).toEqual([1, 2]);
    await server.order({ do: "startNode", node: 0 });
  });
});

describe("idempotency on EventStoreDB", () => {
  test("does not hang on the ids the leader happens to remember", async () => {
    const log = await open();
    const once = request(newStream(), newEvents(2));
    await log.append([once]);
    await server.order({ do: "forgetIds" });
    expect(await log.append([once])).toMatchObject([{ status: "duplicate", revision: 2 }]);
    const another = await open();
    expect(await another.append([once])).toMatchObject([{ status: "duplicate", revision: 2 }]);
    expect(await revisionsOf(log, once.stream)).toEqual([1, 2]);
  });

  test("a repeat that another process stored is a duplicate and shows what is stored, whatever this one knew", async () => {
    const [a, b] = [await open(), await open()];
    for (const noPositionForRepeats of [false, true]) {
      await server.set({ noPositionForRepeats });
      const stream = newStream();
      await a.append([request(stream, newEvents(1))]);
      const event = newEvent({ data: { n: 1 } });
      await b.append([request(stream, [event])]);
      const repeated = await a.append([request(stream, [{ ...event, data: { n: 2 } }])]);
      expect(repeated).toMatchObject([{ status: "duplicate", revision: 2, existing: [{ data: { n: 1 } }] }]);
    }
  });

  test("two processes send the same at once, again and again: stored once", async () => {
    const [a, b] = [await open(), await open()];
    const stream = newStream();
    const [before] = await a.append([request(stream, newEvents(1))]);
    for (let i = 0; i < 30; i++) {
      const same = request(stream, newEvents(1 + (i % 2)));
      const results = (await Promise.all([a, b, a, b].map((log) => log.append([same])))).flat();
      expect(new Set(results.map((result) => result.status !== "conflict" && result.revision)).size).toBe(1);
    }
    const position = before?.status === "appended" ? before.position : 0;
    expect((await readAll(a, position)).events).toHaveLength(45);
    expect(await revisionsOf(a, stream)).toEqual(Array.from({ length: 46 }, (_, i) => i + 1));
  });
});

describe("the client of EventStoreDB", () => {
  test("many streams are appended to side by side, within a bound, over one connection", async () => {
    const own = await startEventStoreDb();
    const log = await openEventStoreDbLog({ url: own.url });
    await log.append(Array.from({ length: 500 }, () => request(newStream(), newEvents(1))));
    expect(await own.stats()).toMatchObject({ appends: 500, batchStreams: 1 });
    const { appendsAtOnce } = await own.stats();
    expect(appendsAtOnce).toBeGreaterThan(4);
    expect(appendsAtOnce).toBeLessThanOrEqual(64);
    await log.close();
    await own.stop();
  });

  test("a server without batch appends will do", async () => {
    const plain = await startEventStoreDb({ batches: false });
    const log = await openEventStoreDbLog({ url: plain.url });
    const once = request(newStream(), newEvents(3));
    expect(await log.append([once, request(newStream(), newEvents(1))])).toMatchObject([
      { revision: 3 },
      { revision: 1 },
    ]);
    expect(await log.append([once, { ...request(once.stream, newEvents(1)), expected: 7 }])).toMatchObject([
      { status: "duplicate" },
      { status: "conflict", actual: 3 },
    ]);
    expect((await plain.stats()).batchStreams).toBe(0);
    await log.close();
    await plain.stop();
  });

  test("one process appends to one EventStoreDB, and to another only after closing the first", async () => {
    const other = await startEventStoreDb();
    const [first, second] = [await open(), await openEventStoreDbLog({ url: other.url })];
    await first.append([request(newStream(), newEvents(1))]);
    await expect(second.append([request(newStream(), newEvents(1))])).rejects.toThrow("another EventStoreDB");
    expect(await second.readStream("learner-1", { limit: 1 })).toEqual([]);
    await first.close();
    expect(await second.append([request(newStream(), newEvents(1))])).toMatchObject([{ status: "appended" }]);
    await second.close();
    await other.stop();
  });

  test.skipIf(openssl === null)(
    "credentials go over TLS, and a certificate that is not trusted is refused",
    async () => {
      const folder = temporaryFolder();
      const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
      const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
      const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert];
      await run(openssl ?? "", [...made, ...subject], {});
      const secured = await startEventStoreDb({ tls: { key, cert } });
      const url = secured.url.replace("esdb://", "esdb://teacher:se%3Acret@");
      const log = await openEventStoreDbLog({ url });
      await log.append([request(newStream(), newEvents(1))]);
      await log.read(0, 1);
      await log.close();
      const basic = `Basic ${Buffer.from("teacher:se:cret").toString("base64")}`;
      expect((await secured.stats()).authorizations).toEqual([basic]);
      const untrusting = url.replace(/&tlsCAFile=.*/, "");
      await expect(openEventStoreDbLog({ url: untrusting, deadlineMs: 500 })).rejects.toThrow(LogUnavailable);
      await secured.stop();
    },
  );

  test("names of the server's own streams are refused", async () => {
    const log = await open();
    await expect(log.append([request("$users", newEvents(1))])).rejects.toThrow(RangeError);
  });

  test("URLs that would not do what they say are refused", async () => {
    for (const [url, why] of [
      ["esdb://admin:changeit@127.0.0.1:2113?tls=false", "TLS"],
      ["esdb://admin:changeit@127.0.0.1:2113/?keepAliveInterval=10000&Tls=false", "TLS"],
      ["esdb://127.0.0.1:2113?throwOnAppendFailure=false", "throwOnAppendFailure"],
      ["http://127.0.0.1:2113", "URL"],
    ] as const) {
      await expect(openEventStoreDbLog({ url })).rejects.toThrow(why);
    }
  });
});
