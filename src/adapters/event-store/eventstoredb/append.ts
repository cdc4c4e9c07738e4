import type { AppendRequest, AppendResult, StoredEvent } from "../../../ports/event-store.ts";
import { LogUnavailable } from "../../../ports/event-store.ts";
import { planAppend } from "../append-plan.ts";
import type { Appender } from "./appender.ts";
import { trying } from "./client.ts";
import { readStream } from "./reads.ts";

/** Ids of events that are kept in memory, in all. A stream that is not among them is read before it is appended to. */
const idsMax = 500_000;
/** A request that other writers got in the way of this often is given back to the caller. */
const attemptsMax = 50;
const pageSize = 1_000;

/** Everything that stands in a stream, up to a revision: what tells a repeat, as the server itself only does at times. */
interface Known {
  revision: number;
  readonly ids: Set<string>;
}

/**
 * Decides and stores. Each append names the revision the stream must be at, also where the caller does not care: then
 * the server's promise for ids holds without "best effort" (see docs/eventstoredb.md). Requests of one stream go one
 * after the other, those of different streams side by side.
 */
export function createAppend(appender: Appender, deadlineMs: number) {
  const streams = createKnownStreams(idsMax);
  const lanes = new Map<string, Promise<unknown>>();

  /** Runs after everything that came before for this stream. */
  function inLane<T>(stream: string, work: () => Promise<T>): Promise<T> {
    const before = lanes.get(stream) ?? Promise.resolve();
    const done = before.then(work, work);
    const settled = done.catch(() => {});
    lanes.set(stream, settled);
    void settled.then(() => {
      if (lanes.get(stream) === settled) lanes.delete(stream);
    });
    return done;
  }

  const read = (stream: string, options: Parameters<typeof readStream>[3]): Promise<StoredEvent[]> =>
    trying(deadlineMs, `the events of ${stream}`, (ms) => readStream(appender.client(), ms, stream, options, true));

  /** Learns what was appended since; all, where nothing is known of the stream. */
  async function refresh(stream: string): Promise<Known> {
    const known = streams.get(stream) ?? { revision: 0, ids: new Set<string>() };
    for (;;) {
      const page = await read(stream, { from: known.revision + 1, limit: pageSize });
      for (const event of page) {
        known.ids.add(event.eventId);
        known.revision = event.revision;
      }
      streams.set(stream, known);
      if (page.length < pageSize) return known;
    }
  }

  async function one(request: AppendRequest, headBefore: number): Promise<AppendResult> {
    const { stream, events } = request;
    let fresh = !streams.has(stream);
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const known = fresh ? await refresh(stream) : (streams.get(stream) ?? (await refresh(stream)));
      const { decisions } = planAppend([request], {
        streamOf: (id) => (known.ids.has(id) ? stream : undefined),
        revisionOf: () => known.revision,
      });
      const [decision] = decisions;
      if (decision === undefined) throw new Error("a request was not decided");
      if (decision.status === "duplicate") return duplicate(request);
      if (decision.status === "conflict") {
        if (fresh) return decision;
        // Somebody else may have appended meanwhile, and made it right.
        fresh = true;
        continue;
      }
      const written = await appender.append(stream, known.revision, events);
      // At a place that was there before: the server knew these ids already, and this process did not.
      fresh = !written.ok || written.position === null || written.position <= headBefore;
      if (fresh) continue;
      if (written.ok && written.position !== null) {
        streams.add(stream, known, written.revision, events);
        return { status: "appended", revision: written.revision, position: written.position };
      }
    }
    throw new LogUnavailable(`gave up an append after other writers came in between ${attemptsMax} times`);
  }

  async function duplicate({ stream, events }: AppendRequest): Promise<AppendResult> {
    const wanted = new Set(events.map((event) => event.eventId));
    const found = new Map<string, StoredEvent>();
    // Repeats are mostly of what came last.
    let before: number | undefined;
    while (found.size < wanted.size) {
      const options = {
        direction: "backwards",
        limit: pageSize / 10,
        ...(before === undefined ? {} : { from: before }),
      } as const;
      const page = await read(stream, options);
      for (const event of page) if (wanted.has(event.eventId)) found.set(event.eventId, event);
      before = (page[page.length - 1]?.revision ?? 1) - 1;
      if (before < 1) break;
    }
    const existing = events.flatMap((event) => found.get(event.eventId) ?? []);
    const last = existing[existing.length - 1];
    if (existing.length < events.length || last === undefined) {
      streams.delete(stream);
      throw new LogUnavailable(`stream ${stream} does not hold any more what it held`);
    }
    return { status: "duplicate", revision: last.revision, position: last.position, existing };
  }

  return async (requests: readonly AppendRequest[]): Promise<AppendResult[]> => {
    const headBefore = await appender.leaderHead();
    const byStream = Map.groupBy(requests.keys(), (i) => requests[i]?.stream ?? "");
    const results = new Array<AppendResult>(requests.length);
    let failed = false;
    const work = [...byStream].map(([stream, places]) =>
      inLane(stream, async () => {
        for (const place of places) {
          const request = requests[place];
          if (request === undefined || failed) return;
          try {
            results[place] = await one(request, headBefore);
          } catch (error) {
            failed = true;
            // It may be stored: what is known of the stream may be too little.
            streams.delete(stream);
            throw error;
          }
        }
      }),
    );
    const ends = await Promise.allSettled(work);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    return results;
  };
}

/** Streams used last, as many as have so many ids in all. */
function createKnownStreams(max: number) {
  const streams = new Map<string, { readonly known: Known; counted: number }>();
  let ids = 0;
  function remove(stream: string): void {
    ids -= streams.get(stream)?.counted ?? 0;
    streams.delete(stream);
  }
  function set(stream: string, known: Known): void {
    remove(stream);
    // A stream is something by itself, also an empty one.
    const counted = known.ids.size + 1;
    streams.set(stream, { known, counted });
    ids += counted;
    for (const oldest of streams.keys()) {
      if (ids <= max || oldest === stream) break;
      remove(oldest);
    }
  }
  return {
    has: (stream: string) => streams.has(stream),
    get: (stream: string) => streams.get(stream)?.known,
    delete: remove,
    set,
    add(stream: string, known: Known, revision: number, events: AppendRequest["events"]): void {
      for (const event of events) known.ids.add(event.eventId);
      known.revision = revision;
      set(stream, known);
    },
  };
}
