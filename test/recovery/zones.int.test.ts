import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { newPlace, type Running, serve } from "../e2e/proximal.ts";
import { privatePostgres } from "../support/engines.ts";
import { openFaultLine } from "../support/fault-line.ts";
import { query } from "../support/postgres-backup.ts";
import { type PostgresReplica, startReplica } from "../support/postgres-replica.ts";
import { answers } from "./school.ts";

const primary = await privatePostgres({ settings: { shared_buffers: "64MB" } });

/** One who posts two answers at a time, and the same again until they are accepted. */
function posting(server: Running) {
  const acknowledged = new Set<string>();
  let refused = 0;
  let stopped = false;
  const done = (async () => {
    for (let n = 0; !stopped; ) {
      const sent = answers(n, 2);
      const posted = await server.post("/v1/interactions", sent).catch(() => null);
      if (posted?.status === 200) {
        for (const { id } of sent) acknowledged.add(String(id));
        n += 2;
      } else {
        refused += 1;
        await sleep(20);
      }
    }
  })();
  return {
    acknowledged,
    refused: () => refused,
    async more(than: number): Promise<void> {
      const before = acknowledged.size;
      await expect.poll(() => acknowledged.size - before, { timeout: 60_000, interval: 20 }).toBeGreaterThan(than);
    },
    stop() {
      stopped = true;
      return done;
    },
  };
}

/** As docs/recovery.md has the operator ask it. */
async function walBytes(url: string): Promise<number> {
  const lsn = "greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())";
  return Number((await query(url, `SELECT pg_wal_lsn_diff(${lsn}, '0/0') AS bytes`))[0]?.bytes);
}

const syncStates = async (url: string): Promise<string> =>
  (await query(url, "SELECT application_name || ' ' || sync_state AS one FROM pg_stat_replication ORDER BY 1"))
    .map(({ one }) => one)
    .join(", ");

const idsIn = async (url: string): Promise<string[]> =>
  (await query(url, "SELECT data->>'interactionId' AS id FROM events WHERE type = 'InteractionRecorded'")).map(
    ({ id }) => String(id),
  );

async function zone(name: string): Promise<PostgresReplica> {
  const replica = await startReplica(primary?.url ?? "", name);
  if ("skip" in replica) throw new Error(replica.skip);
  onTestFinished(() => replica.stop());
  return replica;
}

describe.skipIf(primary === null)("PostgreSQL in three zones, a commit waits for one of two standbys", () => {
  test("a standby is lost: posts go on; then the primary is: the standby with the most is promoted, and nothing acknowledged is lost", {
    timeout: 180_000,
  }, async () => {
    const a = (await primary?.createDatabase()) ?? "";
    const [b, c] = [await zone("b"), await zone("c")];
    await query(a, "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (b, c)'");
    await query(a, "SELECT pg_reload_conf()");
    await expect.poll(() => syncStates(a), { timeout: 60_000 }).toBe("b quorum, c quorum");
    const address = await openFaultLine(a);
    onTestFinished(() => address.close());
    const server = await serve(newPlace({ DATABASE_URL: address.url }));
    const client = posting(server);
    await client.more(20);

    // Zone C goes.
    await c.crash();
    await client.more(60);
    expect(client.refused()).toBe(0);

    // Zone A goes, while posts are under way; C is back, and knows nothing of the last of them.
    process.kill(primary?.pid() ?? 0, "SIGKILL");
    await c.start();
    const [ofB, ofC] = [await walBytes(b.at(a)), await walBytes(c.at(a))];
    expect(ofB).toBeGreaterThan(ofC);
    expect((await idsIn(c.at(a))).length).toBeLessThan(client.acknowledged.size - 50);
    await b.promote();
    await c.follow(b.at(a), "c");
    await expect.poll(() => syncStates(b.at(a)), { timeout: 60_000 }).toContain("c ");
    await query(b.at(a), "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (a, c)'");
    await query(b.at(a), "SELECT pg_reload_conf()");
    await expect.poll(() => syncStates(b.at(a)), { timeout: 60_000 }).toBe("c quorum");
    address.leadTo(b.at(a));
    await client.more(20);
    await client.stop();
    expect(client.refused()).toBeGreaterThan(0);

    const inLog = await idsIn(b.at(a));
    expect(inLog.length).toBe(new Set(inLog).size);
    expect([...client.acknowledged].filter((id) => !inLog.includes(id))).toEqual([]);
    await expect.poll(async () => (await idsIn(c.at(a))).sort(), { timeout: 60_000 }).toEqual(inLog.sort());
    expect(await server.end("SIGTERM")).toBe(0);
  });
});
