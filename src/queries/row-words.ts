/** Who waits for the word that a row of a learner was written. */
export interface RowWords {
  /** Calls `wake` at the next word of this learner's row, or that some word was missed; returns what ends that. */
  listen(learnerId: string, wake: () => void): () => void;
  written(learnerId: string): void;
  /** Of whatever learner. */
  missed(): void;
}

export function createRowWords(): RowWords {
  const waiting = new Map<string, Set<() => void>>();
  return {
    listen(learnerId, wake) {
      const wakes = waiting.get(learnerId) ?? new Set();
      waiting.set(learnerId, wakes.add(wake));
      return () => {
        if (wakes.delete(wake) && wakes.size === 0) waiting.delete(learnerId);
      };
    },
    written(learnerId) {
      for (const wake of waiting.get(learnerId) ?? []) wake();
    },
    missed() {
      for (const wakes of waiting.values()) for (const wake of wakes) wake();
    },
  };
}
