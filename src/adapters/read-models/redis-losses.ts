import type { Loss } from "../../ports/read-models.ts";

/** What one server says of itself, and the epochs that its canaries hold; canaries it does not hold are left out. */
export interface ServerSeen {
  /** Another one after each start: the server's run_id. */
  readonly run: string;
  /** By canary: what was written when it was missing. It is gone with whatever else is flushed. */
  readonly epochs: ReadonlyMap<string, string>;
}

export interface Losses {
  listen(listener: (rows: Loss) => void): () => void;
  /** Looks now; one look at a time, of calls meanwhile one more. Rejects where the servers cannot be asked. */
  look(): Promise<void>;
  /** Another server may answer for some keys now; `surely` where that is known. */
  ownerChanged(surely: boolean): void;
  close(): void;
}

export interface LossesDeps {
  /** Asks all servers that take writes. A missing canary is written anew, with an epoch of chance. */
  readonly ask: () => Promise<readonly ServerSeen[]>;
  readonly everyMs: number;
  readonly onError: (error: Error) => void;
}

/**
 * Notices that Redis may have lost writes: a canary that is gone or another (a flush), or is kept by another run of a
 * server than before (a restart, a fail-over; also a slot that was moved on purpose, which is no loss). Every process
 * looks for itself, so that the first to write a canary anew does not hide the loss from the others.
 */
export function createLosses({ ask, everyMs, onError }: LossesDeps): Losses {
  const listeners = new Set<(rows: Loss) => void>();
  const known = new Map<string, { run: string | null; epoch: string }>();
  let looking: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  function tell(rows: Loss): void {
    for (const listener of listeners) listener(rows);
  }

  async function lookOnce(): Promise<void> {
    let lost: Loss | null = null;
    for (const { run, epochs } of await ask()) {
      for (const [canary, epoch] of epochs) {
        const before = known.get(canary);
        known.set(canary, { run, epoch });
        if (before === undefined) continue;
        if (before.epoch !== epoch) lost = "any";
        else if (before.run !== null && before.run !== run) lost ??= "newest";
      }
    }
    if (lost !== null) tell(lost);
  }

  function look(): Promise<void> {
    if (looking === null) {
      looking = lookOnce().finally(() => {
        looking = null;
      });
      return looking;
    }
    next ??= looking
      .catch(() => undefined)
      .then(() => {
        next = null;
        return look();
      });
    return next;
  }

  const timer = setInterval(() => look().catch(onError), everyMs);
  timer.unref();
  return {
    look,
    ownerChanged(surely) {
      if (surely) {
        for (const [canary, { epoch }] of known) known.set(canary, { run: null, epoch });
        tell("newest");
      }
      look().catch(onError);
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      clearInterval(timer);
      listeners.clear();
    },
  };
}
