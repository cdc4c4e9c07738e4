import type { ExpectedRevision, NewEvent } from "../../ports/event-store.ts";

/** What a planner must know of the log as it stands. */
export interface LogView {
  /** The stream an event id is stored in, undefined where it is in none. */
  streamOf(eventId: string): string | undefined;
  /** Revision of the last event of the stream, 0 for no stream. */
  revisionOf(stream: string): number;
}

/** As in the port, but an adapter may keep its events in a form of its own. */
export interface PlannableRequest<Event extends { readonly eventId: string }> {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly Event[];
}

export interface PlannedRow<Event = NewEvent> {
  readonly stream: string;
  readonly revision: number;
  readonly event: Event;
}

/** What becomes of one request. `lastRow` is an index into the rows of the plan. */
export type Decision =
  | { readonly status: "appended"; readonly revision: number; readonly lastRow: number }
  | { readonly status: "duplicate" }
  | { readonly status: "conflict"; readonly actual: number; readonly why: string };

export interface AppendPlan<Event = NewEvent> {
  readonly decisions: readonly Decision[];
  /** To be stored, in this order. */
  readonly rows: readonly PlannedRow<Event>[];
}

/** Decides a batch as if its requests came one after the other: a request sees what the ones before it stored. */
export function planAppend<Event extends { readonly eventId: string }>(
  requests: readonly PlannableRequest<Event>[],
  log: LogView,
): AppendPlan<Event> {
  const rows: PlannedRow<Event>[] = [];
  const newStreams = new Map<string, string>();
  const newRevisions = new Map<string, number>();
  const view: LogView = {
    streamOf: (eventId) => newStreams.get(eventId) ?? log.streamOf(eventId),
    revisionOf: (stream) => newRevisions.get(stream) ?? log.revisionOf(stream),
  };
  const decisions = requests.map((request): Decision => {
    const actual = view.revisionOf(request.stream);
    const refusal = decideIds(request, view, actual) ?? decideRevision(request, actual);
    if (refusal !== null) return refusal;
    let revision = actual;
    for (const event of request.events) {
      revision += 1;
      rows.push({ stream: request.stream, revision, event });
      newStreams.set(event.eventId, request.stream);
    }
    newRevisions.set(request.stream, revision);
    return { status: "appended", revision, lastRow: rows.length - 1 };
  });
  return { decisions, rows };
}

function decideIds(
  request: PlannableRequest<{ readonly eventId: string }>,
  view: LogView,
  actual: number,
): Decision | null {
  let known = 0;
  const seen = new Set<string>();
  for (const { eventId } of request.events) {
    if (seen.has(eventId)) return { status: "conflict", actual, why: `event id ${eventId} is in the request twice` };
    seen.add(eventId);
    const stream = view.streamOf(eventId);
    if (stream === undefined) continue;
    if (stream !== request.stream) {
      return { status: "conflict", actual, why: `event id ${eventId} is in use in stream ${stream}` };
    }
    known += 1;
  }
  if (known === 0) return null;
  if (known === request.events.length) return { status: "duplicate" };
  const why = `${known} of the ${request.events.length} event ids are in stream ${request.stream} already`;
  return { status: "conflict", actual, why };
}

function decideRevision(
  request: Pick<PlannableRequest<never>, "stream" | "expected">,
  actual: number,
): Decision | null {
  const { expected, stream } = request;
  if (expected === "any" || expected === actual || (expected === "none" && actual === 0)) return null;
  const wanted = expected === "none" || expected === 0 ? "no stream" : `revision ${expected}`;
  return { status: "conflict", actual, why: `expected ${wanted} of ${stream}, which is at revision ${actual}` };
}
