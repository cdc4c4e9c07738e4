import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { privatePgbouncer, privatePostgres, privateReplica } from "../../../../test/support/engines.ts";
import { openFaultLine } from "../../../../test/support/fault-line.ts";
import { temporaryFolder } from "../../../../test/support/folders.ts";
import { pick } from "../../../../test/support/random.ts";
import { useSmallSegments } from "../../../../test/support/small-segments.ts";
import { archiveEvents } from "../../../commands/archive-events.ts";
import { mulberry32 } from "../../../domain/random.ts";
import { openArchiveFolder } from "../../archive/folder.ts";
import { createPostgres } from "../../engines/postgres.ts";
import { eventStoreContract } from "../event-store.contract.ts";
import { newEvents, readAll, request } from "../support.contract.ts";
import { openPostgresLog } from "./log.ts";
import { createPostgresReader } from "./reader.ts";
import { openReplicaReads, type ReplicaAnswer, type ReplicaReads, type ReplicaReadsOptions } from "./replica.ts";
import { createPostgresSegments } from "./segments.ts";

/**
 * Analysts' reads on a real streaming replica: never older than the bound, never back behind what was handed out
 * (invariant 2), whatever becomes of the replica.
 */
const postgres = await privatePostgres({ fsync: false });
const replica = postgres === null ? null : await privateReplica(postgres.url);
const pgbouncer = postgres === null || replica === null ? null : await privatePgbouncer(replica.at(postgres.url));
const never = new AbortController().signal;
const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 2);
const oneSeed = process.env.PROXIMAL_SEED;
const seeds = oneSeed === undefined ? Array.from({ length: runs }, (_, i) => i + 1) : [Number(oneSeed)];

async function open(options: Partial<ReplicaReadsOptions> = {}) {
  const url = (await postgres?.createDatabase()) ?? "";
  const log = await openPostgresLog({ url });
  const answers: ReplicaAnswer[] = [];
  const observe = (answer: ReplicaAnswer) => void answers.push(answer);
  const replicaUrl = replica?.at(url) ?? "";
  const reads = openReplicaReads({ primary: log, replicaUrl, maxLagMs: 60_000, observe, ...options });
  const close = async () => {
    await reads.close();
    await log.close();
  };
  const append = async (count = 1) => {
    const [result] = await log.append([request("learner-1", newEvents(count))]);
    return result?.status === "appended" ? result.position : 0;
  };
  return { url, log, reads, append, close, answers, last: () => answers[answers.length - 1] };
}

const openForTest: typeof open = async (options) => {
  const opened = await open(options);
  onTestFinished(opened.close);
  return opened;
};

/** Reads until the replica itself has answered with all up to this position. */
async function answeredByReplica(reads: ReplicaReads, last: () => ReplicaAnswer | undefined, position: number) {
  await expect
    .poll(async () => [await reads.head(), last()?.answeredBy], { timeout: 30_000 })
    .toEqual([position, "replica"]);
}

