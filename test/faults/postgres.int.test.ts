import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { createPostgres } from "../../src/adapters/engines/postgres.ts";
import { openPostgresLog, type PostgresLog } from "../../src/adapters/event-store/postgres/log.ts";
import { newEvents, readAll, request } from "../../src/adapters/event-store/support.contract.ts";
import { mulberry32 } from "../../src/domain/random.ts";
import { LogUnavailable } from "../../src/ports/event-store.ts";
import { privatePgbouncer, privatePostgres } from "../support/engines.ts";
import { startPgbouncer } from "../support/pgbouncer.ts";
import { startPostgres } from "../support/postgres.ts";
import { startReplica } from "../support/postgres-replica.ts";
import { pick } from "../support/random.ts";
import type { Skip } from "../support/servers.ts";

/**
 * Invariants 1 and 2 against servers and poolers that end, crash, pause and fail over while writers append and a reader
 * follows: what was acknowledged is there, once, in its writer's order; the reader misses nothing. An append that gets no
 * answer is LogUnavailable, never anything else, and is sent again as it was.
 *
 * PROXIMAL_SEED=<n> repeats one seed, PROXIMAL_FAULT_RUNS=<n> runs so many.
 */
// Servers crash here, machines do not: without fsync all is there again, sooner.
const postgres = await privatePostgres({ fsync: false });
const pgbouncer =
  postgres === null ? null : await privatePgbouncer(postgres.url, { settings: { server_login_retry: "1" } });
const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 2);
const oneSeed = process.env.PROXIMAL_SEED;
const seeds = oneSeed === undefined ? Array.from({ length: runs }, (_, i) => i + 1) : [Number(oneSeed)];
/** No statement longer than this: a PAUSE lasts longer. */
const statementTimeoutMs = 1_000;

/** Until it is answered: the caller's part of the bargain. Anything but LogUnavailable fails the test. */
async function untilAnswered<T>(work: () => Promise<T>, refused: () => void): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LogUnavailable)) throw error;
      refused();
      await sleep(20);
    }
  }
}

function startLoad(log: PostgresLog, writers: number) {
  const acknowledged = new Map<string, number>();
  const sent = new Map<string, string[]>();
  let refused = 0;
  let stop = false;
  let written = () => {};
  const allWritten = new Promise<void>((resolve) => {
    written = resolve;
  });
  async function write(writer: number): Promise<void> {
    const ids: string[] = [];
    sent.set(`learner-${writer}`, ids);
    for (let n = 0; !stop; n++) {
      const events = newEvents(1 + (n % 3));
      const [result] = await untilAnswered(
        () => log.append([request(`learner-${writer}`, events)]),
        () => (refused += 1),
      );
      if (result?.status === "conflict" || result === undefined) throw new Error(`refused: ${result?.why}`);
      const last = events[events.length - 1];
      acknowledged.set(last?.eventId ?? "", result.position);
      ids.push(...events.map(({ eventId }) => eventId));
    }
  }
  const seen: { id: string; stream: string; position: number }[] = [];
  const aborted = new AbortController();
  async function follow(): Promise<void> {
    let position = 0;
    for (;;) {
      // What was appended before the end was called for is in a page that was asked for after it.
      const last = aborted.signal.aborted;
      const page = await untilAnswered(
        () => log.read(position, 100),
        () => {},
      );
      position = page.position;
      seen.push(...page.events.map((event) => ({ id: event.eventId, stream: event.stream, position: event.position })));
      if (page.atHead && last) return;
      if (page.atHead) await log.waitForMore(position, 1_000, aborted.signal);
    }
  }
  const writing = Promise.all(Array.from({ length: writers }, (_, i) => write(i)));
  const following = follow();
  writing.then(written, written);
  following.catch(() => {});
  return {
    acknowledged: () => acknowledged.size,
    refused: () => refused,
    /** Lets everybody come to an end, and checks that nothing is lost, doubled, or out of order. */
    async end(name: string): Promise<void> {
      stop = true;
      await allWritten;
      aborted.abort();
      await writing;
      await following;
      const stored = (await readAll(log, 0, 1_000)).events;
      expect(
        seen.map(({ id }) => id),
        `${name}: the reader saw what is stored`,
      ).toEqual(stored.map(({ eventId }) => eventId));
      expect(
        seen.map(({ position }) => position),
        `${name}: the reader saw each position, once`,
      ).toEqual(seen.map((_, i) => i + 1));
      for (const [stream, ids] of sent) {
        const own = seen.filter((one) => one.stream === stream).map(({ id }) => id);
        expect(own, `${name}: ${stream} is stored once, and in its order`).toEqual(ids);
      }
      const positions = new Map(seen.map(({ id, position }) => [id, position]));
      for (const [id, position] of acknowledged) expect(positions.get(id), `${name}: ${id}`).toBe(position);
    },
  };
}

