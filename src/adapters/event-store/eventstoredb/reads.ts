import { BACKWARDS, END, ErrorType, type EventStoreDBClient, FORWARDS, START } from "@eventstore/db-client";
import type { ReadStreamOptions, StoredEvent } from "../../../ports/event-store.ts";
import { collect, errorType } from "./client.ts";
import { fromServer, type ServerFilter, toPosition } from "./events.ts";

/** Position of the last event of all, the server's own included; 0 where there is none. */
export async function readHead(client: EventStoreDBClient, ms: number, requiresLeader: boolean): Promise<number> {
  const options = { direction: BACKWARDS, fromPosition: END, maxCount: 1, requiresLeader } as const;
  const [last] = await collect(client, ms, "where the log ends", (from) => from.readAll(options));
  return last === undefined ? 0 : toPosition(last.position?.commit);
}

/** As in the port. */
export async function readStream(
  client: EventStoreDBClient,
  ms: number,
  stream: string,
  { from, direction = "forwards", limit }: ReadStreamOptions,
  requiresLeader = false,
): Promise<StoredEvent[]> {
  const backwards = direction === "backwards";
  if (backwards && from !== undefined && from < 1) return [];
  const fromRevision = from === undefined ? (backwards ? END : START) : BigInt(Math.max(1, from) - 1);
  const options = {
    direction: backwards ? BACKWARDS : FORWARDS,
    fromRevision,
    maxCount: limit,
    requiresLeader,
  } as const;
  try {
    const read = await collect(client, ms, `the events of ${stream}`, (from) => from.readStream(stream, options));
    return read.map(fromServer);
  } catch (error) {
    if (errorType(error) === ErrorType.STREAM_NOT_FOUND) return [];
    throw error;
  }
}

export interface Scanned {
  readonly events: readonly StoredEvent[];
  /** Everything up to here was looked at. */
  readonly position: number;
  readonly atHead: boolean;
}

/**
 * Looks at the `window` events after a position, and gives up to `limit` of those that match. The server can begin at
 * the place of an event only. A position just before one will do as well: that is how the event at a known position is
 * asked for where positions are 1, 2, 3. Rejects with RangeError for any other place inside of the log.
 */
export async function scan(
  client: EventStoreDBClient,
  ms: number,
  after: number,
  window: { readonly window: number; readonly limit: number },
  filter: ServerFilter,
): Promise<Scanned> {
  try {
    return await scanFrom(client, ms, after, after, window, filter);
  } catch (error) {
    if (!isNoPlace(error)) throw error;
  }
  try {
    return await scanFrom(client, ms, after + 1, after, window, filter);
  } catch (error) {
    throw isNoPlace(error) ? new RangeError(`${after} is no position of this log`, { cause: error }) : error;
  }
}

/** The server's word for a place that is inside of a record ("Unexpected ReadAllResult: InvalidPosition"). */
const isNoPlace = (error: unknown) => error instanceof Error && /ReadAllResult|InvalidPosition/.test(error.message);

async function scanFrom(
  client: EventStoreDBClient,
  ms: number,
  place: number,
  after: number,
  { window, limit }: { readonly window: number; readonly limit: number },
  filter: ServerFilter,
): Promise<Scanned> {
  const fromPosition = place === 0 ? START : { commit: BigInt(place), prepare: BigInt(place) };
  // The server begins with the event at the position.
  const options = { direction: FORWARDS, fromPosition, maxCount: window + 1 } as const;
  const read = await collect(client, ms, `the log after ${after}`, (from) => from.readAll(options));
  const events: StoredEvent[] = [];
  let position = after;
  for (const event of read) {
    const at = toPosition(event.position?.commit);
    if (at <= after) continue;
    if (filter.matches(event)) {
      if (events.length === limit) return { events, position, atHead: false };
      events.push(fromServer(event));
    }
    position = at;
  }
  return { events, position, atHead: read.length <= window };
}
