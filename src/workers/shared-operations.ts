import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../ports/clock.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { readParked } from "../projections/parked-rows.ts";
import type { RetryResult } from "../projections/parking.ts";
import { partitionOf } from "../projections/partition.ts";
import { askedRetries, askRetry, dropRetry, readRebuild, reportNow, writeRebuild } from "./operator-rows.ts";
import {
  createParkedReads,
  mustBeRebuildable,
  newReport,
  outcomeOf,
  type ProjectorOperations,
  rebuildableNames,
} from "./projector-operations.ts";
import { NobodyAnswers, retryHere, retryPatienceMs } from "./retry-here.ts";

/** A projector of this process, as far as these operations ask it. */
export interface ProjectorHere {
  status(): readonly { readonly partition: number }[];
  retry(learnerId: string): Promise<RetryResult>;
}

export interface SharedOperationsDeps {
  /** Opened at the first call, where this process does without them otherwise. */
  readonly readModels: () => Promise<ReadModels>;
  readonly store: Pick<EventStore, "readStream">;
  readonly clock: Clock;
  readonly partitions: number;
  /** null: others project. */
  readonly projector: ProjectorHere | null;
  /** For a process, this or another, to try a learner again, milliseconds. Default ten seconds. */
  readonly patienceMs?: number;
}

const pollMs = 50;

/**
 * What operators ask about rows that many processes share, from any of these: who is parked stands in the rows; a retry is asked of the
 * process that owns the partition, and a rebuild of one that takes it up (operator-requests.ts).
 */
export function createSharedOperations(deps: SharedOperationsDeps): ProjectorOperations {
  const { store, clock, partitions, projector, patienceMs = retryPatienceMs } = deps;
  const now = (): string => new Date(clock.now()).toISOString();
  const reads = createParkedReads(async () => readParked(await deps.readModels()), store);

  const isHere = (partition: number): boolean =>
    projector?.status().some((status) => status.partition === partition) === true;

  async function retryElsewhere(learnerId: string, partition: number): Promise<void> {
    const readModels = await deps.readModels();
    await askRetry(readModels, learnerId, now());
    const until = performance.now() + patienceMs;
    while ((await askedRetries(readModels)).includes(learnerId)) {
      if (performance.now() > until) {
        await dropRetry(readModels, learnerId);
        throw new NobodyAnswers(
          `No process has tried ${learnerId} again within ${patienceMs / 1000} s. Theirs is partition ${partition}: is there a projector that owns it?`,
        );
      }
      await sleep(pollMs);
    }
  }

  return {
    ...reads,
    rebuildable: rebuildableNames,
    async retry(learnerId) {
      const partition = partitionOf(learnerId, partitions);
      if (projector !== null && isHere(partition)) return outcomeOf(await retryHere(projector, learnerId, patienceMs));
      if ((await reads.inspect(learnerId)) === null) return { status: "not_parked" };
      await retryElsewhere(learnerId, partition);
      const still = await reads.inspect(learnerId);
      return still === null ? { status: "retried" } : { status: "still_failing", error: still.error };
    },
    async rebuild(name, { rollback = false } = {}) {
      mustBeRebuildable(name);
      const readModels = await deps.readModels();
      const { stored, version } = await readRebuild(readModels);
      const known = stored === null ? null : reportNow(stored, clock.now());
      if (known?.status === "waiting" || known?.status === "running") return known;
      const at = now();
      const report = newReport(name, "waiting", at);
      if (await writeRebuild(readModels, { report, rollback, heardAt: at }, version)) return report;
      // Somebody else asked at the same time: theirs is told.
      const other = (await readRebuild(readModels)).stored;
      return other === null ? report : reportNow(other, clock.now());
    },
    async rebuildStatus() {
      const { stored } = await readRebuild(await deps.readModels());
      return stored === null ? null : reportNow(stored, clock.now());
    },
  };
}
