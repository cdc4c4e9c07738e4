import { type AppendRequest, type AppendResult, LogUnavailable, type StoredEvent } from "../../../ports/event-store.ts";
import { arrayLiteral, type SqlSession } from "../../engines/sql.ts";
import { type AppendPlan, type PlannedRow, planAppend } from "../append-plan.ts";
import { bigintArray, integerArray, textArray, timeArray, uuidArray } from "./binary-arrays.ts";
import * as statements from "./statements.ts";

type Query = SqlSession["query"];

/** The events at these positions, in any order; rejects where one is not to be had. */
export type EventsAt = (positions: readonly number[]) => Promise<StoredEvent[]>;

/** A batch that other writers got in the way of this often is given back to the caller. */
const attemptsMax = 50;

/** Decides and stores a checked batch, see the port. One round trip where nothing is in the way. */
export async function appendRequests(
  query: Query,
  eventsAt: EventsAt,
  requests: readonly AppendRequest[],
): Promise<AppendResult[]> {
  const hopeful = planHopefully(requests);
  if (hopeful !== null) {
    const stored = await insert(query, hopeful.rows);
    if (stored !== null) return resultsOf(requests, hopeful, stored, new Map());
  }
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const { plan, known } = await planFromLog(query, eventsAt, requests);
    const stored = await insert(query, plan.rows);
    if (stored !== null) return resultsOf(requests, plan, stored, known);
  }
  throw new LogUnavailable(`gave up an append after other writers came in between ${attemptsMax} times`);
}

interface WantedRow extends Omit<PlannedRow, "revision"> {
  /** null: any. */
  readonly revision: number | null;
}

interface HopefulPlan {
  readonly decisions: AppendPlan["decisions"];
  readonly rows: readonly WantedRow[];
}

/** The plan if no id is known and all revisions are as expected, which is nearly always; null where it cannot be. */
function planHopefully(requests: readonly AppendRequest[]): HopefulPlan | null {
  const rows: WantedRow[] = [];
  const ids = new Set<string>();
  const decisions = requests.map(({ stream, expected, events }) => {
    const before = expected === "any" ? null : expected === "none" ? 0 : expected;
    for (const [i, event] of events.entries()) {
      ids.add(event.eventId);
      rows.push({ stream, event, revision: before === null ? null : before + i + 1 });
    }
    return { status: "appended", revision: 0, lastRow: rows.length - 1 } as const;
  });
  return ids.size === rows.length ? { decisions, rows } : null;
}

interface InformedPlan {
  readonly plan: AppendPlan;
  /** The events that are stored under ids of the batch. */
  readonly known: ReadonlyMap<string, StoredEvent>;
}

async function planFromLog(
  query: Query,
  eventsAt: EventsAt,
  requests: readonly AppendRequest[],
): Promise<InformedPlan> {
  const ids = requests.flatMap((request) => request.events.map((event) => event.eventId));
  const streams = requests.map((request) => request.stream);
  const found = await query(statements.lookUp, [arrayLiteral([...new Set(ids)]), arrayLiteral([...new Set(streams)])]);
  const positions: number[] = [];
  const revisionOf = new Map<string, number>();
  for (const [kind, key, value] of found) {
    if (kind === "stream" && typeof key === "string") revisionOf.set(key, Number(value));
    else if (kind === "event") positions.push(Number(value));
  }
  const events = positions.length === 0 ? [] : await eventsAt(positions);
  const known = new Map(events.map((event) => [event.eventId, event]));
  const plan = planAppend(requests, {
    streamOf: (eventId) => known.get(eventId)?.stream,
    revisionOf: (stream) => revisionOf.get(stream) ?? 0,
  });
  return { plan, known };
}

interface Stored {
  readonly firstPosition: number;
  /** Of each row. */
  readonly revisions: readonly number[];
}

/** The rows of one stream in a batch. */
interface StreamRows {
  /** Place in the sorted names of streams, from 1. */
  number: number;
  count: number;
  /** Revision before the first of them; null: any. */
  before: number | null;
}

