import type { Blobs } from "../../ports/blobs.ts";
import { openMigrated, type PostgresSource } from "../engines/open-migrated.ts";

/** Parameters: kind, name, bytes. An overwritten blob counts as written now. */
const put = `
  /* blobs.put */ INSERT INTO blobs (kind, name, bytes) VALUES ($1, $2, $3)
  ON CONFLICT (kind, name) DO UPDATE SET bytes = excluded.bytes, written = excluded.written`;
/** Parameters: kind, name, bytes. */
const putNew = `
  /* blobs.put-new */ INSERT INTO blobs (kind, name, bytes) VALUES ($1, $2, $3) ON CONFLICT (kind, name) DO NOTHING`;
/** Parameters: kind, name. */
const get = "/* blobs.get */ SELECT bytes FROM blobs WHERE kind = $1 AND name = $2";
/** Parameter: kind. */
const names = "/* blobs.names */ SELECT name FROM blobs WHERE kind = $1 ORDER BY written";
/** Parameters: kind, name. */
const remove = "/* blobs.remove */ DELETE FROM blobs WHERE kind = $1 AND name = $2";

/** Blobs in PostgreSQL; brings the schema up to date first. With `sql` the connections are the caller's. */
export async function openPostgresBlobs(source: PostgresSource): Promise<Blobs & { close(): Promise<void> }> {
  const { sql, close } = await openMigrated(source);
  async function read(kind: string, name: string): Promise<Buffer | null> {
    const [row] = await sql.query(get, [kind, name]);
    const hex = row?.[0];
    // The text form of bytea is \x and two digits a byte.
    return typeof hex === "string" ? Buffer.from(hex.slice(2), "hex") : null;
  }
  return {
    async put(kind, name, bytes) {
      await sql.query(put, [kind, name, bytes]);
    },
    async putNew(kind, name, bytes) {
      await sql.query(putNew, [kind, name, bytes]);
      return (await read(kind, name)) ?? Buffer.from(bytes);
    },
    get: read,
    names: async (kind) => (await sql.query(names, [kind])).map(([name]) => name ?? ""),
    async remove(kind, name) {
      await sql.query(remove, [kind, name]);
    },
    close,
  };
}
