import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** How long a statement waits for another process that writes, in milliseconds. */
const busyMs = 10_000;
/** Pages of 4 kB in the write-ahead log before it is copied into the database: fewer, larger copies write less twice. */
const checkpointPages = 8_000;

/**
 * Opens (and makes, with its folder) a durable database: a commit is fsynced before it returns, readers and one writer
 * do not wait for each other, and several processes may have it open.
 *
 * `migrations` are scripts, applied once each and in order; never edit one that was released. Throws where the file is
 * of a newer Proximal, or no database at all.
 */
export function openSqlite(file: string, migrations: readonly string[], cacheMegabytes = 16): DatabaseSync {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(file, { timeout: busyMs });
  try {
    useWriteAheadLog(database);
    database.exec(`
      PRAGMA synchronous = FULL;
      PRAGMA fullfsync = ON;
      PRAGMA checkpoint_fullfsync = ON;
      PRAGMA cache_size = -${cacheMegabytes * 1024};
      PRAGMA wal_autocheckpoint = ${checkpointPages};
      PRAGMA journal_size_limit = ${checkpointPages * 4096};
    `);
    migrate(database, file, migrations);
  } catch (error) {
    database.close();
    throw error;
  }
  // A new file's name stands in its folder, which has to reach the disk as well.
  syncFolder(folder);
  syncFolder(dirname(folder));
  return database;
}

/** A second connection for reading, to a database that {@link openSqlite} holds open. */
export function openSqliteReader(file: string, cacheMegabytes = 16): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true, timeout: busyMs });
  database.exec(`PRAGMA cache_size = -${cacheMegabytes * 1024}`);
  return database;
}

/** Whether an error says that the engine cannot now: busy, locked, disk full, I/O error and the like, no bug of ours. */
export function isSqliteTrouble(error: unknown): error is Error {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return false;
  // The lowest byte is the primary result code: NOMEM 7, READONLY 8, IOERR 10, CORRUPT 11, FULL 13, CANTOPEN 14.
  return [5, 6, 7, 8, 10, 11, 13, 14].includes(error.errcode & 0xff);
}

/** The change of mode wants the file for itself and does not wait for it: other processes may be opening it too. */
function useWriteAheadLog(database: DatabaseSync): void {
  const end = Date.now() + busyMs;
  for (;;) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isSqliteTrouble(error) || Date.now() > end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

function migrate(database: DatabaseSync, file: string, migrations: readonly string[]): void {
  if (versionOf(database) === migrations.length) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    // Read again: another process may have migrated while this one waited for the lock.
    const version = versionOf(database);
    if (version > migrations.length) throw new Error(`${file} was written by a newer Proximal: upgrade this one`);
    for (const script of migrations.slice(version)) database.exec(script);
    database.exec(`PRAGMA user_version = ${migrations.length}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.user_version);
}

function syncFolder(folder: string): void {
  // Windows cannot open a folder, and does not need it.
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
