import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import { createPostgres } from "../src/adapters/engines/postgres.ts";
import { openPostgresLog } from "../src/adapters/event-store/postgres/log.ts";
import { course } from "../src/app/demo/course.ts";
import type { AppendRequest, EventStore } from "../src/ports/event-store.ts";
import { startPostgres } from "../test/support/postgres.ts";
import {
  baseBackup,
  destroy,
  folderOf,
  query,
  receiveWal,
  restore,
  serveData,
} from "../test/support/postgres-backup.ts";
import { startRedis } from "../test/support/redis.ts";
import { freePort } from "../test/support/servers.ts";
import { describeMachine } from "./bench/machine.ts";
import { appendAll, catalogueAt, eventAt } from "./made-log.ts";
import { betweenComments } from "./quoted.ts";
import { wholeNumbers } from "./whole-number.ts";

/*
 * What is lost and how long it takes when PostgreSQL is destroyed under load: `node load-tests/measure-recovery.ts`
 * [--events 200000] [--learners 10000] [--rounds 3]. Each round: a server with infra/postgres/postgresql.conf (fsync on) and a
 * receiver of its write-ahead log; events before and after a base backup; appends from eight callers, during which the server is
 * killed and its folder removed. Restored with restore.sh; a process of the role all on an empty Redis then makes the rows. The
 * receiver is a synchronous standby in the second round. A round that would end after --minutes (8) is left out. Says what it does
 * meanwhile, and prints what docs/recovery.md says; with --save it is written there.
 */

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "200000" },
    learners: { type: "string", default: "10000" },
    rounds: { type: "string", default: "3" },
    minutes: { type: "string", default: "8" },
    save: { type: "boolean", default: false },
  },
});
const { events, learners, rounds, minutes } = wholeNumbers(values, "events", "learners", "rounds", "minutes");
const document = join(import.meta.dirname, "../docs/recovery.md");
const comments = { begins: "<!-- from node load-tests/measure-recovery.ts --save -->", ends: "<!-- end of that -->" };
const beganAt = performance.now();
const elapsed = (): number => (performance.now() - beganAt) / 1000;
let current = "";
const say = (what: string): void => console.error(`${elapsed().toFixed(0).padStart(4)} s  ${current}: ${what}`);
const configFile = join(import.meta.dirname, "../infra/postgres/postgresql.conf");
const launcher = join(import.meta.dirname, "../bin/proximal.js");
const start = Date.parse("2026-03-01T08:00:00Z");

function answer(n: number, at = start + n * 1000): AppendRequest {
  const item = course.items[(n * 7) % course.items.length];
  const learnerId = `learner-${n % learners}`;
  const data = {
    ...{
      interactionId: `a${n}`,
      learnerId,
      itemId: item?.itemId ?? "",
      kind: "answer",
      skillIds: item?.skillIds ?? [],
    },
    ...{ correct: n % 3 > 0, score: n % 3 > 0 ? 1 : 0, sessionType: "practice" },
    occurredAt: new Date(at).toISOString(),
  };
  return eventAt(`learner-${learnerId}`, "InteractionRecorded", data, at);
}

function* answers(from: number, to: number): Generator<AppendRequest> {
  for (let n = from; n < to; n += 1) {
    if (n % 50_000 === 0) say(`${n} of ${events} events`);
    yield answer(n);
  }
}

interface Flood {
  /** Positions that were acknowledged, and when. */
  readonly acknowledged: Map<number, number>;
  readonly done: Promise<unknown>;
}

/** Until the log is gone. */
function flood(log: Pick<EventStore, "append">, from: number): Flood {
  const acknowledged = new Map<number, number>();
  let n = from;
  const caller = async (): Promise<void> => {
    for (;;) {
      n += 1;
      const [result] = await log.append([answer(n, Date.now())]).catch(() => []);
      if (result?.status !== "appended") return;
      acknowledged.set(result.position, performance.now());
    }
  };
  return { acknowledged, done: Promise.all(Array.from({ length: 8 }, caller)) };
}