describe.skipIf(postgres === null || pgbouncer === null)("PostgreSQL and PgBouncer come and go", () => {
  const admin = createPostgres({ url: postgres?.url ?? "", connections: 1 });
  const faults = {
    "PgBouncer killed": async () => await pgbouncer?.restart(),
    "server restarted": async () => await postgres?.restart("fast"),
    "server crashed": async () => await postgres?.restart("immediate"),
    "connections cut": async () =>
      void (await admin
        .query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'proximal-faults'")
        .catch(() => {})),
    paused: async (random: () => number) => {
      await pgbouncer?.admin("PAUSE").catch(() => {});
      await sleep(random() * 3 * statementTimeoutMs);
      await pgbouncer?.admin("RESUME").catch(() => {});
    },
  };
  const names = Object.keys(faults) as (keyof typeof faults)[];

  test.each(seeds)("nothing is lost or doubled (PROXIMAL_SEED=%i)", { timeout: 180_000 }, async (seed) => {
    const random = mulberry32(seed);
    const directUrl = (await postgres?.createDatabase()) ?? "";
    // So that a crash has little to recover from, however many seeds ran before.
    await admin.query("CHECKPOINT");
    const options = { statementTimeoutMs, connectTimeoutMs: 1_000, applicationName: "proximal-faults" };
    const log = await openPostgresLog({ ...options, url: pgbouncer?.through(directUrl) ?? "", directUrl });
    const load = startLoad(log, 4);
    // Each fault once with any two seeds, and others by chance.
    const order = [...names.filter((_, i) => i % 2 === seed % 2), pick(random, names), pick(random, names)];
    const name = `PROXIMAL_SEED=${seed} (${order.join(", ")})`;
    for (const fault of order) {
      const before = load.acknowledged();
      await expect.poll(load.acknowledged, { timeout: 60_000, message: name }).toBeGreaterThan(before + 20);
      await sleep(random() * 200);
      await faults[fault](random);
    }
    const before = load.acknowledged();
    await expect.poll(load.acknowledged, { timeout: 60_000, message: name }).toBeGreaterThan(before + 20);
    await load.end(name);
    await log.close();
  });
});

/** Of this test alone: stopped at its end, however it ends. */
function started<Server extends { stop(): Promise<void> }>(server: Server | Skip): Server {
  if ("skip" in server) throw new Error(server.skip);
  onTestFinished(() => server.stop());
  return server;
}

describe.skipIf(postgres === null || pgbouncer === null)("fail-over to a synchronous replica", () => {
  test("the primary crashes, the replica is promoted, PgBouncer points there: nothing acknowledged is lost", {
    timeout: 180_000,
  }, async () => {
    const primary = started(await startPostgres());
    const replica = started(await startReplica(primary.url));
    const bouncer = started(await startPgbouncer(primary.url, { settings: { server_login_retry: "1" } }));
    const admin = createPostgres({ url: primary.url, connections: 1 });
    await admin.script("ALTER SYSTEM SET synchronous_standby_names = 'replica'");
    await admin.query("SELECT pg_reload_conf()");
    await expect.poll(() => admin.query("SELECT sync_state FROM pg_stat_replication")).toEqual([["sync"]]);
    await admin.close();
    const directUrl = await primary.createDatabase();
    const options = { statementTimeoutMs, connectTimeoutMs: 1_000 };
    const log = await openPostgresLog({ ...options, url: bouncer.through(directUrl), directUrl });
    const load = startLoad(log, 4);
    await expect.poll(load.acknowledged, { timeout: 60_000 }).toBeGreaterThan(100);
    await primary.crash();
    await replica.promote();
    await bouncer.pointTo(replica.at(primary.url));
    const before = load.acknowledged();
    await expect.poll(load.acknowledged, { timeout: 60_000 }).toBeGreaterThan(before + 100);
    expect(load.refused()).toBeGreaterThan(0);
    await load.end("fail-over");
    await log.close();
  });
});
