import { Session } from "node:inspector/promises";

interface ProfileNode {
  readonly selfSize: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children: readonly ProfileNode[];
}

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
  const sites = new Map<string, number>();
  add(profile.head, sites);
  return Array.from(sites, ([site, bytes]) => ({ site, bytes })).sort((a, b) => b.bytes - a.bytes);
}

function add({ selfSize, callFrame, children }: ProfileNode, sites: Map<string, number>): void {
  if (selfSize > 0) {
    const { functionName, url, lineNumber } = callFrame;
    const file = url.replace(/^.*\/(src|node_modules|load-tests)\//, "$1/");
    const site = `${functionName || "(anonymous)"} ${file}:${lineNumber + 1}`;
    sites.set(site, (sites.get(site) ?? 0) + selfSize);
  }
  for (const child of children) add(child, sites);
}
