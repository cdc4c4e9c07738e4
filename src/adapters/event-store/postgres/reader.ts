import type { EventArchive } from "../../../ports/event-archive.ts";
import { type EventStore, LogUnavailable, type StoredEvent } from "../../../ports/event-store.ts";
import type { Backlog, Feed, FeedFilter, FeedPage } from "../../../ports/feed.ts";
import { isoTime } from "../../engines/iso-time.ts";
import { arrayLiteral, type SqlRow, type SqlStatements } from "../../engines/sql.ts";
import { checkLimit, checkPosition, checkStream } from "../checks.ts";
import type { EventsAt } from "./append.ts";
import { type ArchivedReads, createArchivedReads } from "./archived-reads.ts";
import * as statements from "./statements.ts";

type Query = SqlStatements["query"];

/** A page filtered by type looks at so many positions at the most; reading them takes some 20 ms. */
const typeWindow = 50_000;
const noWindow = 2 ** 53;

/** The log as it is read, its archived part too. `archive` null: there is none. */
export function createPostgresReader(
  session: SqlStatements,
  archive: EventArchive | null = null,
): Pick<EventStore, "readStream"> & Pick<Feed, "read" | "head" | "behind"> & { readonly eventsAt: EventsAt } {
  const { query } = session;
  const archived = createArchivedReads(query, archive);
  return {
    eventsAt: (positions) => readAt(query, archived, positions),
    async readStream(stream, { from, direction = "forwards", limit }) {
      checkStream(stream);
      checkLimit(limit);
      return direction === "forwards"
        ? streamForwards(query, archived, stream, from ?? 1, limit)
        : streamBackwards(query, archived, stream, from ?? Number.MAX_SAFE_INTEGER, limit);
    },
    async read(after, limit, filter) {
      checkPosition(after);
      checkLimit(limit);
      return isFiltered(filter)
        ? readFiltered(session, archived, after, limit, filter)
        : readPage(session, archived, after, limit);
    },
    async head() {
      const [row] = await query(statements.head, []);
      return Number(row?.[0]);
    },
    async behind(after, filter) {
      checkPosition(after);
      return isFiltered(filter) ? behindFiltered(query, archived, after, filter) : behindAll(query, archived, after);
    },
  };
}

function isFiltered(filter: FeedFilter | undefined): filter is FeedFilter {
  return filter?.categories !== undefined || filter?.types !== undefined;
}

async function readAt(query: Query, archived: ArchivedReads, positions: readonly number[]): Promise<StoredEvent[]> {
  const events = (await query(statements.eventsAt, [arrayLiteral(positions)])).map(toStored);
  if (events.length === positions.length) return events;
  const here = new Set(events.map(({ position }) => position));
  return [...(await archived.at(positions.filter((position) => !here.has(position)))), ...events];
}

/** Between two looks a segment may move to the archive, or an event be appended: then both are looked at again. */
const looksMax = 5;

async function readWhole(look: () => Promise<StoredEvent[] | null>): Promise<StoredEvent[]> {
  for (let looks = 0; looks < looksMax; looks += 1) {
    const events = await look();
    if (events !== null) return events;
  }
  throw new LogUnavailable("a part of the log is moving to the archive just now");
}

/** Revisions have no gap: what does not begin where it was asked for has its beginning in the archive. */
function streamForwards(query: Query, archived: ArchivedReads, stream: string, from: number, limit: number) {
  return readWhole(async () => {
    const here = (await query(statements.streamForwards, [stream, from, limit])).map(toStored);
    const first = here[0]?.revision ?? Number.MAX_SAFE_INTEGER;
    const start = Math.max(from, 1);
    if (first <= start) return here;
    const before = await archived.stream(stream, { from: start, to: first - 1, limit, last: false });
    return before === null ? null : [...before, ...here].slice(0, limit);
  });
}

function streamBackwards(query: Query, archived: ArchivedReads, stream: string, from: number, limit: number) {
  return readWhole(async () => {
    const here = (await query(statements.streamBackwards, [stream, from, limit])).map(toStored);
    const to = here.length === 0 ? from : (here[here.length - 1]?.revision ?? 1) - 1;
    if (here.length === limit || to < 1) return here;
    const before = await archived.stream(stream, { from: 1, to, limit: limit - here.length, last: true });
    return before === null ? null : [...here, ...before];
  });
}

async function readPage(
  session: SqlStatements,
  archived: ArchivedReads,
  after: number,
  limit: number,
): Promise<FeedPage> {
  const events: StoredEvent[] = [];
  await session.each(statements.page, [after, limit], (row) => events.push(toStored(row)));
  const first = events[0];
  // Positions have no gap: a page that does not begin with the next one has its beginning in the archive.
  const gone = first === undefined ? await archivedTo(session.query) : first.position - 1;
  if (gone > after) {
    return throughArchive(archived, after, limit, {}, (from, rest) => readPage(session, archived, from, rest));
  }
  const position = events[events.length - 1]?.position ?? after;
  return { events, position, atHead: events.length < limit };
}

