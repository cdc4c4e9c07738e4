import type { Lease } from "../../ports/lease.ts";
import { openMigrated, type PostgresSource } from "../engines/open-migrated.ts";

/**
 * Takes or prolongs a lease, in one statement and by the server's clock, so that it works through a pooler and however
 * wrong the clocks of the processes are. One row where the caller holds it now, none where another does.
 * A lease that would end later than any that is taken now can only be from before the clock was set back: it has ended.
 * Invariant: the token grows with each change of holder, and with nothing else.
 * Parameters: name, holder, milliseconds.
 */
const take = `
  INSERT INTO leases AS held (name, holder, token, expires_at)
  VALUES ($1, $2, 1, clock_timestamp() + $3::double precision * interval '1 millisecond')
  ON CONFLICT (name) DO UPDATE SET
    holder = excluded.holder,
    token = held.token + (held.holder <> excluded.holder)::int,
    expires_at = excluded.expires_at
  WHERE held.holder = excluded.holder OR held.expires_at <= clock_timestamp()
    OR held.expires_at > clock_timestamp() + 2 * $3::double precision * interval '1 millisecond'
  RETURNING token`;
/** Ends a lease early. The row stays, since the next token must be greater. Parameters: name, holder. */
const release = "UPDATE leases SET expires_at = '-infinity' WHERE name = $1 AND holder = $2";

/** Leases in PostgreSQL; brings the schema up to date first. With `sql` the connections are the caller's. */
export async function openPostgresLease(source: PostgresSource): Promise<Lease & { close(): Promise<void> }> {
  const { sql, close } = await openMigrated(source);
  return {
    async take(name, holder, forMs) {
      const [row] = await sql.query(take, [name, holder, forMs]);
      return row === undefined ? null : { token: Number(row[0]) };
    },
    async release(name, holder) {
      await sql.query(release, [name, holder]);
    },
    close,
  };
}
