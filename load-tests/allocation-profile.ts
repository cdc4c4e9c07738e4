import { Session } from "node:inspector/promises";
import { join } from "node:path";
import { readProfile } from "./bench/profile-reader.ts";

export interface AllocationSite {
  /** Function, file and line. */
  readonly site: string;
  /** Sampled: right to a few percent where it is much. */
  readonly bytes: number;
}

/** A sample is taken each so many bytes on average. */
const samplingInterval = 16_384;

/**
 * All that JavaScript allocates on its heap while `work` runs, by the function that does, most first: V8's sampling
 * profiler, with what the collector took away meanwhile. Memory outside of the heap (large buffers) is not in it.
 */
export async function allocationsOf(work: () => Promise<void>): Promise<AllocationSite[]> {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.enable");
  const collected = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
  await session.post("HeapProfiler.startSampling", { samplingInterval, ...collected });
  await work();
  const { profile } = await session.post("HeapProfiler.stopSampling");
  session.disconnect();
  const { functions } = readProfile(profile, join(import.meta.dirname, ".."));
  return functions.map(({ what, self }) => ({ site: what, bytes: self * 1000 }));
}
