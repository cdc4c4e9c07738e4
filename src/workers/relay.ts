import type { Blobs } from "../ports/blobs.ts";
import type { StreamMessage, StreamWriter } from "../ports/event-stream.ts";
import type { Feed, FeedPage } from "../ports/feed.ts";
import type { Lease } from "../ports/lease.ts";
import type { Log } from "../ports/log.ts";
import { projected } from "../projections/context.ts";
import { createReadAhead } from "../projections/read-ahead.ts";
import { type RunningProjection, runProjection } from "../projections/run-projection.ts";
import { loadRelayState, type RelayState, saveRelayState } from "./relay-state.ts";
import { createSoleOwner, type Work } from "./sole-owner.ts";
import { ownerOf } from "./stream-projector-input.ts";

export interface RelayDeps {
  readonly feed: Feed;
  readonly stream: StreamWriter;
  /** Where it remembers how far it is. */
  readonly blobs: Blobs;
  readonly lease: Lease;
  /** Names this run of this process. */
  readonly holder: string;
  readonly log: Log;
}

export interface RelayOptions {
  /** Events read and sent at once, at the most. */
  readonly batchSize?: number;
  /** How long the lease outlives a relay that says nothing more. */
  readonly leaseMs?: number;
  /** At least so long between two savings of the position; what was sent since is sent again after a crash. */
  readonly saveEveryMs?: number;
  /** At least so long between two marks that tell partitions without events how far the log is. */
  readonly markEveryMs?: number;
  /** So often every partition is told, be there news or not: readers learn what a stream has lost at its end. */
  readonly remindEveryMs?: number;
  /** A loop that does not turn for so long is replaced. */
  readonly stalledMs?: number;
  /** First pause after an error. */
  readonly retryMs?: number;
}

export interface RelayStatus {
  /** Whether it relays; else it stands by for another that does. */
  readonly active: boolean;
  /** Everything up to here is in the stream; null while it stands by. */
  readonly position: number | null;
  /** Since the process started. */
  readonly events: number;
  readonly messages: number;
  readonly errors: number;
  readonly lastError: string | null;
}

export interface Relay {
  /** Resolves once it is known whether this one relays or stands by. Idempotent. */
  start(): Promise<void>;
  /** Finishes the batch in hand, saves the position, and lets another take over. Idempotent. */
  stop(): Promise<void>;
  position(): number | null;
  status(): RelayStatus;
  /** Resolves once everything that stood in the log at the call is in the stream; rejects while it stands by. */
  caughtUp(): Promise<void>;
}

/**
 * Sends the log to the stream, in log order. One relay works at a time, by a lease. It remembers its position only
 * after the stream has acknowledged, so that a crash, and a second relay that does not know yet that it lost the lease,
 * send messages again; readers drop these by their positions.
 */
export function createRelay(deps: RelayDeps, options: RelayOptions = {}): Relay {
  const { lease, holder, log, stream } = deps;
  const counts = { events: 0, messages: 0, errors: 0, lastError: null as string | null };
  let term: Term | null = null;
  const owner = createSoleOwner({
    lease,
    name: `relay ${stream.name}`,
    holder,
    log,
    ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
    begin(): Work {
      const begun = startTerm(deps, options, counts);
      term = begun;
      return {
        async stop() {
          term = null;
          await begun.stop();
        },
      };
    },
  });
  return {
    start: owner.start,
    stop: owner.stop,
    position: () => term?.position() ?? null,
    status: () => ({ active: term !== null, position: term?.position() ?? null, ...counts }),
    caughtUp: () => term?.caughtUp() ?? Promise.reject(new Error("another process relays")),
  };
}

interface Term {
  position(): number;
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
}

interface Counts {
  events: number;
  messages: number;
  errors: number;
  lastError: string | null;
}

const idleWaitMsMin = 5;