const seconds = async <T>(work: () => Promise<T>): Promise<[number, T]> => {
  const startedAt = performance.now();
  const result = await work();
  return [(performance.now() - startedAt) / 1000, result];
};

/** From the start of a process on an empty Redis: until it answers, and until all rows are there. */
async function serveFrom(url: string, head: number): Promise<{ answersSeconds: number; rowsSeconds: number }> {
  const redis = await startRedis({ settings: { "maxmemory-policy": "noeviction" } });
  if ("skip" in redis) throw new Error(redis.skip);
  const port = await freePort();
  const env = { ...process.env, DATABASE_URL: url, REDIS_URL: redis.url, LOG_LEVEL: "warn", PORT: String(port) };
  const child = spawn(process.execPath, [launcher, "serve"], { env, stdio: "ignore" });
  const ready = async (path: string): Promise<void> => {
    while (!(await fetch(`http://127.0.0.1:${port}${path}`).catch(() => null))?.ok) await sleep(50);
  };
  const startedAt = performance.now();
  await ready("/healthz");
  const answersSeconds = (performance.now() - startedAt) / 1000;
  say(`Proximal answers after ${answersSeconds.toFixed(1)} s; rows`);
  const rows = new Redis(redis.url);
  for (let saidAt = performance.now(); ; ) {
    const said = (await (await fetch(`http://127.0.0.1:${port}/readyz`)).json()) as { position?: number };
    const made = await rows.dbsize();
    if ((said.position ?? 0) >= head && made >= learners) break;
    if (performance.now() - saidAt > 5_000) {
      saidAt = performance.now();
      say(`${made} rows for ${learners} learners, position ${said.position ?? 0} of ${head}`);
    }
    await sleep(50);
  }
  const rowsSeconds = (performance.now() - startedAt) / 1000;
  child.kill("SIGTERM");
  await once(child, "close");
  await rows.quit();
  await redis.stop();
  return { answersSeconds, rowsSeconds };
}

async function round(synchronous: boolean) {
  const folder = folderOf(mkdtempSync(join(tmpdir(), "proximal-recovery-")));
  const backup = folderOf(join(folder, "backup"));
  const postgres = await startPostgres({ configFile });
  if ("skip" in postgres) throw new Error(postgres.skip);
  const url = await postgres.createDatabase();
  const database = new URL(url).pathname.slice(1);
  const receiving = await receiveWal(url, backup);
  const sql = createPostgres({ url });
  const log = await openPostgresLog({ sql });
  await appendAll(log, catalogueAt(course, start));
  await appendAll(log, answers(0, events / 2));
  say("base backup");
  const [backupSeconds] = await seconds(() => baseBackup(url, backup));
  await appendAll(log, answers(events / 2, events));
  if (synchronous) {
    await query(url, "ALTER SYSTEM SET synchronous_standby_names = 'proximal_backup'");
    await query(url, "SELECT pg_reload_conf()");
    await sleep(1000);
  }
  say("eight callers, until the server is gone");
  const { acknowledged, done } = flood(log, events);
  const lags: number[] = [];
  while (acknowledged.size < 500 || lags.length < 20) {
    const [row] = await query(url, "SELECT extract(epoch FROM flush_lag) * 1000 AS ms FROM pg_stat_replication");
    if (row?.ms != null) lags.push(Number(row.ms));
    await sleep(50);
  }
  const diedAt = performance.now();
  await destroy(postgres);
  await done;
  await receiving.stop();
  // Its connections are gone with the server; nobody waits for them.
  sql.close().catch(() => undefined);
  say(`${acknowledged.size} were acknowledged; restore.sh`);
  const data = join(folder, "restored/data");
  const [restoreSeconds] = await seconds(() => restore(backup, data, database));
  const [startSeconds, restored] = await seconds(() => serveData(data, database));
  const [row] = await query(restored.url, "SELECT position FROM log_head");
  const head = Number(row?.position);
  const lost = [...acknowledged].filter(([position]) => position > head);
  const served = await serveFrom(restored.url, head);
  await restored.stop();
  rmSync(folder, { recursive: true, force: true });
  return {
    synchronous,
    events: head,
    backupSeconds,
    flushLagMs: lags.sort((a, b) => a - b),
    acknowledged: acknowledged.size,
    lost: lost.length,
    lostMs: lost.length === 0 ? 0 : diedAt - Math.min(...lost.map(([, at]) => at)),
    ...{ restoreSeconds, startSeconds, ...served },
  };
}

