import { join } from "node:path";
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import {
  type ClaimedReplay,
  type Replay,
  type ReplayClaim,
  ReplayClaimLost,
  type ReplayStore,
} from "../../ports/replay-store.ts";
import { openSqlite } from "../engines/sqlite.ts";
import { byStateOf, claimedOf, endOf, toReplay } from "./rows.ts";

const migrations = [
  `
  CREATE TABLE replays (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    input TEXT NOT NULL,
    idempotency_key TEXT,
    requested_by TEXT,
    created_at REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    -- Claims so far: the last one is the one that may write.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Claims since the last checkpoint that were not given up in good order.
    tries INTEGER NOT NULL DEFAULT 0,
    -- Until then nobody else may claim it.
    claimed_until REAL NOT NULL DEFAULT 0,
    started_at REAL,
    ended_at REAL,
    done REAL,
    total REAL,
    checkpoint TEXT,
    summary TEXT,
    error TEXT
  ) STRICT;
  CREATE UNIQUE INDEX replays_idempotency ON replays (coalesce(requested_by, ''), idempotency_key)
    WHERE idempotency_key IS NOT NULL;
  CREATE INDEX replays_open ON replays (number) WHERE state IN ('queued', 'running');
  CREATE TABLE replay_files (
    replay_id TEXT NOT NULL REFERENCES replays (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes INTEGER NOT NULL DEFAULT 0,
    -- Its length at the last checkpoint; null for a file made since.
    saved_bytes INTEGER,
    PRIMARY KEY (replay_id, name)
  ) STRICT;
  CREATE TABLE replay_chunks (
    replay_id TEXT NOT NULL,
    name TEXT NOT NULL,
    start INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (replay_id, name, start),
    FOREIGN KEY (replay_id, name) REFERENCES replay_files (replay_id, name) ON DELETE CASCADE
  ) STRICT;
  `,
];

const columns = `number, id, kind, input, idempotency_key, requested_by, created_at, state, attempts, started_at, ended_at,
  done, total, summary, error,
  (SELECT json_group_array(json_array(name, media_type, bytes)) FROM
    (SELECT name, media_type, bytes FROM replay_files WHERE replay_id = id ORDER BY name)) AS files`;
const open = "state IN ('queued', 'running')";
const due = `${open} AND claimed_until <= ?`;
const held = "id = ? AND attempts = ? AND state = 'running'";

type Row = Record<string, SQLOutputValue>;

/**
 * Replays in a file of their own beside the log. Several processes may have it open: the server, the one that works on a
 * replay, and the command line. Calls are short and wait for the disk on the calling thread.
 */
