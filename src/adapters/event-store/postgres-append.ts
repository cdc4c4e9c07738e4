import { categoryOf } from "../../domain/streams.ts";
import { type AppendRequest, type AppendResult, LogUnavailable, type StoredEvent } from "../../ports/event-store.ts";
import { arrayLiteral, type SqlSession } from "../engines/sql.ts";
import { type AppendPlan, type PlannedRow, planAppend } from "./append-plan.ts";
import { toStored } from "./postgres-reader.ts";
import * as statements from "./postgres-statements.ts";

type Query = SqlSession["query"];

/** A batch that other writers got in the way of this often is given back to the caller. */
const attemptsMax = 50;

/** Decides and stores a checked batch, see the port. One round trip where nothing is in the way. */
export async function appendRequests(query: Query, requests: readonly AppendRequest[]): Promise<AppendResult[]> {
  const hopeful = planHopefully(requests);
  if (hopeful !== null) {
    const stored = await insert(query, hopeful.rows);
    if (stored !== null) return inOrder(query, requests, hopeful, stored);
  }
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const plan = await planFromLog(query, requests);
    const stored = await insert(query, plan.rows);
    if (stored !== null) return inOrder(query, requests, plan, stored);
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

async function planFromLog(query: Query, requests: readonly AppendRequest[]): Promise<AppendPlan> {
  const ids = requests.flatMap((request) => request.events.map((event) => event.eventId));
  const streams = requests.map((request) => request.stream);
  const found = await query(statements.lookUp, [arrayLiteral([...new Set(ids)]), arrayLiteral([...new Set(streams)])]);
  const streamOf = new Map<string, string>();
  const revisionOf = new Map<string, number>();
  for (const [kind, key, value] of found) {
    if (typeof key !== "string") continue;
    if (kind === "stream") revisionOf.set(key, Number(value ?? 0));
    else if (typeof value === "string") streamOf.set(key, value);
  }
  return planAppend(requests, {
    streamOf: (eventId) => streamOf.get(eventId),
    revisionOf: (stream) => revisionOf.get(stream) ?? 0,
  });
}

interface Stored {
  readonly firstPosition: number;
  readonly revisions: readonly number[];
}

/** Stores all rows and gives their places; null, with nothing stored, where the log is not as the rows want it. */
async function insert(query: Query, rows: readonly WantedRow[]): Promise<Stored | null> {
  if (rows.length === 0) return { firstPosition: 0, revisions: [] };
  const params = [
    arrayLiteral(rows.map((row) => row.stream)),
    arrayLiteral(rows.map((row) => categoryOf(row.stream))),
    arrayLiteral(rows.map((row) => row.revision)),
    arrayLiteral(rows.map((row) => row.event.eventId)),
    arrayLiteral(rows.map((row) => row.event.type)),
    arrayLiteral(rows.map((row) => JSON.stringify(row.event.data))),
    arrayLiteral(rows.map((row) => JSON.stringify(row.event.metadata))),
    arrayLiteral(rows.map((row) => new Date(row.event.recordedAt).toISOString())),
  ];
  const [row] = await query(statements.appendEvents, params);
  const [firstPosition, revisions] = row ?? [];
  if (typeof firstPosition !== "string" || typeof revisions !== "string") return null;
  return { firstPosition: Number(firstPosition), revisions: revisions.slice(1, -1).split(",").map(Number) };
}

async function inOrder(
  query: Query,
  requests: readonly AppendRequest[],
  plan: HopefulPlan,
  stored: Stored,
): Promise<AppendResult[]> {
  const repeated = requests.filter((_, i) => plan.decisions[i]?.status === "duplicate");
  const existing = await readById(query, repeated);
  return plan.decisions.map((decision, i): AppendResult => {
    if (decision.status === "conflict") return decision;
    if (decision.status === "appended") {
      const revision = stored.revisions[decision.lastRow] ?? 0;
      return { status: "appended", revision, position: stored.firstPosition + decision.lastRow };
    }
    const events = (requests[i]?.events ?? []).flatMap((event) => existing.get(event.eventId) ?? []);
    const last = events[events.length - 1];
    return { status: "duplicate", revision: last?.revision ?? 0, position: last?.position ?? 0, existing: events };
  });
}

async function readById(query: Query, requests: readonly AppendRequest[]): Promise<Map<string, StoredEvent>> {
  if (requests.length === 0) return new Map();
  const ids = requests.flatMap((request) => request.events.map((event) => event.eventId));
  const rows = await query(statements.eventsById, [arrayLiteral(ids)]);
  return new Map(rows.map(toStored).map((event) => [event.eventId, event]));
}
