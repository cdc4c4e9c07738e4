import pg from "pg";
import { describe, expect, test } from "vitest";
import { privatePostgres, sharedPostgres } from "../../../../test/support/engines.ts";
import { LogUnavailable } from "../../../ports/event-store.ts";
import { newEvents, request } from "../support.contract.ts";
import { openPostgresLog } from "./log.ts";

const postgres = await sharedPostgres();
const doomed = await privatePostgres({ fsync: false });
const never = new AbortController().signal;

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

describe.skipIf(postgres === null)("trouble with PostgreSQL", () => {
  const newUrl = async () => (await postgres?.createDatabase()) ?? "";

  test("all connections cut, that of LISTEN too: the next append works, and those who wait are woken", async () => {
    const url = await newUrl();
    const [log, other] = [await openPostgresLog({ url }), await openPostgresLog({ url })];
    await withClient(url, (client) =>
      client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'proximal' AND datname = current_database()",
      ),
    );
    const append = async () => {
      const once = request("learner-1", newEvents(1));
      for (;;) {
        const [result] = await other.append([once]).catch((error: unknown) => {
          expect(error).toBeInstanceOf(LogUnavailable);
          return [];
        });
        if (result !== undefined) return result;
      }
    };
    const waiting = log.waitForMore(0, 60_000, never);
    expect((await append()).status).not.toBe("conflict");
    await waiting;
    expect((await log.read(0, 10)).events).toHaveLength(1);
    await Promise.all([log.close(), other.close()]);
  });

  test("a statement that waits too long for the lock is LogUnavailable, and nothing is stored", async () => {
    const url = await newUrl();
    const log = await openPostgresLog({ url, statementTimeoutMs: 300 });
    await withClient(url, async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT 1 FROM log_head FOR UPDATE");
      await expect(log.append([request("learner-1", newEvents(1))])).rejects.toThrow(LogUnavailable);
      await client.query("ROLLBACK");
    });
    expect(await log.head()).toBe(0);
    expect(await log.append([request("learner-1", newEvents(1))])).toMatchObject([{ status: "appended", position: 1 }]);
    await log.close();
  });

  test("synchronous_commit off in the server's settings does not make an append less durable", async () => {
    const url = await newUrl();
    await withClient(url, async (client) => {
      await client.query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET synchronous_commit = off`);
    });
    const log = await openPostgresLog({ url });
    let flushedAtOnce = 0;
    for (let i = 0; i < 20; i++) {
      await log.append([request("learner-1", newEvents(1))]);
      flushedAtOnce += await withClient(url, async (client) => {
        const query = "SELECT (pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn())::int AS flushed";
        return (await client.query<{ flushed: number }>(query)).rows[0]?.flushed ?? 0;
      });
    }
    // The server's own background work may write in between; without a flush at each commit it would be none or one.
    expect(flushedAtOnce).toBeGreaterThan(10);
    await log.close();
  });

  test("many writers of one hot stream: nobody fails, revisions have no gap", async () => {
    const url = await newUrl();
    const logs = await Promise.all(Array.from({ length: 4 }, () => openPostgresLog({ url })));
    const hot = request("learner-hot", newEvents(1));
    const results = await Promise.all(
      logs.flatMap((log) =>
        Array.from({ length: 40 }, (_, i) => log.append([i % 10 === 0 ? hot : request("learner-hot", newEvents(2))])),
      ),
    );
    const statuses = results.flat().map((result) => result.status);
    expect(statuses.filter((status) => status === "appended")).toHaveLength(4 * 36 + 1);
    expect(statuses.filter((status) => status === "duplicate")).toHaveLength(15);
    const events = (await logs[0]?.readStream("learner-hot", { limit: 10_000 })) ?? [];
    expect(events.map((event) => event.revision)).toEqual(Array.from({ length: 4 * 36 * 2 + 1 }, (_, i) => i + 1));
    await Promise.all(logs.map((log) => log.close()));
  });
});

describe.skipIf(doomed === null)("PostgreSQL gone", () => {
  test("everything is LogUnavailable, waiting ends in time, and closing works", async () => {
    const url = (await doomed?.createDatabase()) ?? "";
    const log = await openPostgresLog({ url, connectTimeoutMs: 1_000 });
    await log.append([request("learner-1", newEvents(1))]);
    await doomed?.stop();
    await expect(log.append([request("learner-1", newEvents(1))])).rejects.toThrow(LogUnavailable);
    await expect(log.read(0, 10)).rejects.toThrow(LogUnavailable);
    await expect(log.readStream("learner-1", { limit: 1 })).rejects.toThrow(LogUnavailable);
    await expect(log.head()).rejects.toThrow(LogUnavailable);
    await log.waitForMore(1, 700, never);
    await log.close();
    await expect(openPostgresLog({ url, connectTimeoutMs: 1_000 })).rejects.toThrow("ECONNREFUSED");
  });
});
