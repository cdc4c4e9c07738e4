import { type AppendResult, ErrorType, type EventStoreDBClient, NO_STREAM } from "@eventstore/db-client";
import pLimit from "p-limit";
import pTimeout from "p-timeout";
import type { NewEvent } from "../../../ports/event-store.ts";
import type { Log } from "../../../ports/log.ts";
import { connect, disconnect, errorType, NoAnswer, trying } from "./client.ts";
import { toPosition, toServer } from "./events.ts";
import { readHead } from "./reads.ts";

/** Appends under way at once: enough to share the server's disk writes, few enough that one deadline covers them. */
const concurrencyMax = 64;

/** What the server made of an append. Revisions as in the port: 1-based. */
export type Written =
  /** `position` is null where the server does not say it, which is when it had stored these events before. */
  { readonly ok: true; readonly revision: number; readonly position: number | null } | { readonly ok: false };

export interface Appender {
  /**
   * Appends to a stream that is at `revision` (0 for none); not ok where it is not. Safe to repeat, and repeated until
   * `deadlineMs`: the same ids after the same revision are stored once. Rejects as {@link trying} does.
   */
  append(stream: string, revision: number, events: readonly NewEvent[]): Promise<Written>;
  /** Position of the last event of all, as the leader knows it; 0 where there is none. */
  leaderHead(): Promise<number>;
  /** For reads that an append is decided by. */
  client(): EventStoreDBClient;
  close(): Promise<void>;
}

const appenders = new Map<string, { users: number; readonly appender: Appender }>();

/**
 * The one append client of this process. The client library keeps all appends of a process in one map, so that the
 * failure of one client fails the appends of another: hence all logs of a process share it, and must be of one server.
 */
export function shareAppender(url: string, deadlineMs: number, log: Log): Appender {
  const known = appenders.get(url);
  if (known === undefined && appenders.size > 0) {
    throw new Error("this process appends to another EventStoreDB already, and the client library allows for one only");
  }
  const shared = known ?? { users: 0, appender: createAppender(url, deadlineMs, log) };
  appenders.set(url, shared);
  shared.users += 1;
  let closed = false;
  return {
    ...shared.appender,
    async close() {
      if (closed) return;
      closed = true;
      shared.users -= 1;
      if (shared.users > 0) return;
      await shared.appender.close();
      if (shared.users === 0) appenders.delete(url);
    },
  };
}

function createAppender(url: string, deadlineMs: number, log: Log): Appender {
  const open = () =>
    connect(url, () => log.warn({}, "EventStoreDB answered an append that nobody waited for any more"));
  const turns = pLimit(concurrencyMax);
  let client: Promise<EventStoreDBClient> | null = null;
  let current: EventStoreDBClient = open();

  /** A connection that gave no answer may never give one, and holds on to what waits for it. */
  function renew(stale: EventStoreDBClient): Promise<unknown> {
    if (stale !== current || client !== null) return client ?? Promise.resolve();
    log.warn({}, "EventStoreDB gave no answer to an append; connecting anew");
    // Nothing is appended before the old streams have ended: their end takes all appends of the process along.
    client = disconnect(stale).then(() => {
      current = open();
      client = null;
      return current;
    });
    return client;
  }

  async function call<T>(what: string, ask: (client: EventStoreDBClient, ms: number) => Promise<T>): Promise<T> {
    return trying(deadlineMs, what, async (ms) => {
      if (client !== null) await client;
      const using = current;
      // Half of the time, so that there is some left on a new connection.
      const patience = Math.max(50, Math.min(ms, deadlineMs / 2));
      const silence = (): never => {
        void renew(using);
        throw ms > patience ? new Error("no answer yet") : new NoAnswer(`EventStoreDB gave no answer to ${what}`);
      };
      return pTimeout(ask(using, ms), { milliseconds: patience, fallback: silence });
    });
  }

  return {
    append: (stream, revision, events) =>
      turns(async () => {
        const expectedRevision = revision === 0 ? NO_STREAM : BigInt(revision - 1);
        try {
          const result = await call(`an append to ${stream}`, (using, ms) =>
            using.appendToStream(stream, events.map(toServer), {
              expectedRevision,
              requiresLeader: true,
              deadline: ms,
            }),
          );
          return written(result);
        } catch (error) {
          if (errorType(error) === ErrorType.WRONG_EXPECTED_VERSION) return { ok: false };
          if (errorType(error) === ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED) {
            throw new RangeError(`append to ${stream}: larger than the server takes`, { cause: error });
          }
          throw error;
        }
      }),
    leaderHead: () => call("the leader's head", (using, ms) => readHead(using, ms, true)),
    client: () => current,
    async close() {
      if (client !== null) await client;
      await disconnect(current);
    },
  };
}

function written({ nextExpectedRevision, position }: AppendResult): Written {
  return {
    ok: true,
    revision: Number(nextExpectedRevision) + 1,
    position: position === undefined ? null : toPosition(position.commit),
  };
}
