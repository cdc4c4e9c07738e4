import { createPostgres } from "../../src/adapters/engines/postgres.ts";

/** 16 MB each: what a run of the bench writes until the server's first checkpoint is on its way. */
const files = 64;

/** With these a checkpoint keeps the files. */
export const keepsWal = { min_wal_size: "1GB", max_wal_size: "4GB" };

/**
 * Makes files of the write-ahead log beforehand. A server that has run for a while writes over those that it has; a new one makes
 * each when the one before is full, 16 MB of zeros and an fsync, and all commits wait for it. `url` is a superuser's.
 */
export async function growWal(url: string): Promise<void> {
  const sql = createPostgres({ url, connections: 1 });
  try {
    for (let n = 0; n < files; n += 1) {
      await sql.query("SELECT pg_logical_emit_message(false, 'bench', '')");
      await sql.query("SELECT pg_switch_wal()");
    }
    await sql.query("CHECKPOINT");
  } finally {
    await sql.close();
  }
}
