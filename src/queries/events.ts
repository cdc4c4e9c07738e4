import { learnerStream } from "../domain/streams.ts";
import type { EventStore, StoredEvent } from "../ports/event-store.ts";
import type { Feed, FeedFilter } from "../ports/feed.ts";

export interface EventsRequest {
  /** Position to read after; the last position of an earlier answer resumes it. */
  readonly after: number;
  readonly limit: number;
  readonly categories?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
  readonly learnerId?: string | undefined;
  /** Bounds of recordedAt, milliseconds since 1970: from inclusive, to exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Goes on with new events at the end of the log, until the signal. */
  readonly follow: boolean;
}

export interface EventsDeps {
  readonly eventStore: Pick<EventStore, "readStream">;
  readonly feed: Feed;
}

const pageSize = 500;
const waitMs = 5_000;

/** Events in order of position, as pages of NDJSON text. Reads only as fast as it is read from. */
export async function* exportEvents(
  { eventStore, feed }: EventsDeps,
  request: EventsRequest,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const wanted = matcher(request);
  const pages =
    request.learnerId === undefined
      ? feedPages(feed, request, signal)
      : streamPages(eventStore, learnerStream(request.learnerId), request, feed, signal);
  let left = request.limit;
  for await (const page of pages) {
    let text = "";
    for (const event of page) {
      if (left === 0) break;
      if (!wanted(event)) continue;
      text += eventLine(event);
      left -= 1;
    }
    if (text !== "") yield text;
    if (left === 0 || signal.aborted) return;
  }
}

async function* feedPages(
  feed: Feed,
  request: EventsRequest,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredEvent[]> {
  const { categories, types } = request;
  const filter: FeedFilter = {
    ...(categories === undefined ? {} : { categories }),
    ...(types === undefined ? {} : { types }),
  };
  let position = request.after;
  while (!signal.aborted) {
    const page = await feed.read(position, pageSize, filter);
    position = page.position;
    if (page.events.length > 0) yield page.events;
    if (!page.atHead) continue;
    if (!request.follow) return;
    await feed.waitForMore(position, waitMs, signal);
  }
}

/** One learner's events from their own stream: far fewer to read than all. */
async function* streamPages(
  eventStore: Pick<EventStore, "readStream">,
  stream: string,
  request: EventsRequest,
  feed: Feed,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredEvent[]> {
  let from = 1;
  while (!signal.aborted) {
    const head = await feed.head();
    const events = await eventStore.readStream(stream, { from, limit: pageSize });
    from += events.length;
    if (events.length > 0) yield events;
    if (events.length === pageSize) continue;
    if (!request.follow) return;
    await feed.waitForMore(head, waitMs, signal);
  }
}

function matcher({ after, types, from, to }: EventsRequest): (event: StoredEvent) => boolean {
  const wantedTypes = types === undefined ? null : new Set(types);
  return (event) => {
    if (event.position <= after || (wantedTypes !== null && !wantedTypes.has(event.type))) return false;
    if (from === undefined && to === undefined) return true;
    const at = Date.parse(event.recordedAt);
    return at >= (from ?? Number.NEGATIVE_INFINITY) && at < (to ?? Number.POSITIVE_INFINITY);
  };
}

function eventLine({ position, stream, revision, type, eventId, recordedAt, data, metadata }: StoredEvent): string {
  return `${JSON.stringify({ position, stream, revision, type, eventId, recordedAt, data, metadata })}\n`;
}
