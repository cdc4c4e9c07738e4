import { setTimeout as sleep } from "node:timers/promises";
import { createPostgres } from "../../../src/adapters/engines/postgres.ts";
import type { Experiment } from "../experiment.ts";

/** What a few seconds of posts need, so that the disk is full in the middle of them. */
const spareBytes = 4 * 2 ** 20;

/**
 * Another table takes what is left, until nothing is: then tables cannot grow. The write-ahead log goes on in segments that
 * are there already; it is made to use those up, too.
 */
async function takeTheRest(url: string): Promise<void> {
  const sql = createPostgres({ url, connections: 1 });
  try {
    await sql.script("CREATE TABLE IF NOT EXISTS took_the_disk (bytes text)");
    for (;;)
      await sql.query("INSERT INTO took_the_disk SELECT repeat(md5(n::text), 100) FROM generate_series(1, 100) n");
  } catch {
    // It is full; where the write-ahead log has no room the server ends itself, and this connection with it.
  } finally {
    await sql.close();
  }
}

export const fullDisk: Experiment = {
  name: "full-disk",
  what: "the disk of the log is full: tables cannot grow, then the write-ahead log cannot either",
  heals: "somebody makes room, and starts PostgreSQL where it has ended",
  lasts: [10, 14],
  cannot: ({ disk }) => ("skip" in disk ? disk.skip : null),
  async inject({ disk, postgres }) {
    if ("skip" in disk) throw new Error(disk.skip);
    disk.fill(spareBytes);
    await takeTheRest(postgres.url);
    await sleep(3_000);
    await useUpSegments(postgres.url);
    return async () => {
      disk.makeRoom();
      if (!postgres.running()) await postgres.restart("immediate");
      const sql = createPostgres({ url: postgres.url, connections: 1 });
      await sql.script("DROP TABLE took_the_disk").catch(() => undefined);
      await sql.close();
    };
  },
};

/** Each begins the next segment; there are a handful. */
async function useUpSegments(url: string): Promise<void> {
  const sql = createPostgres({ url, connections: 1 });
  try {
    for (let n = 0; n < 20; n += 1) {
      await sql.query("SELECT pg_logical_emit_message(true, 'chaos', 'a word in each segment')");
      await sql.query("SELECT pg_switch_wal()");
    }
  } catch {
    // The server has ended itself.
  } finally {
    await sql.close();
  }
}
