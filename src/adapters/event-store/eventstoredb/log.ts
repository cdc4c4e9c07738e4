import type { EventStore } from "../../../ports/event-store.ts";
import type { Feed } from "../../../ports/feed.ts";
import type { Log } from "../../../ports/log.ts";
import { checkLimit, checkRequests, checkStream } from "../checks.ts";
import { createAppend } from "./append.ts";
import { shareAppender } from "./appender.ts";
import { asLogError, checkUrl, connect, disconnect, trying } from "./client.ts";
import { isSystemStream } from "./events.ts";
import { createEventStoreDbFeed } from "./feed.ts";
import { readStream } from "./reads.ts";

export type EventStoreDbLog = EventStore & Feed & { close(): Promise<void> };

export interface EventStoreDbOptions {
  /** esdb://user:password@host:2113,... or esdb+discover://... */
  readonly url: string;
  readonly log?: Log;
  /** Every call is answered within this, or is LogUnavailable. Milliseconds. */
  readonly deadlineMs?: number;
  /** How long a subscription may owe events that stand in the log before it is dropped and resumed. Milliseconds. */
  readonly silenceMs?: number;
}

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * The log in EventStoreDB. Positions are those of $all: they grow, with gaps between them. An event id is stored once in
 * each stream, but the server cannot say that another stream has it. Rejects with LogUnavailable where there is no
 * server, with Error where the URL or the permissions do not do.
 */
export async function openEventStoreDbLog(options: EventStoreDbOptions): Promise<EventStoreDbLog> {
  const { url, log = quiet, deadlineMs = 5_000, silenceMs = 2_000 } = options;
  checkUrl(url);
  const client = connect(url, () => {});
  const feed = createEventStoreDbFeed({ client, log, deadlineMs, silenceMs });
  let appender: ReturnType<typeof shareAppender> | undefined;
  let append: ReturnType<typeof createAppend> | undefined;
  const close = async (): Promise<void> => {
    feed.close();
    await Promise.all([disconnect(client), appender?.close()]);
  };
  await feed.head().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    async append(requests) {
      checkRequests(requests);
      for (const { stream } of requests)
        if (isSystemStream(stream)) throw new RangeError(`${stream} is the server's own`);
      if (requests.length === 0) return [];
      // Made by the first append: a process may read from one server and append to another.
      appender ??= shareAppender(url, deadlineMs, log);
      append ??= createAppend(appender, deadlineMs);
      const results = await append(requests).catch((error: unknown) => {
        throw asLogError(error);
      });
      for (const result of results) if (result.status === "appended") feed.reached(result.position);
      return results;
    },
    async readStream(stream, readOptions) {
      checkStream(stream);
      checkLimit(readOptions.limit);
      return trying(deadlineMs, `the events of ${stream}`, (ms) => readStream(client, ms, stream, readOptions));
    },
    read: feed.read,
    head: feed.head,
    behind: feed.behind,
    waitForMore: feed.waitForMore,
    close,
  };
}