describe.skipIf(postgres === null || replica === null)("analysts' reads", () => {
  test("a replica that is close answers, and stream and feed are whole", async () => {
    const { log, reads, append, last } = await openForTest();
    const position = await append(30);
    await answeredByReplica(reads, last, position);
    expect(await readAll(reads, 0, 7)).toEqual(await readAll(log, 0, 7));
    expect(await reads.readStream("learner-1", { limit: 50 })).toEqual(
      await log.readStream("learner-1", { limit: 50 }),
    );
    expect(await reads.behind(10)).toEqual(await log.behind(10));
    expect(last()).toEqual({ answeredBy: "replica", why: "fresh" });
  });

  test("segments that the primary has archived are read as before: from files, and from a replica that has them still", async () => {
    const archive = openArchiveFolder(temporaryFolder());
    const primaryUrl = (await postgres?.createDatabase()) ?? "";
    await useSmallSegments(primaryUrl, 100);
    const sql = createPostgres({ url: primaryUrl });
    const log = await openPostgresLog({ sql }, archive);
    const answers: ReplicaAnswer[] = [];
    const reads = openReplicaReads({
      ...{ primary: log, replicaUrl: replica?.at(primaryUrl) ?? "", maxLagMs: 60_000 },
      ...{
        observe: (answer) => void answers.push(answer),
        readerOn: (session) => createPostgresReader(session, archive),
      },
    });
    onTestFinished(async () => {
      await reads.close();
      await log.close();
      await sql.close();
    });
    await log.append([request("learner-1", newEvents(130)), request("item-1", newEvents(220))]);
    const all = async (of: typeof reads | typeof log) => [
      (await readAll(of, 0, 60)).events,
      (await readAll(of, 90, 1_000, { categories: ["item"] })).events,
      await of.readStream("learner-1", { limit: 500 }),
      await of.readStream("item-1", { limit: 90, direction: "backwards" }),
      await of.behind(150, { categories: ["learner"] }),
    ];
    const before = await all(log);
    const last = () => answers[answers.length - 1];
    await answeredByReplica(reads, last, 350);
    await replica?.pause();
    try {
      const moved = await archiveEvents({ log: createPostgresSegments(sql), archive }, { position: 200 });
      expect(moved).toMatchObject([{ first: 1 }, { first: 101, last: 200 }]);
      expect(await all(reads)).toEqual(before);
      expect(last()?.answeredBy).toBe("replica");
    } finally {
      await replica?.resume();
    }
    // The replica has replayed that the tables are gone.
    const there = createPostgres({ url: replica?.at(primaryUrl) ?? "" });
    onTestFinished(() => there.close());
    const tables = "SELECT count(*) FROM pg_class WHERE relname IN ('events_000000000001', 'events_000000000101')";
    await expect.poll(() => there.query(tables), { timeout: 30_000 }).toEqual([["0"]]);
    expect(await all(reads)).toEqual(before);
    expect(last()?.answeredBy).toBe("replica");
  });

  test("a replay that stands still: old answers within the bound, none beyond it, none before a position asked for", async () => {
    const maxLagMs = 2_000;
    const { reads, append, last } = await openForTest({ maxLagMs });
    await answeredByReplica(reads, last, await append());
    await replica?.pause();
    try {
      const position = await append();
      const appendedAt = performance.now();
      expect(await reads.atLeast(position).head()).toBe(position);
      expect(last()).toEqual({ answeredBy: "primary", why: "before_position" });
      await sleep(Math.max(1, maxLagMs - (performance.now() - appendedAt)));
      expect((await reads.read(0, 10)).events).toHaveLength(2);
      expect(last()?.answeredBy).toBe("primary");
      // Whoever stands there already is not sent back, nor told that this is the end.
      expect(await reads.read(position, 10)).toEqual({ events: [], position, atHead: true });
      expect(last()).toEqual({ answeredBy: "primary", why: "behind" });
    } finally {
      await replica?.resume();
    }
    await answeredByReplica(reads, last, 2);
  });

  test("behind, but by no more than the bound: the old answer, from the replica", async () => {
    const { reads, append, last } = await openForTest({ maxLagMs: 60_000 });
    await answeredByReplica(reads, last, await append());
    await replica?.pause();
    try {
      await append();
      expect(await reads.head()).toBe(1);
      expect(last()?.answeredBy).toBe("replica");
      expect((await reads.readStream("learner-1", { limit: 5 })).length).toBe(1);
    } finally {
      await replica?.resume();
    }
  });

  test("who waits for more waits until the replica has it, and does not ask again and again", async () => {
    const { reads, append, answers, last } = await openForTest();
    await answeredByReplica(reads, last, await append());
    await replica?.pause();
    answers.length = 0;
    const follower = (async () => {
      let position = 1;
      while (position < 2) {
        await reads.waitForMore(position, 60_000, never);
        ({ position } = await reads.read(position, 10));
      }
    })();
    try {
      await append();
      await sleep(500);
    } finally {
      await replica?.resume();
    }
    await follower;
    expect(answers.length).toBeLessThanOrEqual(4);
  });

  test("a replica that was stopped: the primary answers, and the replica again when it is back", async () => {
    const { reads, append, last } = await openForTest();
    await answeredByReplica(reads, last, await append());
    await replica?.end();
    try {
      await append();
      expect(await reads.atLeast(2).head()).toBe(2);
      expect(last()).toEqual({ answeredBy: "primary", why: "down" });
    } finally {
      await replica?.start();
    }
    await answeredByReplica(reads, last, 2);
  });

  test("a replica that falls silent costs a reader a bounded wait, once", async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    const log = await openPostgresLog({ url });
    const line = await openFaultLine(replica?.at(url) ?? "");
    const answers: ReplicaAnswer[] = [];
    const observe = (answer: ReplicaAnswer) => void answers.push(answer);
    const pool = { connectTimeoutMs: 500, statementTimeoutMs: 500 };
    const reads = openReplicaReads({ primary: log, replicaUrl: line.url, maxLagMs: 60_000, observe, pool });
    onTestFinished(async () => {
      line.close();
      await reads.close();
      await log.close();
    });
    await log.append([request("learner-1", newEvents(1))]);
    await answeredByReplica(reads, () => answers[answers.length - 1], 1);
    line.goSilent(true);
    const startedAt = performance.now();
    expect((await reads.read(0, 10)).events).toHaveLength(1);
    // A statement's limit, two seconds of grace, and a busy machine.
    expect(performance.now() - startedAt).toBeLessThan(6_000);
    expect(answers[answers.length - 1]).toEqual({ answeredBy: "primary", why: "down" });
    line.mend();
    await answeredByReplica(reads, () => answers[answers.length - 1], 1);
  });

  test("no primary: the replica answers for as long as it is proved fresh, then nobody does", async () => {
    const { log, url, append } = await openForTest();
    let down = false;
    const head = () => (down ? Promise.reject(new Error("the primary is gone")) : log.head());
    const reads = openReplicaReads({ primary: { ...log, head }, replicaUrl: replica?.at(url) ?? "", maxLagMs: 1_000 });
    onTestFinished(() => reads.close());
    await append();
    await expect.poll(() => reads.head()).toBe(1);
    down = true;
    await expect.poll(() => reads.head().catch(String), { timeout: 30_000 }).toContain("the primary is gone");
  });

  test("another log behind the URL is noticed, however well its positions fit", async () => {
    const other = await openForTest();
    const { reads, append, last } = await openForTest({ replicaUrl: replica?.at(other.url) ?? "" });
    await other.append(3);
    await answeredByReplica(other.reads, other.last, 3);
    await append(3);
    expect(await reads.head()).toBe(3);
    expect(last()).toEqual({ answeredBy: "primary", why: "other_log" });
  });

  // Invariant 2, and the bound, while the replica comes and goes.
  test.each(seeds)("a follower misses nothing and sees each event in time (PROXIMAL_SEED=%i)", async (seed) => {
    const random = mulberry32(seed);
    const maxLagMs = 1_000;
    const { log, reads, answers } = await openForTest({ maxLagMs });
    const appendedAt = new Map<string, number>();
    let writing = true;
    const writer = (async () => {
      while (writing) {
        const events = newEvents(1 + Math.floor(random() * 5));
        await log.append([request(`learner-${Math.floor(random() * 3)}`, events)]);
        for (const { eventId } of events) appendedAt.set(eventId, performance.now());
        await sleep(random() * 20);
      }
    })();
    const seen: string[] = [];
    let latest = 0;
    const stop = new AbortController();
    const follower = (async () => {
      let position = 0;
      for (;;) {
        const page = await reads.read(position, 3);
        position = page.position;
        for (const { eventId } of page.events) {
          seen.push(eventId);
          latest = Math.max(latest, performance.now() - (appendedAt.get(eventId) ?? performance.now()));
        }
        if (page.atHead && stop.signal.aborted && seen.length >= appendedAt.size) return;
        if (page.atHead) await reads.waitForMore(position, 200, stop.signal);
      }
    })();
    const faults = {
      pause: async () => {
        await replica?.pause();
        await sleep(random() * 1_500);
        await replica?.resume();
      },
      restart: async () => {
        await replica?.end();
        await sleep(random() * 300);
        await replica?.start();
      },
      nothing: () => sleep(300),
    };
    for (let i = 0; i < 4; i++) await faults[pick(random, ["pause", "restart", "nothing"] as const)]();
    // However busy the log is, and wherever the follower was for a while, he comes back to the replica and stays.
    answers.length = 0;
    const byReplica = () => answers.filter(({ answeredBy }) => answeredBy === "replica").length;
    await expect.poll(byReplica, { timeout: 60_000, message: `PROXIMAL_SEED=${seed}` }).toBeGreaterThan(20);
    writing = false;
    await writer;
    stop.abort();
    await follower;
    const { events } = await readAll(log, 0, 1_000);
    expect(seen, `PROXIMAL_SEED=${seed}`).toEqual(events.map(({ eventId }) => eventId));
    // The bound, the follower's own wait, a restarting replica's silence (1 s), and a busy machine.
    expect(latest, `PROXIMAL_SEED=${seed}`).toBeLessThan(maxLagMs + 4_000);
  });
});

