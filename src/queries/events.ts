import { learnerStream } from "../domain/streams.ts";
import type { EventStore, StoredEvent } from "../ports/event-store.ts";
import type { Feed, FeedFilter } from "../ports/feed.ts";

export interface EventsFilter {
  readonly categories?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
  /** With one learner, their own stream is read instead of the whole log. */
  readonly learnerIds?: readonly string[] | undefined;
  /** Tracks that an interaction or a served list names, and their definitions. */
  readonly trackIds?: readonly string[] | undefined;
  /** Bounds of recordedAt, milliseconds since 1970: from inclusive, to exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export interface EventsRequest extends EventsFilter {
  /** Position to read after; the last position of an earlier answer resumes it. */
  readonly after: number;
  /** The last position to read; the end of the log when left out. */
  readonly upTo?: number | undefined;
  readonly limit: number;
  /** Goes on with new events at the end of the log, until the signal. */
  readonly follow: boolean;
  /** Events read at a time. */
  readonly pageSize?: number;
}

export interface EventsDeps {
  readonly eventStore: Pick<EventStore, "readStream">;
  readonly feed: Feed;
}

export interface EventsPage {
  /** Those that were asked for, in order of position. */
  readonly events: readonly StoredEvent[];
  /** Everything up to here has been looked at. */
  readonly position: number;
}

const defaultPageSize = 500;
const waitMs = 5_000;

/** Events in order of position, as pages of NDJSON text. Reads only as fast as it is read from. */
export async function* exportEvents(
  deps: EventsDeps,
  request: EventsRequest,
  signal: AbortSignal,
): AsyncGenerator<string> {
  for await (const { events } of eventPages(deps, request, signal)) {
    if (events.length > 0) yield events.map(eventLine).join("");
  }
}

/** The same as they are stored; pages in which nothing was asked for say how far the reading is. */
export async function* eventPages(
  { eventStore, feed }: EventsDeps,
  request: EventsRequest,
  signal: AbortSignal,
): AsyncGenerator<EventsPage> {
  const { upTo = Number.POSITIVE_INFINITY, learnerIds } = request;
  const wanted = matcher(request);
  const [only, ...others] = learnerIds ?? [];
  const pages =
    only === undefined || others.length > 0
      ? feedPages(feed, request, signal)
      : streamPages(eventStore, learnerStream(only), request, feed, signal);
  let left = request.limit;
  for await (const page of pages) {
    const events = page.events.filter(wanted).slice(0, left);
    left -= events.length;
    const position = left === 0 ? (events.at(-1)?.position ?? page.position) : Math.min(page.position, upTo);
    yield { events, position };
    if (left === 0 || page.position >= upTo || signal.aborted) return;
  }
}

async function* feedPages(feed: Feed, request: EventsRequest, signal: AbortSignal): AsyncGenerator<EventsPage> {
  const { categories, types, pageSize = defaultPageSize } = request;
  const filter: FeedFilter = {
    ...(categories === undefined ? {} : { categories }),
    ...(types === undefined ? {} : { types }),
  };
  let position = request.after;
  while (!signal.aborted) {
    const page = await feed.read(position, pageSize, filter);
    position = page.position;
    yield page;
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
): AsyncGenerator<EventsPage> {
  const { pageSize = defaultPageSize } = request;
  let from = 1;
  while (!signal.aborted) {
    const head = await feed.head();
    const events = await eventStore.readStream(stream, { from, limit: pageSize });
    from += events.length;
    const isLast = events.length < pageSize;
    yield { events, position: isLast ? Math.max(head, events.at(-1)?.position ?? 0) : (events.at(-1)?.position ?? 0) };
    if (!isLast) continue;
    if (!request.follow) return;
    await feed.waitForMore(head, waitMs, signal);
  }
}

function matcher(request: EventsRequest): (event: StoredEvent) => boolean {
  const { after, upTo = Number.POSITIVE_INFINITY, from, to } = request;
  const [types, learners, tracks] = [request.types, request.learnerIds, request.trackIds].map((all) =>
    all === undefined ? null : new Set(all),
  );
  return ({ position, type, data, recordedAt }) => {
    if (position <= after || position > upTo || (types && !types.has(type))) return false;
    const { learnerId, trackId } = data as { readonly learnerId?: string; readonly trackId?: string | null };
    if (learners && !learners.has(learnerId ?? "")) return false;
    if (tracks && !tracks.has(trackId ?? "")) return false;
    if (from === undefined && to === undefined) return true;
    const at = Date.parse(recordedAt);
    return at >= (from ?? Number.NEGATIVE_INFINITY) && at < (to ?? Number.POSITIVE_INFINITY);
  };
}

function eventLine({ position, stream, revision, type, eventId, recordedAt, data, metadata }: StoredEvent): string {
  return `${JSON.stringify({ position, stream, revision, type, eventId, recordedAt, data, metadata })}\n`;
}
