import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/clock.ts";
import {
  type FreshnessCounts,
  type FreshnessLedger,
  freshnessPeriodDays,
  hoursMax,
  loadLedger,
  minutesMax,
} from "../projections/freshness-ledger.ts";

/** So many of the answers (0..1) are to be visible to queries so soon after their durable commit. */
export interface FreshnessObjective {
  readonly objective: number;
  readonly withinSeconds: number;
}

export interface Freshness extends FreshnessObjective, FreshnessCounts {
  /** What `good` and `total` count, and the budget is for. */
  readonly periodDays: number;
  /** How fast the budget is spent: 1 spends it just in the period. Of the last hour; null where nothing became visible. */
  readonly burnRate: number | null;
  /** Share of the error budget that is left; below 0 where it is overdrawn. */
  readonly budgetLeft: number;
}

const minuteMs = 60_000;

/** `now`: milliseconds of the epoch. */
export function freshnessOf(ledgers: readonly FreshnessLedger[], wanted: FreshnessObjective, now: number): Freshness {
  const minute = Math.floor(now / minuteMs);
  const period = sumSince(ledgers, "hours", Math.floor(minute / 60) - hoursMax);
  const lately = sumSince(ledgers, "minutes", minute - minutesMax);
  // An objective of 1 would leave no budget: settings do not allow it.
  const budget = 1 - wanted.objective;
  return {
    ...wanted,
    ...period,
    periodDays: freshnessPeriodDays,
    burnRate: lately.total === 0 ? null : badShare(lately) / budget,
    budgetLeft: 1 - badShare(period) / budget,
  };
}

const badShare = ({ good, total }: FreshnessCounts): number => (total === 0 ? 0 : (total - good) / total);

function sumSince(ledgers: readonly FreshnessLedger[], of: "hours" | "minutes", after: number): FreshnessCounts {
  let [good, total] = [0, 0];
  for (const ledger of ledgers) {
    for (const [time, inTime, all] of ledger[of]) {
      if (time <= after) continue;
      good += inTime;
      total += all;
    }
  }
  return { good, total };
}

/** Of the whole deployment. Rejects where the blobs do not answer. */
export async function readFreshness(
  { blobs, clock, partitions }: { readonly blobs: Blobs; readonly clock: Clock; readonly partitions: number },
  wanted: FreshnessObjective,
): Promise<Freshness> {
  const ledgers = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => loadLedger(blobs, partition, wanted.withinSeconds)),
  );
  return freshnessOf(ledgers, wanted, clock.now());
}
