import { createBreaker, type Guard, type NotAsked } from "../adapters/engines/breaker.ts";
import { isServerGone } from "../adapters/engines/postgres.ts";
import { SqlError } from "../adapters/engines/sql.ts";
import type { EngineMetrics } from "../http/engine-metrics.ts";
import { LogNotAsked, LogUnavailable } from "../ports/event-store.ts";
import { StreamUnavailable } from "../ports/event-stream.ts";
import { JobsUnavailable } from "../ports/job-queue.ts";
import type { Log } from "../ports/log.ts";
import { ReadModelsUnavailable } from "../ports/read-models.ts";
import { reasonOf } from "./wait-for-engine.ts";

type UnavailableError = new (message: string, options?: ErrorOptions) => Error;

interface Kind {
  readonly opensAt: Parameters<typeof createBreaker>[0]["opensAt"];
  readonly isFailure: (error: unknown) => boolean;
  readonly refusal: (message: string, cause: NotAsked) => Error;
  /** Of PROXIMAL_BREAKER_OPEN_MS. */
  readonly openShare: number;
}

const inARow = { failuresInARow: 5 } as const;
const of = (unavailable: UnavailableError, refusal = unavailable) => ({
  isFailure: (error: unknown) => error instanceof unavailable,
  refusal: (message: string, cause: NotAsked) => new refusal(message, { cause }),
});

/** What failing means for each kind of engine. A server that answers with a refusal has not failed. */
const kinds = {
  postgres: {
    ...{ opensAt: inARow, openShare: 1, isFailure: isServerGone },
    refusal: (message, cause) => new SqlError(message, null, cause),
  },
  eventStoreDb: { ...of(LogUnavailable, LogNotAsked), opensAt: inARow, openShare: 1 },
  // One master of three may be gone: the share says so. Queries have an answer without rows, but it is an older one.
  rowReads: { ...of(ReadModelsUnavailable), opensAt: { failedShare: 0.8 }, openShare: 0.25 },
  rowWrites: { ...of(ReadModelsUnavailable), opensAt: inARow, openShare: 1 },
  jobs: { ...of(JobsUnavailable), opensAt: inARow, openShare: 1 },
  kafka: { ...of(StreamUnavailable), opensAt: inARow, openShare: 1 },
} as const satisfies Record<string, Kind>;

/** The circuit breakers of a process. */
export interface Breakers {
  /** One for this engine; `engine` names it in metrics and log. */
  before(engine: string, kind: keyof typeof kinds): Guard;
}

/** A command asks once and says what came of it: it has none. */
export const noBreakers: Breakers = { before: () => (work) => work() };

export function createBreakers(breakerOpenMs: number, metrics: EngineMetrics, log: Log): Breakers {
  if (breakerOpenMs === 0) return noBreakers;
  return {
    before(engine, kind) {
      const { openShare, ...rules } = kinds[kind];
      const openMs = breakerOpenMs * openShare;
      const observer = metrics.observeBreaker(engine);
      let told = false;
      return createBreaker({
        ...{ ...rules, engine, openMs, onRefused: observer.refused },
        onChange(state, why) {
          observer.changed(state);
          // An outage is told when it begins and when it ends, not at each try.
          if (state === "open" && !told)
            log.warn({ engine, openMs, why: reasonOf(why) }, "circuit open: engine not asked");
          if (state === "closed") log.info({ engine }, "circuit closed: engine answers again");
          if (state !== "half_open") told = state === "open";
        },
      });
    },
  };
}
