import type { BenchCase, BenchSetting, Prepared, Round } from "./case.ts";
import type { CaseResult, PairedRound, Sample, Scale } from "./result.ts";

/** A round of each side that does not count is no longer than this. */
const warmUpSeconds = 3;

/** Measures one case: prepares it, loads both sides in turn, and ends it. `progress` is told of each round. */
export async function runCase(
  one: BenchCase,
  setting: BenchSetting,
  progress: (round: number, sample: PairedRound) => void,
): Promise<CaseResult> {
  const prepared = await one.prepare(setting);
  try {
    if (one.warmUp !== false) {
      await pairOfRounds(prepared, setting.scale, { number: -1, seconds: Math.min(warmUpSeconds, setting.seconds) });
    }
    const rounds: PairedRound[] = [];
    for (let number = 0; number < setting.rounds; number += 1) {
      const round = await pairOfRounds(prepared, setting.scale, { number, seconds: setting.seconds });
      rounds.push(round);
      progress(number, round);
    }
    const { name, title, limit, unit, better, target } = one;
    const { parameters, note } = prepared;
    const { seconds } = setting;
    const said = note?.();
    return {
      ...{ name, title, limit, unit, better, target, seconds, parameters, rounds },
      ...(said === undefined ? {} : { note: said }),
    };
  } finally {
    await prepared.end?.();
  }
}

/**
 * In turn, and which goes first changes with each round: neither always meets what the other left behind. The gate, which asks
 * for nothing but CPU time, measures both at once: what else the machine does then meets both in the very same moments.
 */
async function pairOfRounds(prepared: Prepared, scale: Scale, round: Round): Promise<PairedRound> {
  const { ours, limit, settle } = prepared;
  const runOurs = async (): Promise<Sample> => {
    const sample = await ours(round);
    await settle?.();
    return sample;
  };
  if (limit === null) return { ours: await runOurs(), limit: null };
  if (scale === "gate") {
    const [first, second] = await Promise.all([ours(round), limit(round)]);
    await settle?.();
    return { ours: first, limit: second };
  }
  if (round.number % 2 === 0) return { ours: await runOurs(), limit: await limit(round) };
  const first = await limit(round);
  return { ours: await runOurs(), limit: first };
}
