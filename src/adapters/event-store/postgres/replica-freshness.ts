/** Where the primary was known to stand, and when it was asked. */
interface Sample {
  readonly at: number;
  readonly position: number;
}

/**
 * Proves how old a replica's answers are, by nothing but positions: who has all that the primary had a while ago is at
 * most that while behind. (What a replica says of itself is no proof: one that is cut off has replayed all it received,
 * and one whose primary is idle looks older with each second.)
 */
export interface Freshness {
  /** Whether a replica at this position is within the bound now. */
  covers(position: number): boolean;
  /** Whether there is anything to prove it by. */
  known(): boolean;
  /** Asks the primary, unless that was done a moment ago or is being done. Never rejects. */
  refresh(): Promise<void>;
}

/** Asks at most so often in the time of the bound, so that there is nearly always a sample of nearly that age. */
const samplesPerBound = 8;

export function createFreshness(primaryHead: () => Promise<number>, maxLagMs: number, now: () => number): Freshness {
  let samples: Sample[] = [];
  let asking: Promise<void> | null = null;

  async function ask(): Promise<void> {
    // Of before the question: the answer may be a little younger, never older.
    const at = now();
    try {
      const position = await primaryHead();
      samples.push({ at, position });
    } catch {
      // The primary is gone: what is known grows old.
    } finally {
      asking = null;
    }
  }

  function valid(): Sample[] {
    samples = samples.filter(({ at }) => at >= now() - maxLagMs);
    return samples;
  }

  return {
    covers: (position) => valid().some((sample) => sample.position <= position),
    known: () => valid().length > 0,
    refresh() {
      const newest = samples[samples.length - 1]?.at ?? Number.NEGATIVE_INFINITY;
      if (asking === null && now() - newest >= maxLagMs / samplesPerBound) asking = ask();
      return asking ?? Promise.resolve();
    },
  };
}
