import { LRUCache } from "lru-cache";
import type { LearnerState } from "../domain/learner/learner-state.ts";
import type { LearnerEntry } from "./learner-rows.ts";

/** Decoded states that an owner keeps, by what they are likely to take: bytes for each pipeline, and for all of a fill. */
export const learnerMemoryBytes = { pipeline: 96 * 2 ** 20, fill: 512 * 2 ** 20 } as const;

/**
 * About what a decoded state takes on the heap, bytes: within a fifth of what was measured for states of LR-full of 1 to
 * 1,500 answers (learner-memory.test.ts). It takes 18 to 25 times the bytes that are stored.
 */
export function heapBytesOf({ ids }: Pick<LearnerState, "ids">): number {
  return 2_000 + 450 * ids.skills.list.length + 60 * ids.items.list.length;
}

/** What a partition's owner has in memory from batch to batch: the learners folded last, bounded in number and in bytes. */
export interface LearnerMemory {
  get(stream: string): LearnerEntry | undefined;
  /** Anew after each fold: a state grows. */
  set(stream: string, entry: LearnerEntry): void;
  delete(stream: string): void;
  clear(): void;
}

export function createLearnerMemory(
  learnersMax: number,
  bytesMax: number = learnerMemoryBytes.pipeline,
): LearnerMemory {
  const cache = new LRUCache<string, LearnerEntry>({ max: learnersMax, maxSize: bytesMax });
  return {
    get: (stream) => cache.get(stream),
    set: (stream, entry) => void cache.set(stream, entry, { size: heapBytesOf(entry.state) }),
    delete: (stream) => void cache.delete(stream),
    clear: () => cache.clear(),
  };
}
