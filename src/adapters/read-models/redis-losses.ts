/** What one server says of itself, and the epochs that its canaries hold; canaries it does not hold are left out. */
export interface ServerSeen {
  /** Another one after each start: the server's run_id. */
  readonly run: string;
  /** By canary: what was written when it was missing. It is gone with whatever else is flushed. */
  readonly epochs: ReadonlyMap<string, string>;
}

export interface Losses {
  listen(listener: () => void): () => void;
  /** Looks now; one look at a time, of calls meanwhile one more. Rejects where the servers cannot be asked. */
  look(): Promise<void>;
  close(): void;
}

export interface LossesDeps {
  /** Asks all servers that take writes. A missing canary is written anew, with an epoch of chance. */
  readonly ask: () => Promise<readonly ServerSeen[]>;
  readonly everyMs: number;
  readonly onError: (error: Error) => void;
}

/**
 * Notices that Redis may have lost writes: a canary that is gone or another (a flush), or that is kept by another run of
 * a server while the one before is gone (a restart, a fail-over). A slot that moved between two servers is no loss. Every
 * process looks for itself, so that the first to write a canary anew does not hide the loss from the others.
 */
export function createLosses({ ask, everyMs, onError }: LossesDeps): Losses {
  const listeners = new Set<() => void>();
  let known = new Map<string, { run: string; epoch: string }>();
  let looking: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  async function lookOnce(): Promise<void> {
    const servers = await ask();
    const runs = new Set(servers.map(({ run }) => run));
    const seen = new Map(known);
    let lost = false;
    for (const { run, epochs } of servers) {
      for (const [canary, epoch] of epochs) {
        const before = known.get(canary);
        seen.set(canary, { run, epoch });
        if (before !== undefined && (before.epoch !== epoch || (before.run !== run && !runs.has(before.run))))
          lost = true;
      }
    }
    known = seen;
    if (lost) for (const listener of listeners) listener();
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
