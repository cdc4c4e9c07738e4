import type { KeptField } from "./row-memory.ts";

/** Reads beside the requests that are under way at once, and that are begun each second because rows grow old. */
const underWayMax = 1_000;
const agedMax = 2_000;
const lookMs = 1_000;
/** A row that holds for no longer than this is read again, where somebody asked for it within the other. */
const soonMs = 1_500;
const askedLatelyMs = 30_000;
/** What else of a learner was asked for within this is read again beside what was asked for since it was read. */
const usedMs = 300_000;

export interface RowRefresh {
  /** The row was written; these fields of it are in memory. */
  written(fields: readonly KeptField[]): void;
  close(): void;
}

export interface RowRefreshDeps {
  /** Reads a field of a row into memory. */
  readonly read: (field: KeptField) => Promise<unknown>;
  readonly all: () => Iterable<KeptField>;
  readonly now: () => number;
}

/**
 * Reads rows again before they are asked for, so that the next question finds them in memory: at the word of a write, where a
 * learner was asked about since the last read, which is at most once for each question; and before their time is over, where a
 * learner who came back once asked lately. At a write all is read that was in use: who looks at scores, or asks for what no list
 * has, does so after an answer. What is beyond the bounds is read when it is asked for.
 */
export function createRowRefresh({ read, all, now }: RowRefreshDeps): RowRefresh {
  let underWay = 0;

  function again(field: KeptField): void {
    if (underWay >= underWayMax) return;
    underWay += 1;
    const over = (): void => {
      underWay -= 1;
    };
    // Whoever asks for it finds out what the trouble is.
    read(field).then(over, over);
  }

  const timer = setInterval(() => {
    const time = now();
    let left = agedMax;
    for (const field of all()) {
      const { bytes, asks, askedAt, holdsUntil } = field;
      if (bytes === null || asks < 2 || time - askedAt > askedLatelyMs) continue;
      if (holdsUntil < time || holdsUntil - time > soonMs) continue;
      again(field);
      left -= 1;
      if (left === 0) break;
    }
  }, lookMs);
  timer.unref();
  return {
    written(fields) {
      if (!fields.some(({ askedAt, readAt }) => askedAt >= readAt)) return;
      const since = now() - usedMs;
      for (const field of fields) if (field.askedAt >= since) again(field);
    },
    close: () => clearInterval(timer),
  };
}