export async function openSqliteReplayStore(options: {
  readonly folder: string;
}): Promise<ReplayStore & { close(): Promise<void> }> {
  const database = openSqlite(join(options.folder, "replays.sqlite"), migrations);
  const prepared = new Map<string, ReturnType<typeof database.prepare>>();
  const statement = (sql: string) => {
    const known = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  const run = (sql: string, ...params: SQLInputValue[]): number => Number(statement(sql).run(...params).changes);
  const one = (sql: string, ...params: SQLInputValue[]): Row | undefined => statement(sql).get(...params);
  const all = (sql: string, ...params: SQLInputValue[]): Row[] => statement(sql).all(...params);

  /** All of `work` or nothing, with the lock for writing taken at its beginning. */
  function atOnce<T>(work: () => T): T {
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }
  /** The same, for who holds the claim. */
  function holding(claim: ReplayClaim, work: () => void): void {
    atOnce(() => {
      if (one(`SELECT 1 FROM replays WHERE ${held}`, claim.id, claim.attempt) === undefined) {
        throw new ReplayClaimLost(claim.id);
      }
      work();
    });
  }
  const get = (id: string): Replay | null => {
    const row = one(`SELECT ${columns} FROM replays WHERE id = ?`, id);
    return row === undefined ? null : replayOf(row);
  };

  return {
    async add(replay, openMax) {
      const { id, kind, input, idempotencyKey: key, requestedBy, createdAt } = replay;
      return atOnce(() => {
        const known = one(
          "SELECT id FROM replays WHERE coalesce(requested_by, '') = coalesce(?, '') AND idempotency_key = ?",
          ...[requestedBy, key],
        );
        if (known !== undefined) return { status: "known", replay: got(get(String(known.id))) };
        const waiting = Number(one(`SELECT count(*) AS n FROM replays WHERE ${open}`)?.n);
        if (waiting >= openMax) return { status: "full", open: waiting };
        run(
          `INSERT INTO replays (id, kind, input, idempotency_key, requested_by, created_at, state)
           VALUES (?, ?, ?, ?, ?, ?, 'queued')`,
          ...[id, kind, JSON.stringify(input), key, requestedBy, createdAt],
        );
        return { status: "added", replay: got(get(id)) };
      });
    },
    get: async (id) => get(id),
    async list({ limit, before = Number.MAX_SAFE_INTEGER, kind = null, state = null }) {
      return all(
        `SELECT ${columns} FROM replays WHERE number < ? AND kind = coalesce(?, kind) AND state = coalesce(?, state)
         ORDER BY number DESC LIMIT ?`,
        ...[before, kind, state, limit],
      ).map(replayOf);
    },
    async due(now, limit) {
      return all(`SELECT id FROM replays WHERE ${due} ORDER BY number LIMIT ?`, now, limit).map(({ id }) => String(id));
    },
    async counts(now) {
      const states = all("SELECT state, count(*) AS n, min(created_at) AS oldest FROM replays GROUP BY state");
      const oldest = states.find(({ state }) => state === "queued")?.oldest;
      const bytes = one("SELECT coalesce(sum(bytes), 0) AS bytes FROM replay_files")?.bytes;
      return {
        byState: byStateOf(states.map(({ state, n }) => [String(state), Number(n)])),
        oldestQueuedMs: typeof oldest === "number" ? Math.max(0, now - oldest) : null,
        fileBytes: Number(bytes),
      };
    },
    async claim(id, now, until): Promise<ClaimedReplay | null> {
      return atOnce(() => {
        const claimed = one(
          `UPDATE replays SET state = 'running', attempts = attempts + 1, tries = tries + 1, claimed_until = ?,
             started_at = coalesce(started_at, ?)
           WHERE id = ? AND ${due} RETURNING attempts, tries, checkpoint`,
          ...[until, now, id, now],
        );
        if (claimed === undefined) return null;
        run("DELETE FROM replay_files WHERE replay_id = ? AND saved_bytes IS NULL", id);
        run(
          `DELETE FROM replay_chunks WHERE replay_id = ? AND start >= (SELECT saved_bytes FROM replay_files f
             WHERE f.replay_id = replay_chunks.replay_id AND f.name = replay_chunks.name)`,
          id,
        );
        run("UPDATE replay_files SET bytes = saved_bytes WHERE replay_id = ?", id);
        const { attempts, tries, checkpoint } = claimed;
        return claimedOf(got(get(id)), attempts, tries, checkpoint);
      });
    },
    async keep(claim, until, progress) {
      const kept = run(
        `UPDATE replays SET claimed_until = ?, done = coalesce(?, done), total = CASE WHEN ? IS NULL THEN total ELSE ? END
         WHERE ${held}`,
        ...[until, progress?.done ?? null, progress?.done ?? null, progress?.total ?? null, claim.id, claim.attempt],
      );
      if (kept === 0) throw new ReplayClaimLost(claim.id);
    },
    async addFile(claim, name, mediaType) {
      holding(claim, () => {
        run(
          "INSERT OR IGNORE INTO replay_files (replay_id, name, media_type) VALUES (?, ?, ?)",
          claim.id,
          name,
          mediaType,
        );
      });
    },
    async append(claim, name, offset, bytes) {
      holding(claim, () => {
        const grown = run(
          "UPDATE replay_files SET bytes = bytes + ? WHERE replay_id = ? AND name = ? AND bytes = ?",
          ...[bytes.length, claim.id, name, offset],
        );
        if (grown === 0) throw new Error(`${name} does not end at ${offset}`);
        run(
          "INSERT INTO replay_chunks (replay_id, name, start, bytes) VALUES (?, ?, ?, ?)",
          claim.id,
          name,
          offset,
          bytes,
        );
      });
    },
    async checkpoint(claim, state) {
      holding(claim, () => {
        run("UPDATE replays SET checkpoint = ?, tries = 0 WHERE id = ?", JSON.stringify(state), claim.id);
        run("UPDATE replay_files SET saved_bytes = bytes WHERE replay_id = ?", claim.id);
      });
    },
    async release(claim, dueAt, excused) {
      run(
        `UPDATE replays SET state = 'queued', claimed_until = ?, tries = max(0, tries - ?) WHERE ${held}`,
        ...[dueAt, excused ? 1 : 0, claim.id, claim.attempt],
      );
    },
    async finish(claim, outcome, now) {
      const ended = run(
        `UPDATE replays SET state = ?, summary = ?, error = ?, ended_at = ?, checkpoint = NULL WHERE ${held}`,
        ...[...endOf(outcome), now, claim.id, claim.attempt],
      );
      if (ended === 0) throw new ReplayClaimLost(claim.id);
    },
    async cancel(id, now) {
      return atOnce(() => {
        const ended = run(
          `UPDATE replays SET state = 'cancelled', ended_at = ?, checkpoint = NULL WHERE id = ? AND ${open}`,
          ...[now, id],
        );
        if (ended > 0) run("DELETE FROM replay_files WHERE replay_id = ?", id);
        return ended > 0;
      });
    },
    remove: async (id) => run("DELETE FROM replays WHERE id = ?", id) > 0,
    async removeEndedBefore(time, limit) {
      return run(
        "DELETE FROM replays WHERE number IN (SELECT number FROM replays WHERE ended_at < ? ORDER BY number LIMIT ?)",
        ...[time, limit],
      );
    },
    async read(id, name, offset) {
      const row = one(
        `SELECT start, bytes FROM replay_chunks WHERE replay_id = ? AND name = ? AND start <= ?
         ORDER BY start DESC LIMIT 1`,
        ...[id, name, offset],
      );
      if (!(row?.bytes instanceof Uint8Array)) return Buffer.alloc(0);
      const { buffer, byteOffset, byteLength } = row.bytes;
      return Buffer.from(buffer, byteOffset, byteLength).subarray(offset - Number(row.start));
    },
    async close() {
      if (database.isOpen) database.close();
    },
  };
}

/** It was stored in the same transaction. */
function got<T>(value: T | null): T {
  if (value === null) throw new Error("a replay that was just stored is not there");
  return value;
}

const replayOf = (row: Row): Replay =>
  toReplay(Object.values(row).map((value) => (value === null ? null : String(value))));
