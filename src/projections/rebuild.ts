import type { ReadModels } from "../ports/read-models.ts";
import { type Comparison, compareNamespaces } from "./digest.ts";
import { readView, removeGenerations, switchView } from "./live-view.ts";
import type { Pipelines } from "./pipelines.ts";
import { generationOf } from "./rows.ts";

export interface RebuildProgress {
  /** Of the slowest partition. */
  readonly position: number;
  readonly head: number;
  /** Events read so far, by all partitions. */
  readonly events: number;
}

export interface Rebuilt {
  readonly namespace: string;
  /** Where both stood when they were compared. */
  readonly position: number;
  readonly events: number;
  readonly comparison: Comparison;
}

export interface RebuildOptions {
  readonly readModels: ReadModels;
  /** Goes on serving until the switch. */
  readonly live: Pipelines;
  /** Just started on a namespace without rows. */
  readonly shadow: Pipelines;
  readonly head: () => Promise<number>;
  onProgress?(progress: RebuildProgress): void;
  readonly progressMs?: number;
  readonly signal?: AbortSignal;
}

const meetingsMax = 20;

/**
 * Lets the shadow catch up with the log beside the live rows, stops both at one position, compares them, and makes
 * queries read the shadow's. Queries go on all the while; the projection stands still while the rows are compared.
 * The namespace before is kept, for going back; older ones are removed. Rejects, changing nothing, when aborted or
 * when another process switched meanwhile. Afterwards the caller stops the old pipelines.
 */
export async function rebuild(options: RebuildOptions): Promise<Rebuilt> {
  const { readModels, live, shadow } = options;
  const { version } = await readView(readModels);
  const progress = watch(options);
  try {
    await shadow.caughtUp();
    options.signal?.throwIfAborted();
    const position = await meet(live, shadow);
    const comparison = await compareNamespaces(readModels, live.view.namespace, shadow.view.namespace);
    options.signal?.throwIfAborted();
    if (!(await switchView(readModels, shadow.view, version))) throw new Error("another process switched the rows");
    shadow.gate.release();
    const kept = generationOf(live.view.namespace);
    await removeGenerations(readModels, (generation) => generation < kept);
    return { namespace: shadow.view.namespace, position, events: eventsOf(shadow), comparison };
  } finally {
    progress.stop();
    live.gate.release();
  }
}

/** Holds both at one position: the farther one's. What was under way when a gate closed may pass it once. */
async function meet(live: Pipelines, shadow: Pipelines): Promise<number> {
  for (let meeting = 0; meeting < meetingsMax; meeting += 1) {
    const positions = [...live.positions(), ...shadow.positions()];
    const position = Math.max(...positions);
    if (meeting > 0 && positions.every((one) => one === position)) return position;
    live.gate.hold(position);
    shadow.gate.hold(position);
    await Promise.all([live.caughtUp(), shadow.caughtUp()]);
  }
  throw new Error("live and rebuilt rows did not come to stand at one position");
}

const eventsOf = (pipelines: Pipelines): number =>
  pipelines.statuses().reduce((sum, status) => sum + status.eventsIn, 0);

function watch({ shadow, head, onProgress, progressMs = 500 }: RebuildOptions): { stop(): void } {
  if (onProgress === undefined) return { stop: () => undefined };
  const tell = async (): Promise<void> => {
    const now = { position: Math.min(...shadow.positions()), head: await head(), events: eventsOf(shadow) };
    onProgress(now);
  };
  // A head that cannot be read now leaves this report out.
  const timer = setInterval(() => void tell().catch(() => undefined), progressMs);
  return { stop: () => clearInterval(timer) };
}