/** While this process has the lease. */
function startTerm(deps: RelayDeps, options: RelayOptions, counts: Counts): Term {
  const { feed, stream, blobs, log } = deps;
  const { saveEveryMs = 1_000, markEveryMs = 1_000, remindEveryMs = 10_000, stalledMs = 60_000, retryMs } = options;
  let state: RelayState | null = null;
  let savedPosition = -1;
  let savedAt = performance.now();
  let markedAt = Number.NEGATIVE_INFINITY;
  let remindedAt = Number.NEGATIVE_INFINITY;
  let turnedAt = performance.now();
  let runs = 0;

  /** What is in memory was acknowledged; only a new term has to ask what the one before remembered. */
  async function load(): Promise<number> {
    state ??= await loadRelayState(blobs, stream, await feed.head(), log);
    return state.position;
  }

  function loaded(): RelayState {
    if (state === null) throw new Error("the relay handles a page before it has loaded its state");
    return state;
  }

  async function send(next: RelayState, messages: readonly StreamMessage[], events: number): Promise<void> {
    const mine = runs;
    if (messages.length > 0) await stream.send(messages);
    // A loop that was replaced must not take the state back: a `prev` from then would hide what was sent since.
    if (mine !== runs) throw new Error("this loop was replaced");
    state = next;
    counts.messages += messages.length;
    counts.events += events;
  }

  async function mark(): Promise<void> {
    if (performance.now() - markedAt < markEveryMs) return;
    markedAt = performance.now();
    const { position, last, told } = loaded();
    const remind = markedAt - remindedAt >= remindEveryMs;
    if (remind) remindedAt = markedAt;
    const messages = last.flatMap((prev, partition) =>
      (told[partition] ?? 0) < position || remind ? [{ partition, position, prev, event: null }] : [],
    );
    await send({ position, last, told: told.map(() => position) }, messages, 0);
  }

  async function save(): Promise<void> {
    savedAt = performance.now();
    if (state === null || state.position === savedPosition) return;
    const { position } = state;
    try {
      await saveRelayState(blobs, stream, state);
      savedPosition = position;
    } catch (err) {
      // Nothing is lost: more is sent twice after a crash.
      log.warn({ err, position }, "the relay's position could not be saved");
    }
  }

  function run(): RunningProjection {
    turnedAt = performance.now();
    runs += 1;
    return runProjection({
      name: `relay ${stream.name}`,
      feed: createReadAhead(feed, 0),
      filter: projected,
      batchSize: options.batchSize ?? 1_000,
      load,
      async handle(page) {
        const { next, messages } = messagesOf(loaded(), page, stream.partitions);
        await send(next, messages, page.events.length);
        return page.position;
      },
      async between() {
        turnedAt = performance.now();
        await mark();
        if (performance.now() - savedAt >= saveEveryMs) await save();
      },
      onError(error) {
        counts.errors += 1;
        counts.lastError = error instanceof Error ? error.message : String(error);
      },
      log,
      ...(retryMs === undefined ? {} : { retryMs }),
      idleWaitMs: Math.min(1_000, Math.max(idleWaitMsMin, Math.min(markEveryMs, saveEveryMs))),
    });
  }

  let loop = run();
  const watchdog = setInterval(() => {
    if (performance.now() - turnedAt < stalledMs) return;
    log.error({ position: state?.position }, "the relay stands still: its loop is replaced");
    void loop.stop();
    loop = run();
  }, stalledMs / 4);

  return {
    position: () => state?.position ?? 0,
    caughtUp: () => loop.caughtUp(),
    async stop() {
      clearInterval(watchdog);
      await loop.stop();
      await save();
    },
  };
}

/** What a page says to each partition, and the state once that is acknowledged. */
function messagesOf(state: RelayState, page: FeedPage, partitions: number) {
  const last = [...state.last];
  const told = [...state.told];
  const messages: StreamMessage[] = [];
  const all = last.map((_, partition) => partition);
  for (const event of page.events) {
    const owner = ownerOf(event, partitions);
    for (const partition of owner === "all" ? all : owner === null ? [] : [owner]) {
      messages.push({ partition, position: event.position, prev: last[partition] ?? 0, event });
      last[partition] = event.position;
      told[partition] = event.position;
    }
  }
  return { next: { position: page.position, last, told }, messages };
}
