import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { type EventStore, LogUnavailable, type StoredEvent } from "../../../ports/event-store.ts";
import type { Backlog, Feed, FeedFilter, FeedPage } from "../../../ports/feed.ts";
import { isoTime } from "../../engines/iso-time.ts";
import { isSqliteTrouble } from "../../engines/sqlite.ts";
import { checkLimit, checkPosition, checkStream } from "../checks.ts";

const columns = "position, revision, recorded_at, event_id, stream, type, data, metadata";
const ofTypes = "AND type IN (SELECT value FROM json_each(?))";

/** A page filtered by type looks at so many positions at the most: this thread does nothing else meanwhile. */
const typeWindow = 10_000;

export interface SqliteReader extends Pick<EventStore, "readStream">, Pick<Feed, "read" | "head" | "behind"> {
  byId(eventIds: readonly string[]): Map<string, StoredEvent>;
  headNow(): number;
  /** Changes with each commit of another connection. */
  dataVersion(): number;
}

/**
 * Reads on the calling thread: a page takes a millisecond or so. No statement needs a snapshot that spans others,
 * because positions are given out in the order of the commits: what stands up to a head read before stays as it is.
 */
export function createSqliteReader(database: DatabaseSync): SqliteReader {
  const statements = new Map<string, StatementSync>();
  /** Statements are few (their number depends on how many categories callers name), so all are kept prepared. */
  function all(text: string, ...params: SQLInputValue[]): Record<string, SQLOutputValue>[] {
    try {
      const statement = statements.get(text) ?? database.prepare(text);
      statements.set(text, statement);
      return statement.all(...params);
    } catch (error) {
      throw isSqliteTrouble(error) ? new LogUnavailable(error.message, { cause: error }) : error;
    }
  }
  const headNow = () => Number(all("SELECT max(position) AS position FROM events")[0]?.position ?? 0);

  function readPage(after: number, limit: number): FeedPage {
    const text = `SELECT ${columns} FROM events WHERE position > ? ORDER BY position LIMIT ?`;
    const events = all(text, after, limit).map(toStored);
    return { events, position: events[events.length - 1]?.position ?? after, atHead: events.length < limit };
  }

  function readFiltered(after: number, limit: number, { categories, types }: FeedFilter): FeedPage {
    const head = headNow();
    const upto = types === undefined ? head : Math.min(head, after + typeWindow);
    const rows =
      categories === undefined
        ? all(
            `SELECT ${columns} FROM events WHERE position > ? AND position <= ? ${ofTypes} ORDER BY position LIMIT ?`,
            after,
            upto,
            JSON.stringify(types),
            limit,
          )
        : readCategories([...new Set(categories)], after, upto, limit, types);
    const events = rows.map(toStored);
    const reached = events.length === limit ? events[events.length - 1]?.position : upto;
    const position = Math.max(after, reached ?? after);
    return { events, position, atHead: position >= head };
  }

  /** One range of the index for each category, merged. */
  function readCategories(
    categories: readonly string[],
    after: number,
    upto: number,
    limit: number,
    types: readonly string[] | undefined,
  ): Record<string, SQLOutputValue>[] {
    if (categories.length === 0) return [];
    const one = `SELECT * FROM (SELECT ${columns} FROM events INDEXED BY events_category_position
      WHERE category = ? AND position > ? AND position <= ? ${types === undefined ? "" : ofTypes}
      ORDER BY position LIMIT ?)`;
    const text = `${categories.map(() => one).join(" UNION ALL ")} ORDER BY position LIMIT ?`;
    const typesParam = types === undefined ? [] : [JSON.stringify(types)];
    const params = categories.flatMap((category) => [category, after, upto, ...typesParam, limit]);
    return all(text, ...params, limit);
  }

  function behind(after: number, filter: FeedFilter = {}): Backlog {
    const categories = filter.categories === undefined ? "" : "AND category IN (SELECT value FROM json_each(?))";
    const types = filter.types === undefined ? "" : ofTypes;
    const params = [filter.categories, filter.types].flatMap((list) =>
      list === undefined ? [] : [JSON.stringify(list)],
    );
    const where = `WHERE position > ? ${categories} ${types}`;
    const counted = all(`SELECT count(*) AS events, min(position) AS first FROM events ${where}`, after, ...params)[0];
    return { events: Number(counted?.events ?? 0), oldestRecordedAt: recordedAt(Number(counted?.first ?? 0)) };
  }

  function recordedAt(position: number): string | null {
    const [row] = all("SELECT recorded_at FROM events WHERE position = ?", position);
    return row === undefined ? null : toTime(row.recorded_at);
  }

  return {
    async readStream(stream, { from, direction = "forwards", limit }) {
      checkStream(stream);
      checkLimit(limit);
      const [compare, order, start] =
        direction === "forwards" ? [">=", "ASC", from ?? 1] : ["<=", "DESC", from ?? Number.MAX_SAFE_INTEGER];
      const where = `WHERE stream = ? AND revision ${compare} ? ORDER BY revision ${order} LIMIT ?`;
      return all(`SELECT ${columns} FROM events ${where}`, stream, start, limit).map(toStored);
    },
    async read(after, limit, filter) {
      checkPosition(after);
      checkLimit(limit);
      const filtered = filter?.categories !== undefined || filter?.types !== undefined;
      return filtered ? readFiltered(after, limit, filter) : readPage(after, limit);
    },
    head: async () => headNow(),
    async behind(after, filter) {
      checkPosition(after);
      if (filter?.categories !== undefined || filter?.types !== undefined) return behind(after, filter);
      // Positions have no gaps, so there is nothing to count.
      return { events: Math.max(0, headNow() - after), oldestRecordedAt: recordedAt(after + 1) };
    },
    byId(eventIds) {
      const text = `SELECT ${columns} FROM events WHERE event_id IN (SELECT value FROM json_each(?))`;
      return new Map(all(text, JSON.stringify(eventIds)).map((row) => [String(row.event_id), toStored(row)]));
    },
    headNow,
    dataVersion: () => Number(all("PRAGMA data_version")[0]?.data_version),
  };
}

function toTime(milliseconds: SQLOutputValue | undefined): string {
  return isoTime(Number(milliseconds));
}

function toStored(row: Record<string, SQLOutputValue>): StoredEvent {
  return {
    position: Number(row.position),
    revision: Number(row.revision),
    recordedAt: toTime(row.recorded_at),
    eventId: String(row.event_id),
    stream: String(row.stream),
    type: String(row.type),
    data: JSON.parse(String(row.data)),
    metadata: parsedMetadata(String(row.metadata)),
  };
}

let last = { text: "{}", metadata: {} };

/** One event after the other has the same: it is parsed once. */
function parsedMetadata(text: string): StoredEvent["metadata"] {
  if (text !== last.text) last = { text, metadata: Object.freeze(JSON.parse(text)) };
  return last.metadata;
}
