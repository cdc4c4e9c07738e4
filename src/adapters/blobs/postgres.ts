import type { Blobs } from "../../ports/blobs.ts";
import { migrate } from "../engines/migrate.ts";
import { createPostgres, type PostgresOptions } from "../engines/postgres.ts";
import type { Sql } from "../engines/sql.ts";

/** Parameters: kind, name, bytes. An overwritten blob counts as written now. */
const put = `
  INSERT INTO blobs (kind, name, bytes) VALUES ($1, $2, $3)
  ON CONFLICT (kind, name) DO UPDATE SET bytes = excluded.bytes, written = excluded.written`;
/** Parameters: kind, name. */
const get = "SELECT bytes FROM blobs WHERE kind = $1 AND name = $2";
/** Parameter: kind. */
const names = "SELECT name FROM blobs WHERE kind = $1 ORDER BY written";
/** Parameters: kind, name. */
const remove = "DELETE FROM blobs WHERE kind = $1 AND name = $2";

/** Blobs in PostgreSQL; brings the schema up to date first. With `sql` the connections are the caller's. */
export async function openPostgresBlobs(
  options: PostgresOptions | { readonly sql: Sql },
): Promise<Blobs & { close(): Promise<void> }> {
  const owned = "sql" in options ? null : createPostgres(options);
  const sql = "sql" in options ? options.sql : (owned ?? createPostgres(options));
  await migrate(sql);
  return {
    async put(kind, name, bytes) {
      await sql.query(put, [kind, name, bytes]);
    },
    async get(kind, name) {
      const [row] = await sql.query(get, [kind, name]);
      const hex = row?.[0];
      // The text form of bytea is \x and two digits a byte.
      return typeof hex === "string" ? Buffer.from(hex.slice(2), "hex") : null;
    },
    names: async (kind) => (await sql.query(names, [kind])).map(([name]) => name ?? ""),
    async remove(kind, name) {
      await sql.query(remove, [kind, name]);
    },
    async close() {
      await owned?.close();
    },
  };
}
