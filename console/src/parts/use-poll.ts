import { useEffect, useRef, useState } from "preact/hooks";
import { type ApiProblem, problemFrom } from "../api/client.ts";

export interface Polled<T> {
  /** The last that was answered; null before the first. */
  readonly data: T | null;
  /** When that was. Milliseconds; null before the first. */
  readonly at: number | null;
  /** Why the last question was not answered; null where it was. */
  readonly problem: ApiProblem | null;
}

const nothing = { data: null, at: null, problem: null };

/**
 * Asks again and again while the page can be seen: a pause after each answer, a longer one after a failure. What was
 * answered stays until there is something newer, also where `about`, which says what is asked for, is another. null asks
 * nothing.
 */
export function usePoll<T>(
  about: string,
  ask: ((signal: AbortSignal) => Promise<T>) | null,
  everyMs = 1_000,
): Polled<T> & { again(): void } {
  const [polled, setPolled] = useState<Polled<T>>(nothing);
  const latest = useRef(ask);
  latest.current = ask;
  const look = useRef<() => void>(() => undefined);
  const asks = ask !== null;
  const pauseMs = useRef(everyMs);
  pauseMs.current = everyMs;

  useEffect(() => {
    // Until the answer to another question comes, that to the one before stays in sight.
    setPolled(({ data }) => ({ ...nothing, data }));
    if (!asks) return;
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking = false;

    async function once(): Promise<void> {
      clearTimeout(timer);
      if (asking || document.hidden || latest.current === null) return;
      asking = true;
      let failed = false;
      try {
        const data = await latest.current(ended.signal);
        if (!ended.signal.aborted) setPolled({ data, at: Date.now(), problem: null });
      } catch (error) {
        failed = true;
        if (!ended.signal.aborted) setPolled((before) => ({ ...before, problem: problemFrom(error) }));
      } finally {
        asking = false;
        if (!ended.signal.aborted) timer = setTimeout(() => void once(), pauseMs.current * (failed ? 3 : 1));
      }
    }

    const seen = (): void => void once();
    look.current = seen;
    document.addEventListener("visibilitychange", seen);
    seen();
    return () => {
      ended.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [about, asks]);

  return { ...polled, again: () => look.current() };
}

/** The time, again each second. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
