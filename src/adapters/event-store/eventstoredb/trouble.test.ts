import { afterAll, describe, expect, test } from "vitest";
import { startEventStoreDb } from "../../../../test/support/eventstoredb/start.ts";
import { makeTrouble } from "../../../../test/support/eventstoredb/trouble.ts";
import { type SeededRandom, seededRandom } from "../../../../test/support/random.ts";
import { type AppendRequest, LogUnavailable, type StoredEvent } from "../../../ports/event-store.ts";
import type { FeedFilter } from "../../../ports/feed.ts";
import { newEvent, request } from "../support.contract.ts";
import { type EventStoreDbLog, openEventStoreDbLog } from "./log.ts";

const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 2);
const firstSeed = Number(process.env.PROXIMAL_SEED ?? Date.now() % 1_000_000);
const server = await startEventStoreDb({ nodes: 3 });
afterAll(() => server.stop());

/** A client: it repeats what was not answered, and now and then what was. Gives what it had stored, in order. */
async function post(logs: readonly EventStoreDbLog[], stream: string, random: SeededRandom): Promise<string[]> {
  const stored: AppendRequest[] = [];
  for (let i = 0; i < 12; i++) {
    const again = stored.length > 0 && random.chance(0.25);
    const events = Array.from({ length: 1 + random.below(3) }, (_, n) => newEvent({ data: { i, n } }));
    const one = again
      ? random.pick(stored)
      : request(stream, events, random.chance(0.3) ? revisionAfter(stored) : "any");
    for (;;) {
      const [result] = await random
        .pick(logs)
        .append([one])
        .catch((error: unknown) => {
          expect(error).toBeInstanceOf(LogUnavailable);
          return [];
        });
      if (result === undefined) continue;
      if (again) expect(result.status).toBe("duplicate");
      // Where an answer was lost the repeat is a duplicate.
      expect(result.status, JSON.stringify(result)).not.toBe("conflict");
      break;
    }
    if (!again) stored.push(one);
  }
  return stored.flatMap((one) => one.events.map((event) => event.eventId));
}

const revisionAfter = (stored: readonly AppendRequest[]) => stored.reduce((sum, one) => sum + one.events.length, 0);

/** Reads on until the posters are done and the log ends. */
async function follow(log: EventStoreDbLog, after: number, limit: number, isDone: () => boolean, filter?: FeedFilter) {
  const events: StoredEvent[] = [];
  let position = after;
  for (;;) {
    const done = isDone();
    const page = await log.read(position, limit, filter).catch((error: unknown) => {
      expect(error).toBeInstanceOf(LogUnavailable);
      return null;
    });
    if (page === null) continue;
    expect(page.position).toBeGreaterThanOrEqual(position);
    events.push(...page.events);
    position = page.position;
    if (page.atHead && done) return events;
    if (page.atHead) await log.waitForMore(position, 100, new AbortController().signal);
  }
}

async function runOnce(seed: number): Promise<void> {
  const open = () => openEventStoreDbLog({ url: server.clusterUrl, deadlineMs: 500, silenceMs: 100 });
  const logs = [await open(), await open()];
  const [a, b] = logs as [EventStoreDbLog, EventStoreDbLog];
  const start = await a.head();
  let done = false;
  const readers = [
    follow(a, start, 50, () => done),
    follow(b, start, 7, () => done, { categories: ["learner"] }),
    follow(b, start, 1_000, () => done, { types: ["InteractionRecorded"] }),
    follow(a, start, 3, () => done, { categories: ["nobody"] }),
  ];
  const stop = makeTrouble(server, seededRandom(seed + 1));
  const streams = Array.from({ length: 5 }, (_, i) => `learner-${seed}-${i}`);
  const stored = await Promise.all(streams.map((stream, i) => post(logs, stream, seededRandom(seed + 10 + i))));
  await stop();
  done = true;
  const [all = [], ...others] = await Promise.all(readers);
  for (const [i, stream] of streams.entries()) {
    const own = all.filter((event) => event.stream === stream);
    expect(own.map((event) => event.eventId)).toEqual(stored[i]);
    expect(own.map((event) => event.revision)).toEqual(own.map((_, n) => n + 1));
    expect(await a.readStream(stream, { limit: 1_000 })).toEqual(own);
  }
  expect(all).toHaveLength(stored.flat().length);
  expect(all.map((event) => event.position)).toEqual(all.map((event) => event.position).sort((x, y) => x - y));
  expect(others).toEqual([all, all, []]);
  await Promise.all(logs.map((log) => log.close()));
}

describe("whatever goes wrong with EventStoreDB", () => {
  // Invariants 1 and 2: accepted is stored once, in the order of its learner; the feed skips nothing, never goes back.
  for (let run = 0; run < runs; run++) {
    const seed = firstSeed + run * 100;
    test(
      `what was accepted is stored once, in order, and read by all (PROXIMAL_SEED=${seed})`,
      { timeout: 120_000 },
      () => runOnce(seed),
    );
  }
});
