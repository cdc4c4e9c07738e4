// One phase of embedded-engines.ts, in a process of its own so that memory and the time to open are its own.
//
//     node load-tests/bench/embedded-engine-phase.ts <sqlite|pglite> <phase> <folder> <events>
//
// Writes one line of JSON (phase `append-for-ever`: one line for each acknowledged batch, until it is killed).

import { randomUUID } from "node:crypto";
import { openPostgresLog } from "../../src/adapters/event-store/postgres/log.ts";
import { openSqliteLog } from "../../src/adapters/event-store/sqlite/log.ts";
import type { AppendRequest, EventStore } from "../../src/ports/event-store.ts";
import type { Feed } from "../../src/ports/feed.ts";
import { createPglite } from "../../test/support/pglite.ts";

type ClosableLog = EventStore & Feed & { close(): Promise<void> };

const [, , engine = "", phase = "", folder = "", size = ""] = process.argv;
const events = Number(size);
const batchSize = 500;
const learners = 20_000;

async function openLog(): Promise<ClosableLog> {
  if (engine === "sqlite") return openSqliteLog({ folder });
  const sql = await createPglite({ dataDir: folder });
  const log = await openPostgresLog({ sql });
  const close = async () => {
    await log.close();
    await sql.close();
  };
  return { ...log, close };
}

function newRequest(): AppendRequest {
  const learnerId = `learner-${Math.floor(Math.random() * learners)}`;
  const data = {
    interactionId: randomUUID(),
    learnerId,
    itemId: `item-${Math.floor(Math.random() * 500)}`,
    kind: "answer",
    skillIds: ["verbs-present-regular", "spelling"],
    correct: Math.random() < 0.7,
    durationMs: Math.floor(Math.random() * 20_000),
    sessionType: "practice",
    occurredAt: new Date().toISOString(),
  };
  const metadata = { schemaVersion: 1, apiKeyId: "0123456789abcdef" };
  const event = { eventId: randomUUID(), type: "InteractionRecorded", data, metadata, recordedAt: data.occurredAt };
  return { stream: learnerId, expected: "any", events: [event] };
}

function newBatch(count: number): AppendRequest[] {
  return Array.from({ length: count }, newRequest);
}

async function appendBatches(log: ClosableLog): Promise<object> {
  let worst = 0;
  let lastTenth = 0;
  const startedAt = performance.now();
  for (let done = 0; done < events; done += batchSize) {
    const batchAt = performance.now();
    await log.append(newBatch(Math.min(batchSize, events - done)));
    const took = performance.now() - batchAt;
    worst = Math.max(worst, took);
    if (done >= events * 0.9) lastTenth += took;
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  return { per_second: events / seconds, last_tenth_per_second: events / 10 / (lastTenth / 1_000), worst_ms: worst };
}

async function appendOneByOne(log: ClosableLog): Promise<object> {
  const startedAt = performance.now();
  for (let done = 0; done < events; done++) await log.append([newRequest()]);
  return { per_second: events / ((performance.now() - startedAt) / 1_000) };
}

async function readPages(log: ClosableLog): Promise<object> {
  const startedAt = performance.now();
  let position = 0;
  let read = 0;
  for (let atHead = false; !atHead; ) {
    const page = await log.read(position, 1_000);
    for (const event of page.events) if (event.position !== ++read) throw new Error(`no event at position ${read}`);
    ({ position, atHead } = page);
  }
  return { events: read, per_second: read / ((performance.now() - startedAt) / 1_000) };
}

async function appendForEver(log: ClosableLog): Promise<never> {
  for (;;) {
    const results = await log.append(newBatch(50));
    const last = results[results.length - 1];
    process.stdout.write(`${last?.status === "appended" ? last.position : 0}\n`);
  }
}

const openedAt = performance.now();
const log = await openLog();
const openMs = performance.now() - openedAt;
const phases: Record<string, (log: ClosableLog) => Promise<object>> = {
  batches: appendBatches,
  singles: appendOneByOne,
  read: readPages,
  "append-for-ever": appendForEver,
};
const run = phases[phase];
if (run === undefined) throw new Error(`no phase "${phase}"`);
const result = await run(log);
await log.close();
const peakMegabytes = process.resourceUsage().maxRSS / 1_024;
process.stdout.write(`${JSON.stringify({ ...result, open_ms: openMs, memory_peak_mb: peakMegabytes })}\n`);