// The whole suite of a log whose reads are the replica's, through a pooler, each at least as new as what was appended
// before it.
if (postgres !== null && replica !== null && pgbouncer !== null) {
  eventStoreContract("postgres, read on its replica", async () => {
    const opened = await open();
    const reads = openReplicaReads({
      primary: opened.log,
      replicaUrl: pgbouncer.through(opened.url),
      maxLagMs: 60_000,
    });
    let position = 0;
    const at = () => reads.atLeast(position);
    const log: typeof opened.log = {
      ...opened.log,
      async append(requests) {
        const results = await opened.log.append(requests);
        for (const result of results) if (result.status === "appended") position = result.position;
        return results;
      },
      readStream: (...args) => at().readStream(...args),
      read: (...args) => at().read(...args),
      head: () => at().head(),
      behind: (...args) => at().behind(...args),
      waitForMore: (...args) => at().waitForMore(...args),
    };
    const close = async () => {
      await reads.close();
      await opened.close();
    };
    return { log, close };
  });
}

// Last, since there is no way back.
describe.skipIf(postgres === null || replica === null)("a replica that was promoted", () => {
  test("is not asked any more, even where it holds the very same log", async () => {
    const { reads, append, last } = await openForTest();
    await answeredByReplica(reads, last, await append());
    await replica?.promote();
    await expect
      .poll(async () => [await reads.head(), last()], { timeout: 30_000 })
      .toEqual([1, { answeredBy: "primary", why: "not_a_replica" }]);
  });
});
