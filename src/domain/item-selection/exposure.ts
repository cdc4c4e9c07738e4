import { uniforms } from "./exploration.ts";
import { ruleBits } from "./rules.ts";
import type { BankItem, SelectionInput } from "./selection.ts";

const dayMs = 86_400_000;

export interface ExposureCap {
  /** Bits of the rules that refuse the item, else 0; null where the policy has none. */
  readonly refusing: ((item: BankItem) => number) | null;
  /** Milliseconds since 1970 from which on an item that was refused may be given; Infinity where none is known. */
  until(): number;
}

const uncapped: ExposureCap = { refusing: null, until: () => Number.POSITIVE_INFINITY };

/**
 * How often an item may be given.
 *
 * To one learner: who has done it `timesMax` times is not given it again until `restDays` have passed since the last time.
 * So no more than `timesMax` fall into any `restDays`, whenever they begin.
 *
 * Among learners: each item is open to `learnerShareMax` of them, drawn once for learner and item. No counter is read, so
 * the same log gives the same lists however it is dealt out; what holds is the share that is expected, of N learners
 * within sqrt(share (1 - share) / N) or so. It is the fixed form of Sympson and Hetter's control (1985).
 */
export function exposureCap(input: SelectionInput): ExposureCap {
  const { policy, learnerId = "", bank, now, done } = input;
  const { timesMax, restDays, learnerShareMax } = policy.exposure;
  if (timesMax === null && learnerShareMax === 1) return uncapped;
  const restMs = restDays === null ? Number.POSITIVE_INFINITY : restDays * dayMs;
  let until = Number.POSITIVE_INFINITY;
  const worn = (item: BankItem): boolean => {
    if (timesMax === null || done === undefined) return false;
    const { times, lastAt } = done(item);
    if (times < timesMax) return false;
    const rested = lastAt + restMs;
    if (rested <= now) return false;
    until = Math.min(until, rested);
    return true;
  };
  const others = (item: BankItem): boolean =>
    learnerShareMax < 1 && !isOpenTo(learnerId, item.itemId, bank.trackId, learnerShareMax);
  return {
    refusing: (item) => (worn(item) ? ruleBits.exposure_cap : 0) | (others(item) ? ruleBits.learner_share : 0),
    until: () => until,
  };
}

/** Whether this learner is among the share that the item is open to. */
export function isOpenTo(learnerId: string, itemId: string, trackId: string | null, share: number): boolean {
  return uniforms(`${trackId ?? ""}\n${learnerId}\n${itemId}`)() < share;
}