const results: Awaited<ReturnType<typeof round>>[] = [];
for (let at = 0; at < rounds; at += 1) {
  const startedAt = elapsed();
  current = `round ${at + 1} of ${rounds}`;
  results.push(await round(at === 1));
  if (at + 1 < rounds && elapsed() + (elapsed() - startedAt) > minutes * 60) {
    say(`another one would end after --minutes ${minutes}: the rest is left out`);
    break;
  }
}

const one = (n: number): string => (Number.isInteger(n) ? String(n) : n < 10 ? n.toFixed(2) : n.toFixed(1));
const range = (numbers: readonly number[]): string => {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)].map(one);
  return least === most ? String(least) : `${least} to ${most}`;
};
const asynchronous = results.filter(({ synchronous }) => !synchronous);
const waited = results.filter(({ synchronous }) => synchronous);
const lags = results.flatMap(({ flushLagMs }) => flushLagMs).sort((a, b) => a - b);
const { cores, cpu, node, postgres, load_average } = describeMachine();
/** In words where there was no such round. */
const lostOf = (of: typeof results): string =>
  of.length === 0
    ? "no such round"
    : `${range(of.map(({ lost }) => lost))} of ${range(of.map(({ acknowledged }) => acknowledged))} events`;
const rows: readonly (readonly [string, string])[] = [
  [
    "acknowledged and lost, asynchronous receiver (RPO)",
    `${lostOf(asynchronous)}, the last ${range(asynchronous.map(({ lostMs }) => lostMs))} ms; were the machine or its network gone, not its process alone: what was under way`,
  ],
  [
    "acknowledged and lost, synchronous receiver (RPO)",
    `${lostOf(waited)}; by design, and in \`test/recovery/postgres.int.test.ts\` at each run`,
  ],
  [
    "receiver behind the server's disk, median and 99 %",
    `${one(lags[lags.length >> 1] ?? 0)} and ${one(lags[Math.floor(lags.length * 0.99)] ?? 0)} ms`,
  ],
  ["base backup of half of the log, checked", `${range(results.map(({ backupSeconds }) => backupSeconds))} s`],
  [
    "`restore.sh`: copy, and replay of the other half",
    `${range(results.map(({ restoreSeconds }) => restoreSeconds))} s`,
  ],
  ["start of PostgreSQL", `${range(results.map(({ startSeconds }) => startSeconds))} s`],
  [
    "start of Proximal, until it answers (RTO of posting, and of answers with what is popular)",
    `${range(results.map(({ answersSeconds }) => answersSeconds))} s`,
  ],
  [
    "until every learner has rows again (RTO of personal answers)",
    `${range(results.map(({ rowsSeconds }) => rowsSeconds))} s`,
  ],
];
const made = [
  `\`node load-tests/measure-recovery.ts --events ${events} --learners ${learners} --rounds ${rounds}\`, ${new Date().toISOString().slice(0, 10)}: ${cores} cores of ${cpu}, Node ${node}, PostgreSQL ${postgres} with fsync on, load average ${load_average} at its end; eight callers`,
  "at work when the server was killed and its folder removed.",
  "",
  `| ${results[0]?.events.toLocaleString("en-US")} events | ${results.length === 1 ? "one round" : `least to most of ${results.length} rounds`} |`,
  "|---|---|",
  ...rows.map(([what, value]) => `| ${what} | ${value} |`),
].join("\n");
console.log(made);
if (values.save) {
  const text = betweenComments(readFileSync(document, "utf8"), comments, made);
  if (text === null) throw new Error(`${document} lacks the comments ${comments.begins} and ${comments.ends}`);
  writeFileSync(document, text);
}
process.exit();
