import type { StoredEvent } from "../../../domain/stored-event.ts";
import { categoryOf } from "../../../domain/streams.ts";
import { type BlockSummary, blockEvents, type EventArchive } from "../../../ports/event-archive.ts";
import { LogUnavailable } from "../../../ports/event-store.ts";
import type { FeedFilter, FeedPage } from "../../../ports/feed.ts";
import type { SqlSession } from "../../engines/sql.ts";
import * as statements from "./statements.ts";

type Query = SqlSession["query"];

/** What the log reads of its archived part. Positions up to `archived_to` in log_head are there and nowhere else. */
export interface ArchivedReads {
  /** A page of what stands in the archive after a position. `ended`: the rest is in the log. */
  page(after: number, limit: number, filter: FeedFilter): Promise<FeedPage & { readonly ended: boolean }>;
  /** How many match in (after, upto], and when the first was recorded. */
  count(after: number, upto: number, filter: FeedFilter): Promise<{ events: number; oldestRecordedAt: string | null }>;
  at(positions: readonly number[]): Promise<StoredEvent[]>;
  /**
   * Events of a stream with revisions in [from, to], at most `limit`: the first of them, or the last, backwards. null
   * where some of them are not in the archive, so that they must have been in the log after all.
   */
  stream(stream: string, range: RevisionRange): Promise<StoredEvent[] | null>;
}

export interface RevisionRange {
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly last: boolean;
}

interface Segment {
  readonly first: number;
  readonly last: number;
  readonly name: string;
}

/** A page looks into so many blocks at the most: where a type is rare it would else go through all the archive at once. */
const blocksMax = 20;

/** `archive` null: none was configured, and what would have to be read from it is LogUnavailable. */
export function createArchivedReads(query: Query, archive: EventArchive | null): ArchivedReads {
  let known: readonly Segment[] = [];

  /** Segments go to the archive in order and stay there, so what is known stays true. */
  async function segmentAt(position: number): Promise<Segment | undefined> {
    if (position > (known[known.length - 1]?.last ?? 0)) {
      const rows = await query(statements.archivedSegments, []);
      known = rows.map(([first, last, name]) => ({ first: Number(first), last: Number(last), name: name ?? "" }));
    }
    return known.find(({ first, last }) => first <= position && position <= last);
  }

  function opened(): EventArchive {
    if (archive !== null) return archive;
    throw new LogUnavailable(
      "old events are in the archive, and this process does not know where: set PROXIMAL_ARCHIVE",
    );
  }

  async function eventsOf(segment: Segment, block: number): Promise<readonly StoredEvent[]> {
    return opened().events(segment.name, block);
  }

  async function blockAt(position: number): Promise<readonly StoredEvent[]> {
    const segment = await segmentAt(position);
    if (segment === undefined)
      throw new LogUnavailable(`position ${position} is neither in the log nor in its archive`);
    return eventsOf(segment, Math.floor((position - segment.first) / blockEvents));
  }

  async function page(after: number, limit: number, filter: FeedFilter) {
    const events: StoredEvent[] = [];
    let position = after;
    for (let read = 0; read < blocksMax && events.length < limit; ) {
      const segment = await segmentAt(position + 1);
      if (segment === undefined) break;
      const blocks = await opened().blocks(segment.name);
      let at = Math.floor((position + 1 - segment.first) / blockEvents);
      for (; at < blocks.length && read < blocksMax && events.length < limit; at += 1) {
        const block = blocks[at] as BlockSummary;
        if (mayMatch(block, filter)) {
          read += 1;
          const found = (await eventsOf(segment, at)).filter(
            (event) => event.position > position && matches(event, filter),
          );
          events.push(...found.slice(0, limit - events.length));
        }
        const full = events.length >= limit;
        position = full ? (events[events.length - 1]?.position ?? position) : block.last;
      }
    }
    const ended = (await segmentAt(position + 1)) === undefined;
    return { events, position, atHead: false, ended };
  }

  async function count(after: number, upto: number, filter: FeedFilter) {
    let events = 0;
    let oldestRecordedAt: string | null = null;
    for (let position = after; position < upto; ) {
      const segment = await segmentAt(position + 1);
      if (segment === undefined) break;
      const blocks = await opened().blocks(segment.name);
      for (let at = Math.floor((position + 1 - segment.first) / blockEvents); at < blocks.length; at += 1) {
        const block = blocks[at] as BlockSummary;
        const inBlock = mayMatch(block, filter);
        if (inBlock && (block.first <= after || oldestRecordedAt === null)) {
          const found = (await eventsOf(segment, at)).filter(
            (event) => event.position > after && matches(event, filter),
          );
          events += found.length;
          oldestRecordedAt ??= found[0]?.recordedAt ?? null;
        } else if (inBlock) {
          events += countMatching(block, filter);
        }
      }
      position = segment.last;
    }
    return { events, oldestRecordedAt };
  }

  return {
    page,
    count,
    async at(positions) {
      const found: StoredEvent[] = [];
      for (const position of positions) {
        const event = (await blockAt(position)).find((one) => one.position === position);
        if (event === undefined) throw new LogUnavailable(`position ${position} is missing in the archive`);
        found.push(event);
      }
      return found;
    },
    async stream(stream, { from, to, limit, last }) {
      const rows = await query(statements.archivedStream, [stream, from, to]);
      const upto = Math.min(to, Number(rows[0]?.[0] ?? 0));
      const blocks = rows
        .filter((row) => row[1] !== null)
        .map(([, first, block, revision]) => ({
          at: Number(first) + Number(block) * blockEvents,
          revision: Number(revision),
        }))
        .filter(
          ({ revision }, i, all) => revision <= upto && (all[i + 1]?.revision ?? Number.POSITIVE_INFINITY) > from,
        );
      const events: StoredEvent[] = [];
      for (const { at } of last ? blocks.reverse() : blocks) {
        if (events.length >= limit) break;
        const inBlock = (await blockAt(at)).filter(
          (event) => event.stream === stream && event.revision >= from && event.revision <= upto,
        );
        events.push(...(last ? inBlock.reverse() : inBlock));
      }
      const due = Math.max(0, Math.min(limit, upto - from + 1));
      return events.length >= due ? events.slice(0, due) : null;
    },
  };
}

function mayMatch(block: BlockSummary, filter: FeedFilter): boolean {
  return countMatching(block, filter) > 0;
}

function countMatching({ counts }: BlockSummary, filter: FeedFilter): number {
  let sum = 0;
  for (const [key, count] of Object.entries(counts)) {
    const tab = key.indexOf("\t");
    if (isWanted(key.slice(0, tab), key.slice(tab + 1), filter)) sum += count;
  }
  return sum;
}

function matches({ stream, type }: StoredEvent, filter: FeedFilter): boolean {
  return isWanted(categoryOf(stream), type, filter);
}

function isWanted(category: string, type: string, { categories, types }: FeedFilter): boolean {
  return (categories === undefined || categories.includes(category)) && (types === undefined || types.includes(type));
}
