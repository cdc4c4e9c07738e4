import type { ScalingEffect } from "./role-plan.ts";
import { effectiveWorkers } from "./target.ts";

/** What a change of the number of workers brought, from rates that were seen while there was enough to do. */
export interface EffectWatch {
  observe(seen: EffectSeen): void;
  last(): ScalingEffect | null;
}

export interface EffectSeen {
  readonly atSeconds: number;
  readonly running: number;
  readonly rateOut: number;
  readonly behindThroughout: boolean;
  readonly partitions: number | null;
}

/** A rate from before this is of another load. */
const rateAgeMax = 120;
/** Intervals after the change that have to be seen. */
const seenMin = 2;

/** Looks away for `settleSeconds` after a change: work stands still while it is dealt anew. */
export function createEffectWatch(settleSeconds: number): EffectWatch {
  let running: number | null = null;
  let full: { readonly atSeconds: number; readonly rate: number } | null = null;
  let change: Pick<ScalingEffect, "atSeconds" | "from" | "to" | "rateBefore"> | null = null;
  let after = { intervals: 0, rate: 0 };
  let partitions: number | null = null;

  return {
    observe(seen) {
      const { atSeconds, rateOut, behindThroughout } = seen;
      partitions = seen.partitions;
      if (running !== null && seen.running !== running && seen.running > 0) {
        const before = full !== null && atSeconds - full.atSeconds <= rateAgeMax ? full.rate : null;
        change = { atSeconds, from: running, to: seen.running, rateBefore: before };
        after = { intervals: 0, rate: 0 };
      }
      if (seen.running > 0) running = seen.running;
      // An engine that stands still says nothing of the workers.
      if (!behindThroughout || rateOut === 0) return;
      full = { atSeconds, rate: rateOut };
      if (change === null || atSeconds - change.atSeconds < settleSeconds) return;
      after = { intervals: after.intervals + 1, rate: Math.max(after.rate, rateOut) };
    },
    last() {
      if (change === null) return null;
      const { from, to, rateBefore } = change;
      const rateAfter = after.intervals >= seenMin ? after.rate : null;
      const should = effectiveWorkers(to, partitions) / Math.max(1, effectiveWorkers(from, partitions)) - 1;
      const effect =
        rateBefore === null || rateAfter === null || rateBefore === 0 || should <= 0
          ? null
          : (rateAfter / rateBefore - 1) / should;
      return { ...change, rateAfter, effect };
    },
  };
}
