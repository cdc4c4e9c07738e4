import { newLearnerState, type Transition } from "../domain/learner/learner-state.ts";
import type { StoredEvent } from "../domain/stored-event.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { ReadModels } from "../ports/read-models.ts";
import type { Counters } from "./counters.ts";
import { foldFromStart, foldStream, type LearnerFoldDeps } from "./learner-fold.ts";
import { type LearnerEntry, learnerWrite } from "./learner-rows.ts";
import { entryInPast } from "./past-entry.ts";
import type { Parked } from "./rows.ts";

export type RetryResult =
  | { readonly status: "released"; readonly revision: number; readonly events: number }
  | { readonly status: "still_parked"; readonly parked: Parked }
  | { readonly status: "not_parked" };

export class TooManyRetries extends Error {
  override readonly name = "TooManyRetries";
}

export interface ParkingDeps extends LearnerFoldDeps {
  readonly readModels: ReadModels;
  readonly clock: Clock;
  readonly namespace: string;
  readonly listSize: number;
  readonly log: Log;
}

/** What happens to streams that cannot be folded. */
export interface Parking {
  park(learner: { readonly stream: string }, event: StoredEvent, error: unknown, countedBefore: number): Parked;
  /** Folds what comes before the bad event of those parked since, from the stream: the state in memory is spoilt. */
  settle(): Promise<void>;
  /** Writes what was settled. */
  writeSettled(): Promise<void>;
  retry(stream: string): Promise<RetryResult>;
  answerRetries(counters: Counters, position: number, writeCounters: () => Promise<void>): Promise<void>;
  /** After an error: nothing of the batch in hand counts. Requests stay. */
  forget(): void;
  close(): void;
}

interface Request {
  readonly stream: string;
  resolve(result: RetryResult): void;
  reject(error: unknown): void;
}

const requestsMax = 100;

export function createParking(deps: ParkingDeps): Parking {
  const { readModels, model, namespace, clock, log } = deps;
  let requests: Request[] = [];
  let closed = false;
  const fresh: Parked[] = [];
  const settled: LearnerEntry[] = [];

  const entryOf = (stream: string, state: LearnerEntry["state"]): Promise<LearnerEntry> =>
    entryInPast(deps, stream, state, deps.listSize);

  async function write(entry: LearnerEntry): Promise<void> {
    await readModels.write([learnerWrite(namespace, entry, model, "older")]);
  }

  async function answer(
    request: Request,
    counters: Counters,
    position: number,
    writeCounters: () => Promise<void>,
  ): Promise<RetryResult> {
    const { stream } = request;
    const parked = counters.parked.get(stream);
    if (parked === undefined) return { status: "not_parked" };
    const state = newLearnerState(model);
    const uncounted: Transition[] = [];
    const failure = await foldStream(deps, {
      stream,
      state,
      toRevision: Number.POSITIVE_INFINITY,
      toPosition: position,
      onTransition(transition, event) {
        if (event.position >= parked.position) uncounted.push(transition);
      },
    });
    const good = failure === null ? state : await foldFromStart(deps, stream, failure.event.revision - 1);
    // The row first: whatever happens next, the parked entry stands until the counters hold these events.
    if (good.revision > 0) await write(await entryOf(stream, good));
    for (const transition of uncounted) counters.count(transition);
    if (failure === null) counters.release(stream);
    else counters.park(parkedAgain(parked, failure.event, failure.error));
    await writeCounters();
    const still = counters.parked.get(stream);
    if (still !== undefined) return { status: "still_parked", parked: still };
    return { status: "released", revision: good.revision, events: good.revision - parked.revision + 1 };
  }

  return {
    park({ stream }, event, error, countedBefore) {
      const parked: Parked = {
        stream,
        revision: event.revision,
        position: countedBefore,
        error: messageOf(error),
        at: new Date(clock.now()).toISOString(),
        attempts: 1,
      };
      log.error({ err: error, stream, revision: event.revision, position: event.position }, "learner parked");
      fresh.push(parked);
      return parked;
    },
    async settle() {
      for (const { stream, revision } of fresh) {
        if (revision > 1) settled.push(await entryOf(stream, await foldFromStart(deps, stream, revision - 1)));
      }
      fresh.length = 0;
    },
    async writeSettled() {
      for (const entry of settled) await write(entry);
      settled.length = 0;
    },
    retry(stream) {
      if (closed) return Promise.reject(new Error("the projector was stopped"));
      if (requests.length >= requestsMax)
        return Promise.reject(new TooManyRetries(`${requestsMax} retries wait already`));
      return new Promise((resolve, reject) => requests.push({ stream, resolve, reject }));
    },
    async answerRetries(counters, position, writeCounters) {
      while (requests.length > 0) {
        const request = requests.shift();
        if (request === undefined) return;
        try {
          request.resolve(await answer(request, counters, position, writeCounters));
        } catch (error) {
          request.reject(error);
          throw error;
        }
      }
    },
    forget() {
      fresh.length = 0;
      settled.length = 0;
    },
    close() {
      closed = true;
      for (const request of requests) request.reject(new Error("the projector was stopped"));
      requests = [];
    },
  };
}

function parkedAgain(parked: Parked, event: StoredEvent, error: unknown): Parked {
  return {
    ...parked,
    revision: event.revision,
    position: Math.max(parked.position, event.position),
    error: messageOf(error),
    attempts: parked.attempts + 1,
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 2000);