/** A page that begins in the archive, and goes on in the log where that ends. */
async function throughArchive(
  archived: ArchivedReads,
  after: number,
  limit: number,
  filter: FeedFilter,
  goOn: (from: number, limit: number) => Promise<FeedPage>,
): Promise<FeedPage> {
  const { ended, ...page } = await archived.page(after, limit, filter);
  // Nothing of it there either: it has moved between the two looks, and the next page will find it.
  if (!ended || page.position === after || page.events.length >= limit) return page;
  const rest = await goOn(page.position, limit - page.events.length);
  return { events: [...page.events, ...rest.events], position: rest.position, atHead: rest.atHead };
}

async function archivedTo(query: Query): Promise<number> {
  const [row] = await query(statements.archivedTo, []);
  return Number(row?.[0]);
}

async function readFiltered(
  session: SqlStatements,
  archived: ArchivedReads,
  after: number,
  limit: number,
  filter: FeedFilter,
): Promise<FeedPage> {
  const window = filter.types === undefined ? noWindow : typeWindow;
  const events: StoredEvent[] = [];
  const bounds: SqlRow[] = [];
  const stored = filter.parseLate === true ? storedLate : storedAt;
  const take = (row: SqlRow): void => {
    if (bounds.length === 0) bounds.push(row);
    else events.push(stored(row, 3));
  };
  await (filter.categories === undefined
    ? session.each(statements.pageOfTypes, [after, limit, window, literal(filter.types)], take)
    : session.each(
        statements.pageOfCategories,
        [after, limit, window, literal(filter.categories), literal(filter.types)],
        take,
      ));
  const [head, upto, gone] = bounds[0] ?? [];
  if (gone === "t") {
    const goOn = (from: number, rest: number) => readFiltered(session, archived, from, rest, filter);
    return throughArchive(archived, after, limit, filter, goOn);
  }
  const last = events[events.length - 1];
  const reached = events.length === limit ? last?.position : Number(upto);
  const position = Math.max(after, reached ?? after);
  return { events, position, atHead: position >= Number(head) };
}

async function behindAll(query: Query, archived: ArchivedReads, after: number): Promise<Backlog> {
  const [row] = await query(statements.behind, [after]);
  const events = Math.max(0, Number(row?.[0]) - after);
  const oldest = toTime(row?.[1] ?? null);
  if (events === 0 || oldest !== null) return { events, oldestRecordedAt: oldest };
  return { events, oldestRecordedAt: (await archived.at([after + 1]))[0]?.recordedAt ?? null };
}

async function behindFiltered(
  query: Query,
  archived: ArchivedReads,
  after: number,
  filter: FeedFilter,
): Promise<Backlog> {
  const params = [after, literal(filter.categories), literal(filter.types)];
  const [row] = await query(statements.behindFiltered, params);
  const gone = Number(row?.[2]);
  const here = { events: Number(row?.[0]), oldestRecordedAt: toTime(row?.[1] ?? null) };
  if (gone <= after) return here;
  const before = await archived.count(after, gone, filter);
  return {
    events: before.events + here.events,
    oldestRecordedAt: before.oldestRecordedAt ?? here.oldestRecordedAt,
  };
}

function literal(values: readonly string[] | undefined): string | null {
  return values === undefined ? null : arrayLiteral([...new Set(values)]);
}

function toTime(milliseconds: string | null): string | null {
  return milliseconds === null ? null : isoTime(Number(milliseconds));
}

/** From the columns of statements.ts. */
export const toStored = (row: SqlRow): StoredEvent => storedAt(row, 0);

/** The same where they begin at a column: a page is tens of thousands of rows, which are not copied for it. */
function storedAt(row: SqlRow, first: number): StoredEvent {
  const { position, revision, recordedAt, eventId, stream, type, data, metadata } = storedLate(row, first);
  return { position, revision, recordedAt, eventId, stream, type, data, metadata };
}

const storedLate = (row: SqlRow, first: number): StoredEvent => new LateEvent(row, first);

/**
 * {@link FeedFilter.parseLate}: the text of the data is one string, what is parsed of it some thirty objects. What lies here until
 * its page has been folded is copied twice by the collector: so no time as text, and one text for all that are of one type.
 */
class LateEvent implements StoredEvent {
  readonly position: number;
  readonly revision: number;
  readonly eventId: string;
  readonly stream: string;
  readonly type: string;
  readonly metadata: unknown;
  readonly #recordedAt: number;
  readonly #data: string;

  constructor(row: SqlRow, first: number) {
    this.position = Number(row[first]);
    this.revision = Number(row[first + 1]);
    this.#recordedAt = Number(row[first + 2]);
    this.eventId = row[first + 3] ?? "";
    this.stream = row[first + 4] ?? "";
    this.type = sameType(row[first + 5] ?? "");
    this.#data = row[first + 6] ?? "null";
    this.metadata = metadataOf(row[first + 7] ?? "null");
  }

  get recordedAt(): string {
    return isoTime(this.#recordedAt);
  }

  get data(): unknown {
    return JSON.parse(this.#data);
  }
}

/** The last one is kept: nearly all that is folded is of one type. */
let lastType = "";
function sameType(text: string): string {
  if (text !== lastType) lastType = text;
  return lastType;
}

/** The last one is kept: events of one key follow each other, and share it. */
let lastText = "null";
let lastMetadata: unknown = null;
function metadataOf(text: string): unknown {
  if (text !== lastText) {
    lastMetadata = JSON.parse(text);
    lastText = text;
  }
  return lastMetadata;
}
