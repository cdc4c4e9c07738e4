import { LRUCache } from "lru-cache";
import type { Clock } from "../../ports/clock.ts";
import { openPast, type Past, type PastDeps } from "./past.ts";
import { createPlaces } from "./place.ts";

export interface TimeTravel {
  /**
   * Everything as it stood at a time or position (see `Places.find`), or stands now (null). Rejects with NoSuchPlace, and with {@link PastBusy}
   * while too many ask already.
   */
  ask<T>(at: string | null, question: (past: Past) => Promise<T>): Promise<T & { readonly at: At }>;
}

/** Where an answer about the past stands in the log. */
export interface At {
  readonly position: number;
  /** ISO 8601. */
  readonly time: string;
}

/** So many questions about the past are being answered that the present would suffer: ask again in a moment. */
export class PastBusy extends Error {
  override readonly name = "PastBusy";
}

/** Places whose catalogue and rows stay in memory. */
const pastsKept = 4;
/** Questions answered at a time: each takes its turns on the thread that answers live queries as well. */
const questionsMax = 8;

export function createTimeTravel(deps: PastDeps & { readonly clock: Clock }): TimeTravel {
  const places = createPlaces(deps.feed, deps.clock.now);
  const pasts = new LRUCache<number, Promise<Past>>({ max: pastsKept });
  let asked = 0;

  async function open(at: string | null): Promise<Past> {
    const now = { position: at === null ? await deps.feed.head() : 0, time: deps.clock.now() };
    const place = at === null ? now : await places.find(at);
    const known = pasts.get(place.position);
    const opened = known ?? openPast(deps, place);
    pasts.set(place.position, opened);
    opened.catch(() => pasts.delete(place.position));
    // Two times between two events differ by the clock only.
    return { ...(await opened), place, clock: { now: () => place.time } };
  }

  return {
    async ask(at, question) {
      if (asked >= questionsMax) throw new PastBusy(`${questionsMax} questions about the past are being answered`);
      asked += 1;
      try {
        const past = await open(at);
        return { ...(await question(past)), at: atOf(past) };
      } finally {
        asked -= 1;
      }
    },
  };
}

export const atOf = ({ place: { position, time } }: Past): At => ({ position, time: new Date(time).toISOString() });
