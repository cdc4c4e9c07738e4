import { setTimeout as sleep } from "node:timers/promises";
import { SqlError } from "../adapters/engines/sql.ts";
import { LogUnavailable } from "../ports/event-store.ts";
import { StreamUnavailable } from "../ports/event-stream.ts";
import { JobsUnavailable } from "../ports/job-queue.ts";
import type { Log } from "../ports/log.ts";
import { ReadModelsUnavailable } from "../ports/read-models.ts";
import { Explained } from "./explained.ts";
import { type Lifecycle, Stopped } from "./lifecycle.ts";

/** An engine could not be opened: one line that says which, why, and what to do. */
export class EngineUnavailable extends Explained {
  override readonly name = "EngineUnavailable";
}

/** How long a start waits for engines, all together. */
export interface Patience {
  /**
   * Opens it, or does a first piece of work with it, again and again while it is not there yet: an engine that answered a moment ago may
   * be gone at the next step of a start. Rejects with what the last try said, or with Stopped.
   */
  untilOpen<T>(engine: string, open: () => Promise<T>): Promise<T>;
}

/** For commands: an engine answers now or not at all. */
export const noPatience: Patience = { untilOpen: (_engine, open) => open() };

const pauseMs = { first: 50, max: 500 };
const tellEveryMs = 1000;
const lookWhetherStoppedMs = 50;

export function createPatience(options: {
  readonly forMs: number;
  readonly life: Pick<Lifecycle, "stopping">;
  readonly log: Log;
}): Patience {
  const { forMs, life, log } = options;
  const startedAt = performance.now();
  const until = startedAt + forMs;
  let toldAt = Number.NEGATIVE_INFINITY;

  function tell(engine: string, error: unknown): void {
    const now = performance.now();
    if (now - toldAt < tellEveryMs) return;
    toldAt = now;
    const left = Math.ceil((until - now) / 1000);
    log.warn({ why: reasonOf(error) }, `waiting for ${engine}, for ${left} s more (PROXIMAL_START_TIMEOUT_S)`);
  }

  /** A try may hang for long, and whoever stops the process has no use for what comes of it. */
  async function orStopped<T>(engine: string, trying: Promise<T>): Promise<T> {
    let look: NodeJS.Timeout | undefined;
    const stopped = new Promise<never>((_, reject) => {
      look = setInterval(() => {
        if (life.stopping) reject(new Stopped(`${engine}: stopped while waiting for it`));
      }, lookWhetherStoppedMs);
    });
    try {
      return await Promise.race([trying, stopped]);
    } finally {
      clearInterval(look);
    }
  }

  return {
    async untilOpen(engine, open) {
      for (let pause = pauseMs.first; ; pause = Math.min(pause * 2, pauseMs.max)) {
        try {
          return await orStopped(engine, open());
        } catch (error) {
          if (error instanceof Stopped || performance.now() + pause > until || !mayComeYet(error)) throw error;
          tell(engine, error);
        }
        await orStopped(engine, sleep(pause));
      }
    },
  };
}

/** A refusal for good (a wrong password, another log's rows, a newer schema) is no reason to wait. */
function mayComeYet(error: unknown): boolean {
  if ([LogUnavailable, StreamUnavailable, JobsUnavailable].some((kind) => error instanceof kind)) return true;
  if (error instanceof SqlError) return error.transient;
  if (error instanceof ReadModelsUnavailable) return !/WRONGPASS|NOAUTH|NOPERM|invalid password/i.test(reasonOf(error));
  return false;
}

export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
