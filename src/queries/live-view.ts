import type { Clock } from "../ports/clock.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { decodeLiveView, type LiveView, liveKey, viewField } from "../projections/rows.ts";

export interface LiveViewReader {
  /** Which rows to read; null while no projection has ever started. Looks again each second, beside the queries. */
  current(): LiveView | null | Promise<LiveView | null>;
}

const lookAgainMs = 1_000;

/** Rows that a switch leaves behind stay for a while, so a view a second old still answers. */
export function createLiveViewReader(readModels: ReadModels, clock: Clock): LiveViewReader {
  let known: LiveView | null = null;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<LiveView | null> | null = null;

  function look(): Promise<LiveView | null> {
    looking ??= readModels
      .get(liveKey, viewField)
      .then((bytes) => {
        known = decodeLiveView(bytes);
        lookedAt = clock.now();
        return known;
      })
      .finally(() => {
        looking = null;
      });
    return looking;
  }

  return {
    current() {
      if (known === null) return look();
      // A failure here is found by the query itself, which reads right after.
      // A clock that is set back must not stop it.
      if (Math.abs(clock.now() - lookedAt) > lookAgainMs) look().catch(() => undefined);
      return known;
    },
  };
}
