/**
 * One read under way at a time, however many ask: who asks while one is under way gets what the next one reads, together with all
 * others who do. So whatever was done before the call shows in the answer.
 */
export function oneAtATime<T>(read: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> | null = null;
  let next: Promise<T> | null = null;
  return () => {
    next ??= (async () => {
      // Also where nothing runs: those who ask in the same turn share a read.
      await running;
      const reading = read();
      next = null;
      running = reading.catch(() => undefined);
      return reading;
    })();
    return next;
  };
}
