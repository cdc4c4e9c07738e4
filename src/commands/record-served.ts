import { currentSchemaVersion, type ItemsServed } from "../domain/events.ts";
import { servedStream } from "../domain/streams.ts";
import type { Clock } from "../ports/clock.ts";
import { type AppendRequest, type EventStore, LogUnavailable } from "../ports/event-store.ts";
import type { Log } from "../ports/log.ts";
import { derivedEventId } from "./event-id.ts";
import { LogBusy } from "./group-commit.ts";
import { isoTime } from "./interaction-input.ts";

export interface ServedRecorderDeps {
  /** The group commit, so that lists share the commits of interactions. */
  readonly eventStore: Pick<EventStore, "append">;
  readonly clock: Clock;
  readonly log: Log;
  readonly onOutcome?: (outcome: "recorded" | "duplicate" | "dropped", lists: number) => void;
}

export interface ServedRecorderOptions {
  /** Lists that wait, at most: those beyond are dropped, and counted. */
  readonly bufferMax?: number;
  /** Lists in one append, at most. */
  readonly batchMax?: number;
  /** How long the first of a batch waits for others, milliseconds. */
  readonly flushMs?: number;
  /** Longest pause after a failure; it doubles in between. Milliseconds. */
  readonly retryMsMax?: number;
}

/** Records lists that were given to clients, beside the answers and never before them. */
export interface ServedRecorder {
  /** Takes a list that is being sent now. Never waits, never throws; what the event says is asked for later. */
  offer(list: () => ItemsServed): void;
  /** Lists that wait. */
  pending(): number;
  /** Stores what waits, with one attempt, and takes no more. Idempotent, never rejects. */
  close(): Promise<void>;
}

interface Waiting {
  readonly list: () => ItemsServed;
  /** When it was sent, milliseconds since 1970. */
  readonly at: number;
}

/**
 * The same list has the same event id, whoever serves it and however often: the log stores it once. While the log does not
 * answer the lists wait, up to the bound; a list is never a reason to refuse or delay an interaction.
 */
export function createServedRecorder(deps: ServedRecorderDeps, options: ServedRecorderOptions = {}): ServedRecorder {
  const { eventStore, clock, log, onOutcome = () => undefined } = deps;
  const { bufferMax = 20_000, batchMax = 100, flushMs = 250, retryMsMax = 10_000 } = options;
  const waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> | null = null;
  let failures = 0;
  let closed: Promise<void> | null = null;

  function arm(): void {
    if (timer !== null || writing !== null || closed !== null || waiting.length === 0) return;
    const pauseMs = failures > 0 ? Math.min(retryMsMax, flushMs * 2 ** failures) : flushMs;
    timer = setTimeout(begin, failures === 0 && waiting.length >= batchMax ? 0 : pauseMs);
    timer.unref();
  }

  function begin(): void {
    timer = null;
    writing = write().finally(() => {
      writing = null;
      arm();
    });
  }

  /** Batch after batch while there are whole ones; the first that fails ends it. */
  async function write(): Promise<void> {
    do {
      if (!(await writeBatch(waiting.slice(0, batchMax)))) return;
    } while (waiting.length >= batchMax || (closed !== null && waiting.length > 0));
  }

  async function writeBatch(batch: readonly Waiting[]): Promise<boolean> {
    if (batch.length === 0) return true;
    try {
      const results = await eventStore.append(batch.map(requestFor));
      waiting.splice(0, batch.length);
      failures = 0;
      const recorded = results.filter(({ status }) => status === "appended").length;
      onOutcome("recorded", recorded);
      onOutcome("duplicate", batch.length - recorded);
      return true;
    } catch (err) {
      if (!(err instanceof LogUnavailable || err instanceof LogBusy)) {
        // A fault of ours, which the same lists would meet again: they must not stop those behind them.
        log.error({ err, lists: batch.length }, "lists that were served cannot be recorded");
        waiting.splice(0, batch.length);
        onOutcome("dropped", batch.length);
        return true;
      }
      failures += 1;
      log.warn({ err, waiting: waiting.length, failures }, "lists that were served could not be recorded yet");
      return false;
    }
  }

  async function end(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    await writing;
    await write();
    onOutcome("dropped", waiting.length);
    waiting.length = 0;
  }

  return {
    offer(list) {
      if (closed !== null || waiting.length >= bufferMax) return onOutcome("dropped", 1);
      waiting.push({ list, at: clock.now() });
      arm();
    },
    pending: () => waiting.length,
    close() {
      closed ??= end();
      return closed;
    },
  };
}

function requestFor({ list, at }: Waiting): AppendRequest {
  const data = list();
  const event = {
    eventId: derivedEventId("served", data.learnerId, data.selectionId),
    type: "ItemsServed",
    data,
    metadata: { schemaVersion: currentSchemaVersion },
    recordedAt: isoTime(at),
  };
  return { stream: servedStream(data.learnerId), expected: "any", events: [event] };
}
