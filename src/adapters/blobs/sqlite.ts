import { join } from "node:path";
import type { Blobs } from "../../ports/blobs.ts";
import { openSqlite } from "../engines/sqlite.ts";

const migrations = [
  `
  CREATE TABLE blobs (
    -- Grows with each write: orders the names of a kind by their last write.
    written INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (kind, name)
  ) STRICT;
  `,
];

/**
 * Blobs in a file of their own beside the log, so that megabytes of weights do not pass through the log's writer.
 * Writes are few and wait for the disk on the calling thread.
 */
export async function openSqliteBlobs(options: {
  readonly folder: string;
}): Promise<Blobs & { close(): Promise<void> }> {
  const database = openSqlite(join(options.folder, "blobs.sqlite"), migrations);
  // REPLACE takes the old row out and gives the new one a new number.
  const put = database.prepare("INSERT OR REPLACE INTO blobs (kind, name, bytes) VALUES (?, ?, ?)");
  const putNew = database.prepare("INSERT OR IGNORE INTO blobs (kind, name, bytes) VALUES (?, ?, ?)");
  const get = database.prepare("SELECT bytes FROM blobs WHERE kind = ? AND name = ?");
  const names = database.prepare("SELECT name FROM blobs WHERE kind = ? ORDER BY written");
  const remove = database.prepare("DELETE FROM blobs WHERE kind = ? AND name = ?");
  const read = (kind: string, name: string): Buffer | null => {
    const bytes = get.get(kind, name)?.bytes;
    return bytes instanceof Uint8Array ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : null;
  };
  return {
    async put(kind, name, bytes) {
      put.run(kind, name, bytes);
    },
    async putNew(kind, name, bytes) {
      putNew.run(kind, name, bytes);
      return read(kind, name) ?? Buffer.from(bytes);
    },
    get: async (kind, name) => read(kind, name),
    names: async (kind) => names.all(kind).map((row) => String(row.name)),
    async remove(kind, name) {
      remove.run(kind, name);
    },
    async close() {
      if (database.isOpen) database.close();
    },
  };
}
