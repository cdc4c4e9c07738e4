import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { oneAtATime } from "../projections/one-at-a-time.ts";
import { partitionOf } from "../projections/partition.ts";
import type { RebuildProgress, Rebuilt } from "../projections/rebuild.ts";
import { rebuildKey, retriesKey } from "../projections/rows.ts";
import { askedRetries, dropRetry, readRebuild, reportNow } from "./operator-rows.ts";
import { reportedRebuild } from "./reported-rebuild.ts";
import type { ProjectorHere } from "./shared-operations.ts";

export interface RebuildWork {
  readonly rollback: boolean;
  readonly signal: AbortSignal;
  onProgress(progress: RebuildProgress): void;
}

export interface OperatorRequestsDeps {
  readonly readModels: ReadModels;
  readonly clock: Clock;
  readonly log: Log;
  readonly partitions: number;
  /** null: others project. */
  readonly projector: ProjectorHere | null;
  rebuild(work: RebuildWork): Promise<Rebuilt>;
  /** How long a rebuild is left to processes that have more time, milliseconds. */
  readonly leaveRebuildsMs: number;
  /** For the case that the word of a change is lost. */
  readonly pollMs?: number;
}

export interface OperatorRequests {
  /** A rebuild under way ends, and says so. Idempotent. */
  stop(): Promise<void>;
}

/** Does what operators asked of other processes: tries learners of its own partitions again, and rebuilds. */
export function takeOperatorRequests(deps: OperatorRequestsDeps): OperatorRequests {
  const { readModels, clock, log, partitions, projector, pollMs = 1_000 } = deps;
  const ending = new AbortController();
  const retrying = new Set<string>();
  let rebuilding: Promise<void> | null = null;

  /** One that takes long, as its partition is in trouble, keeps nobody waiting. At most as many as may be asked for. */
  async function retryMine(projecting: ProjectorHere): Promise<void> {
    const owned = new Set(projecting.status().map(({ partition }) => partition));
    for (const learnerId of await askedRetries(readModels)) {
      if (!owned.has(partitionOf(learnerId, partitions)) || retrying.has(learnerId)) continue;
      retrying.add(learnerId);
      retry(projecting, learnerId)
        .catch(
          (err: unknown) =>
            ending.signal.aborted || log.warn({ err }, "a learner could not be tried again, as an operator asked"),
        )
        .finally(() => retrying.delete(learnerId));
    }
  }

  async function retry(projecting: ProjectorHere, learnerId: string): Promise<void> {
    const { status } = await projecting.retry(learnerId);
    log.info({ status }, "a learner was tried again, as an operator asked");
    await dropRetry(readModels, learnerId);
  }

  async function takeRebuild(): Promise<void> {
    const { stored, version } = await readRebuild(readModels);
    if (stored === null || reportNow(stored, clock.now()).status !== "waiting") return;
    if (clock.now() - Date.parse(stored.heardAt) < deps.leaveRebuildsMs) return;
    const { rollback, report } = stored;
    const { signal } = ending;
    rebuilding = reportedRebuild({ readModels, clock, log, name: report.name, rollback, version }, (onProgress) =>
      deps.rebuild({ rollback, signal, onProgress }),
    )
      .then(
        (rebuilt) => {
          if (rebuilt === null) return;
          const { comparison, ...rest } = rebuilt;
          if ((comparison?.different ?? 0) > 0) log.warn(rebuilt, "rebuilt rows differ from the ones before");
          else log.info(rest, rollback ? "rolled back, as an operator asked" : "rebuilt, as an operator asked");
        },
        (err: unknown) => log.error({ err }, "rebuild failed; the rows before stay in use"),
      )
      .finally(() => {
        rebuilding = null;
      });
  }

  const look = oneAtATime(async () => {
    if (ending.signal.aborted) return;
    if (rebuilding === null) await takeRebuild();
    if (projector !== null) await retryMine(projector);
  });
  const lookSoon = (): void => {
    look().catch((err: unknown) => log.warn({ err }, "cannot tell what operators ask for"));
  };
  const timer = setInterval(lookSoon, pollMs);
  timer.unref();
  const stopListening = readModels.onChange((keys) => {
    if (keys === null || keys.includes(retriesKey) || (rebuilding === null && keys.includes(rebuildKey))) lookSoon();
  });
  return {
    async stop() {
      clearInterval(timer);
      stopListening();
      ending.abort(new Error("the process that rebuilt was stopped"));
      await look().catch(() => undefined);
      await rebuilding;
    },
  };
}
