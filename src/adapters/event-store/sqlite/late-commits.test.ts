import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { temporaryFolder } from "../../../../test/support/folders.ts";
import { interleave, type Script } from "../../../../test/support/interleave.ts";
import { mulberry32 } from "../../../domain/random.ts";
import { categoryOf } from "../../../domain/streams.ts";
import { newEvent, newEvents, readAll, request } from "../support.contract.ts";
import { openSqliteLog } from "./log.ts";
import { logFile } from "./schema.ts";

/**
 * The feed of SQLite under the schedules of late-commits.int.test.ts: another connection holds its write transaction
 * open, and commits or rolls back later, while the log appends and is read. PROXIMAL_SEED=<n> repeats one schedule.
 */
const oneSeed = process.env.PROXIMAL_SEED;
const seeds = oneSeed === undefined ? Array.from({ length: 150 }, (_, i) => i + 1) : [Number(oneSeed)];

const folder = temporaryFolder();
const log = await openSqliteLog({ folder });
const other = new DatabaseSync(logFile(folder), { timeout: 0 });
const insert = other.prepare(`
  INSERT INTO events (position, stream, revision, category, event_id, type, data, metadata, recorded_at)
  SELECT coalesce(max(position), 0) + 1, ?, 1, ?, ?, 'InteractionRecorded', '{}', '{}', 0 FROM events`);
afterAll(async () => {
  other.close();
  await log.close();
});

/** Takes the write lock without waiting on this thread: the log's writer may hold it. */
async function begin(): Promise<void> {
  for (;;) {
    try {
      other.exec("BEGIN IMMEDIATE");
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

test(`the reader misses nothing in ${seeds.length} random schedules`, { timeout: 120_000 }, async () => {
  let position = 0;
  let rolledBack = 0;
  for (const seed of seeds) {
    const random = mulberry32(seed);
    const start = position;
    const seen: string[] = [];
    const committed = new Set<string>();
    const pause = () => Promise.resolve();

    const heldOpen = (name: string): Script => {
      const stream = `learner-${name}-${seed}`;
      const { eventId } = newEvent();
      const commits = random() < 0.7;
      return [
        async () => {
          await begin();
          insert.run(stream, categoryOf(stream), eventId);
        },
        ...Array.from({ length: Math.floor(random() * 4) }, () => pause),
        async () => {
          other.exec(commits ? "COMMIT" : "ROLLBACK");
          if (commits) committed.add(eventId);
          else rolledBack += 1;
        },
      ];
    };
    const alone = (name: string): Script =>
      Array.from({ length: 3 }, (_, i) => async () => {
        const events = newEvents(1 + Math.floor(random() * 2));
        await log.append([request(`learner-${name}-${seed}-${i}`, events)]);
        for (const { eventId } of events) committed.add(eventId);
      });

    const scripts = [[...heldOpen("a"), ...heldOpen("b")], alone("x"), alone("y")];
    await interleave(random, scripts, async () => {
      const page = await log.read(position, 3);
      position = page.position;
      seen.push(...page.events.map((event) => event.eventId));
    });
    const rest = await readAll(log, position);
    position = rest.position;
    seen.push(...rest.events.map((event) => event.eventId));

    const stored = (await readAll(log, start)).events;
    expect(stored.map((event) => event.position)).toEqual(stored.map((_, i) => start + i + 1));
    const ids = stored.map((event) => event.eventId);
    expect(seen, `PROXIMAL_SEED=${seed}: what was read is what is stored, in order`).toEqual(ids);
    expect(new Set(ids), `PROXIMAL_SEED=${seed}: what is stored is what was committed`).toEqual(committed);
  }
  expect(oneSeed !== undefined || rolledBack > 0).toBe(true);
});
