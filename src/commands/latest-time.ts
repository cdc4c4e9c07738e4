import type { Clock } from "../ports/clock.ts";

/**
 * The latest time that a process can vouch for, in milliseconds since 1970: what its clock showed at some moment, and what has
 * passed since by `ticks`, milliseconds that nobody sets. A clock that is set back falls behind it, so that what happened
 * just now does not look like something to come.
 */
export function createLatestTime(clock: Clock, ticks: () => number): () => number {
  let [shown, at] = [clock.now(), ticks()];
  return () => {
    const [now, tick] = [clock.now(), ticks()];
    const latest = shown + (tick - at);
    if (now < latest) return latest;
    [shown, at] = [now, tick];
    return now;
  };
}
