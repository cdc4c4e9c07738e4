import type { Presence } from "../../ports/presence.ts";
import { openMigrated, type PostgresSource } from "../engines/open-migrated.ts";

/**
 * Writes what a process says, by the server's clock, and removes who has been gone for an hour: the table holds processes of
 * now. Parameters: id, JSON, milliseconds.
 */
const report = `/* presence.report */
  WITH gone AS (DELETE FROM processes WHERE expires_at < clock_timestamp() - interval '1 hour' AND id <> $1)
  INSERT INTO processes (id, said, expires_at)
  VALUES ($1, $2, clock_timestamp() + $3::double precision * interval '1 millisecond')
  ON CONFLICT (id) DO UPDATE SET said = excluded.said, expires_at = excluded.expires_at`;
const leave = "/* presence.leave */ DELETE FROM processes WHERE id = $1";
/** Those whose time is not over. No parameters. */
const present = `/* presence.present */
  SELECT id, said::text FROM processes WHERE expires_at > clock_timestamp() ORDER BY id`;

/** Presence in PostgreSQL; brings the schema up to date first. With `sql` the connections are the caller's. */
export async function openPostgresPresence(source: PostgresSource): Promise<Presence & { close(): Promise<void> }> {
  const { sql, close } = await openMigrated(source);
  return {
    async report(id, said, forMs) {
      await sql.query(report, [id, JSON.stringify(said), forMs]);
    },
    async leave(id) {
      await sql.query(leave, [id]);
    },
    async present() {
      const rows = await sql.query(present, []);
      return rows.map(([id, said]) => ({ id: String(id), said: JSON.parse(String(said)) as unknown }));
    },
    close,
  };
}