/** Stores all rows and gives their places; null, with nothing stored, where the log is not as the rows want it. */
async function insert(query: Query, rows: readonly WantedRow[]): Promise<Stored | null> {
  if (rows.length === 0) return { firstPosition: 0, revisions: [] };
  const streams = byStream(rows);
  if (streams === null) return null;
  // One order for all, so that no two appends wait for each other's streams.
  const names = [...streams.keys()].sort();
  const heads = names.map((name, i) => {
    const stream = streams.get(name) as StreamRows;
    stream.number = i + 1;
    return stream;
  });
  const { numbers, backs } = placesOf(rows, streams);
  const anyRevision = heads.every(({ before }) => before === null);
  const [row] = await query(statements.appendEvents, [
    textArray(names),
    bigintArray(heads.map(({ count }) => count)),
    anyRevision ? null : arrayLiteral(heads.map(({ before }) => before)),
    integerArray(numbers),
    bigintArray(shared(backs)),
    textArray(rows.map(({ stream }) => stream)),
    uuidArray(rows.map(({ event }) => event.eventId)),
    textArray(shared(rows.map(({ event }) => event.type))),
    textArray(
      rows.map(({ event }) => JSON.stringify(event.data)),
      "json",
    ),
    textArray(shared(mapRuns(rows, "metadata", JSON.stringify)), "json"),
    timeArray(shared(mapRuns(rows, "recordedAt", Date.parse))),
  ]);
  const [firstPosition, after] = row ?? [];
  if (typeof firstPosition !== "string" || typeof after !== "string") return null;
  const revisions = after.slice(1, -1).split(",").map(Number);
  return {
    firstPosition: Number(firstPosition),
    revisions: numbers.map((number, i) => (revisions[number - 1] ?? 0) - (backs[i] ?? 0)),
  };
}

/** null where the rows of a stream contradict each other. */
function byStream(rows: readonly WantedRow[]): Map<string, StreamRows> | null {
  const streams = new Map<string, StreamRows>();
  for (const { stream, revision } of rows) {
    let known = streams.get(stream);
    if (known === undefined) {
      known = { number: 0, count: 0, before: null };
      streams.set(stream, known);
    }
    known.count += 1;
    if (revision === null) continue;
    const before = revision - known.count;
    if (before < 0 || (known.before !== null && known.before !== before)) return null;
    known.before = before;
  }
  return streams;
}

/** Of each row: the number of its stream, and how many rows of that stream come after it. */
function placesOf(rows: readonly WantedRow[], streams: ReadonlyMap<string, StreamRows>) {
  const seen = new Int32Array(streams.size + 1);
  const numbers: number[] = [];
  const backs: number[] = [];
  for (const { stream } of rows) {
    const { number, count } = streams.get(stream) as StreamRows;
    const nth = (seen[number] ?? 0) + 1;
    seen[number] = nth;
    numbers.push(number);
    backs.push(count - nth);
  }
  return { numbers, backs };
}

/** What all rows have in common is sent once. */
function shared<T>(values: readonly T[]): readonly T[] {
  const [first] = values;
  return values.length > 1 && values.every((value) => value === first) ? values.slice(0, 1) : values;
}

type Field = "metadata" | "recordedAt";

/** Rows that share a value, as those of one request share their metadata, share what is made of it. */
function mapRuns<F extends Field, T>(
  rows: readonly WantedRow[],
  field: F,
  make: (value: PlannedRow["event"][F]) => T,
): T[] {
  let last: PlannedRow["event"][F] | undefined;
  let made: T | undefined;
  return rows.map(({ event }) => {
    const value = event[field];
    if (made === undefined || value !== last) made = make(value);
    last = value;
    return made;
  });
}

function resultsOf(
  requests: readonly AppendRequest[],
  plan: HopefulPlan,
  stored: Stored,
  known: ReadonlyMap<string, StoredEvent>,
): AppendResult[] {
  return plan.decisions.map((decision, i): AppendResult => {
    if (decision.status === "conflict") return decision;
    if (decision.status === "appended") {
      const revision = stored.revisions[decision.lastRow] ?? 0;
      return { status: "appended", revision, position: stored.firstPosition + decision.lastRow };
    }
    const events = (requests[i]?.events ?? []).map((event) => {
      const before = known.get(event.eventId) ?? rowStored(plan, stored, event.eventId);
      if (before === null) throw new Error(`event ${event.eventId} is a duplicate of nothing`);
      return before;
    });
    const last = events[events.length - 1];
    return { status: "duplicate", revision: last?.revision ?? 0, position: last?.position ?? 0, existing: events };
  });
}

/** An id that came twice in one batch: the second is a duplicate of what the first has just stored. */
function rowStored(plan: HopefulPlan, stored: Stored, eventId: string): StoredEvent | null {
  const at = plan.rows.findIndex(({ event }) => event.eventId === eventId);
  const row = plan.rows[at];
  if (row === undefined) return null;
  const { type, data, metadata, recordedAt } = row.event;
  return {
    ...{ eventId, type, stream: row.stream, recordedAt: new Date(recordedAt).toISOString() },
    // As a reader would get it: without what JSON leaves out.
    ...{ data: JSON.parse(JSON.stringify(data)), metadata: JSON.parse(JSON.stringify(metadata)) },
    ...{ revision: stored.revisions[at] ?? 0, position: stored.firstPosition + at },
  };
}
