import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { migrate } from "../src/adapters/engines/migrate.ts";
import { appendOfBefore, logBeforeSegments } from "../test/support/log-before-segments.ts";
import { startPostgres } from "../test/support/postgres.ts";

/*
 * What migration 0004 (the log in segments) costs on a log that is there already: `node load-tests/measure-migration.ts`
 * [--events 1000000] [--learners 20000] [--appending].
 *
 * A PostgreSQL of its own (fsync on) is brought to 0003 and filled, with events as large as answers are; then it is migrated.
 * With --appending the append of before is called all the time, as by processes that were not stopped: up to two minutes are
 * spent on it, and what became of it is said.
 */
const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    learners: { type: "string", default: "20000" },
    appending: { type: "boolean", default: false },
  },
});
const [events, learners] = [Number(values.events), Number(values.learners)];
const postgres = await startPostgres();
if ("skip" in postgres) throw new Error(postgres.skip);
const sql = await logBeforeSegments(await postgres.createDatabase());

/** Rows as appends of before 0004 left them; ids and streams spread as they are in life. */
const fill = `
INSERT INTO events (position, revision, recorded_at, event_id, stream, category, type, data, metadata)
SELECT n, (n - 1) / ${learners} + 1, '2026-01-01'::timestamptz + n * interval '1 second', gen_random_uuid(),
  'learner-' || ((n * 7919) % ${learners}), 'learner', 'InteractionRecorded',
  json_build_object('interactionId', 'answer-' || n, 'learnerId', 'l' || n % ${learners}, 'itemId', 'item-' || n % 5000,
    'kind', 'answer', 'skillIds', json_build_array('skill-' || n % 300), 'correct', n % 3 <> 0, 'score', 1,
    'durationMs', 20000, 'sessionType', 'practice', 'occurredAt', '2026-01-01T00:00:00.000Z'),
  '{"schemaVersion":1}'
FROM generate_series(1::bigint, ${events}) n;
UPDATE log_head SET position = ${events};`;

/** The longest that one of a stream of appends took; each of 20 events. */
function appending() {
  let stopped = false;
  let [waitMs, appends] = [0, 0];
  const done = (async () => {
    while (!stopped) {
      const startedAt = performance.now();
      await appendOfBefore(sql, "learner-1", 20);
      waitMs = Math.max(waitMs, performance.now() - startedAt);
      appends += 1;
      await sleep(5);
    }
  })();
  done.catch(() => {});
  return async () => {
    stopped = true;
    await done;
    return { waitMs: Math.round(waitMs), appends };
  };
}

const seconds = (from: number): number => Math.round((performance.now() - from) / 100) / 10;

try {
  const filling = performance.now();
  await sql.session((session) => session.script(fill));
  // Out of a transaction, by itself.
  await sql.session((session) => session.script("VACUUM ANALYZE events"));
  await sql.session((session) => session.script("CHECKPOINT"));
  const [size] = await sql.query("SELECT pg_size_pretty(pg_total_relation_size('events'))");
  console.log(`${events} events of ${learners} learners, ${size?.[0]}, in ${seconds(filling)} s`);
  const during = values.appending ? appending() : null;
  const startedAt = performance.now();
  const applied = await migrate(sql).catch((error: Error) => error.message);
  console.log(`${seconds(startedAt)} s:`, applied);
  if (during !== null) console.log("appends meanwhile:", await during());
} finally {
  await sql.close();
  await postgres.stop();
}
