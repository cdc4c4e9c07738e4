import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { categoryOf } from "../../../domain/streams.ts";
import { isSqliteTrouble, openSqlite } from "../../engines/sqlite.ts";
import { type Decision, type PlannableRequest, type PlannedRow, planAppend } from "../append-plan.ts";
import { logFile, logMigrations } from "./schema.ts";

/**
 * The one writer of this process, in a thread of its own: a commit waits for the disk, and the thread that serves
 * requests must not.
 */

/** An event on its way to the writer: data and metadata as JSON, the time in milliseconds since 1970. */
export interface PackedEvent {
  readonly eventId: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  readonly recordedAt: number;
}

export interface WriteOrder {
  readonly id: number;
  readonly requests: readonly PlannableRequest<PackedEvent>[];
}

export type WriterMessage =
  | { readonly kind: "opened" }
  | { readonly kind: "closed" }
  /** Committed and fsynced. Rows stand at `before` + 1 and on. */
  | { readonly kind: "written"; readonly id: number; readonly decisions: readonly Decision[]; readonly before: number }
  | { readonly kind: "failed"; readonly id: number; readonly trouble: boolean; readonly error: unknown };

type Write = (requests: WriteOrder["requests"]) => { decisions: readonly Decision[]; before: number };

const writerCacheMegabytes = 64;

function createWrite(database: DatabaseSync): Write {
  const streamOfId = database.prepare("SELECT stream FROM events WHERE event_id = ?");
  const lastRevision = database.prepare("SELECT revision FROM events WHERE stream = ? ORDER BY revision DESC LIMIT 1");
  const lastPosition = database.prepare("SELECT max(position) AS position FROM events");
  const insertRow = database.prepare(`
    INSERT INTO events (position, stream, revision, category, event_id, type, data, metadata, recorded_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);

  const view = {
    streamOf(eventId: string): string | undefined {
      const stream = streamOfId.get(eventId)?.stream;
      return typeof stream === "string" ? stream : undefined;
    },
    revisionOf: (stream: string): number => Number(lastRevision.get(stream)?.revision ?? 0),
  };
  const insert = ({ stream, revision, event }: PlannedRow<PackedEvent>, position: number) => {
    const { eventId, type, data, metadata, recordedAt } = event;
    insertRow.run(position, stream, revision, categoryOf(stream), eventId, type, data, metadata, recordedAt);
  };

  return (requests) => {
    // Immediate: taken before anything is read, so that nothing changes between looking and writing.
    database.exec("BEGIN IMMEDIATE");
    try {
      const { decisions, rows } = planAppend(requests, view);
      const before = Number(lastPosition.get()?.position ?? 0);
      for (const [i, row] of rows.entries()) insert(row, before + i + 1);
      database.exec("COMMIT");
      return { decisions, before };
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  };
}

function serve(folder: string, port: NonNullable<typeof parentPort>): void {
  const database = openSqlite(logFile(folder), logMigrations, writerCacheMegabytes);
  const write = createWrite(database);
  const send = (message: WriterMessage) => port.postMessage(message);
  port.on("message", (order: WriteOrder | "close") => {
    if (order === "close") {
      // Now rather than at the next start. Passive: does not wait for other processes.
      database.exec("PRAGMA wal_checkpoint(PASSIVE)");
      database.close();
      send({ kind: "closed" });
      port.close();
      return;
    }
    try {
      send({ kind: "written", id: order.id, ...write(order.requests) });
    } catch (error) {
      send({ kind: "failed", id: order.id, trouble: isSqliteTrouble(error), error });
    }
  });
  send({ kind: "opened" });
}

// Imported for its types only, this file does nothing.
if (parentPort !== null && typeof workerData?.logFolder === "string") serve(workerData.logFolder, parentPort);
