import type { EventStore, StoredEvent } from "../../ports/event-store.ts";
import type { Backlog, Feed, FeedFilter, FeedPage } from "../../ports/feed.ts";
import { arrayLiteral, type SqlRow, type SqlSession } from "../engines/sql.ts";
import { checkLimit, checkPosition, checkStream } from "./checks.ts";
import type { EventsAt } from "./postgres-append.ts";
import * as statements from "./postgres-statements.ts";

type Query = SqlSession["query"];

/** A page filtered by type looks at so many positions at the most; reading them takes some 20 ms. */
const typeWindow = 50_000;
const noWindow = 2 ** 53;

export function createPostgresReader(
  query: Query,
): Pick<EventStore, "readStream"> & Pick<Feed, "read" | "head" | "behind"> & { readonly eventsAt: EventsAt } {
  return {
    async eventsAt(positions) {
      const rows = await query(statements.eventsAt, [arrayLiteral(positions)]);
      return rows.map(toStored);
    },
    async readStream(stream, { from, direction = "forwards", limit }) {
      checkStream(stream);
      checkLimit(limit);
      const rows =
        direction === "forwards"
          ? await query(statements.streamForwards, [stream, from ?? 1, limit])
          : await query(statements.streamBackwards, [stream, from ?? Number.MAX_SAFE_INTEGER, limit]);
      return rows.map(toStored);
    },
    async read(after, limit, filter) {
      checkPosition(after);
      checkLimit(limit);
      return isFiltered(filter) ? readFiltered(query, after, limit, filter) : readPage(query, after, limit);
    },
    async head() {
      const [row] = await query(statements.head, []);
      return Number(row?.[0]);
    },
    async behind(after, filter) {
      checkPosition(after);
      return isFiltered(filter) ? behindFiltered(query, after, filter) : behindAll(query, after);
    },
  };
}

function isFiltered(filter: FeedFilter | undefined): filter is FeedFilter {
  return filter?.categories !== undefined || filter?.types !== undefined;
}

async function readPage(query: Query, after: number, limit: number): Promise<FeedPage> {
  const events = (await query(statements.page, [after, limit])).map(toStored);
  const position = events[events.length - 1]?.position ?? after;
  return { events, position, atHead: events.length < limit };
}

async function readFiltered(query: Query, after: number, limit: number, filter: FeedFilter): Promise<FeedPage> {
  const window = filter.types === undefined ? noWindow : typeWindow;
  const rows =
    filter.categories === undefined
      ? await query(statements.pageOfTypes, [after, limit, window, literal(filter.types)])
      : await query(statements.pageOfCategories, [
          after,
          limit,
          window,
          literal(filter.categories),
          literal(filter.types),
        ]);
  const [head, upto] = (rows[0] ?? []).map(Number);
  const events = rows.filter((row) => row[2] !== null).map((row) => toStored(row.slice(2)));
  const last = events[events.length - 1];
  const reached = events.length === limit ? last?.position : upto;
  const position = Math.max(after, reached ?? after);
  return { events, position, atHead: position >= (head ?? 0) };
}

async function behindAll(query: Query, after: number): Promise<Backlog> {
  const [row] = await query(statements.behind, [after]);
  return { events: Math.max(0, Number(row?.[0]) - after), oldestRecordedAt: toTime(row?.[1] ?? null) };
}

async function behindFiltered(query: Query, after: number, filter: FeedFilter): Promise<Backlog> {
  const params = [after, literal(filter.categories), literal(filter.types)];
  const [row] = await query(statements.behindFiltered, params);
  return { events: Number(row?.[0]), oldestRecordedAt: toTime(row?.[1] ?? null) };
}

function literal(values: readonly string[] | undefined): string | null {
  return values === undefined ? null : arrayLiteral([...new Set(values)]);
}

function toTime(milliseconds: string | null): string | null {
  return milliseconds === null ? null : new Date(Math.round(Number(milliseconds))).toISOString();
}

/** From the columns of postgres-statements.ts. */
export function toStored(row: SqlRow): StoredEvent {
  const [position, revision, recordedAt, eventId, stream, type, data, metadata] = row;
  return {
    position: Number(position),
    revision: Number(revision),
    recordedAt: toTime(recordedAt ?? null) ?? "",
    eventId: eventId ?? "",
    stream: stream ?? "",
    type: type ?? "",
    data: JSON.parse(data ?? "null"),
    metadata: JSON.parse(metadata ?? "null"),
  };
}
