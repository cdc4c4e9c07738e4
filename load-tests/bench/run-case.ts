import type { BenchCase, BenchSetting, Prepared, Round } from "./case.ts";
import type { CaseResult, PairedRound, Sample } from "./result.ts";

/** How long a case is measured: what a round is, how many there are, and what comes before them and does not count. */
export interface Pace {
  readonly rounds: number;
  readonly round: Omit<Round, "number">;
  readonly warmUp: Omit<Round, "number">;
}

/** Measures one case: prepares it, loads both sides in turn, and ends it. `progress` is told of each round. */
export async function runCase(
  one: BenchCase,
  setting: BenchSetting,
  pace: Pace,
  progress: (round: number, sample: PairedRound) => void,
): Promise<CaseResult> {
  const prepared = await one.prepare(setting);
  try {
    if (one.warmUp !== false) await pairOfRounds(prepared, { ...pace.warmUp, number: -1 });
    const rounds: PairedRound[] = [];
    for (let number = 0; number < pace.rounds; number += 1) {
      const round = await pairOfRounds(prepared, { ...pace.round, number });
      rounds.push(round);
      progress(number, round);
    }
    const { name, title, limit, unit, better, target } = one;
    const { parameters, note } = prepared;
    const said = note?.();
    return {
      ...{ name, title, limit, unit, better, target, seconds: pace.round.seconds, parameters, rounds },
      ...(said === undefined ? {} : { note: said }),
    };
  } finally {
    await prepared.end?.();
  }
}

/** In turn, and which goes first changes with each round: neither always meets what the other left behind. */
async function pairOfRounds(prepared: Prepared, round: Round): Promise<PairedRound> {
  const { ours, limit, settle } = prepared;
  const runOurs = async (): Promise<Sample> => {
    const sample = await ours(round);
    await settle?.();
    return sample;
  };
  if (limit === null) return { ours: await runOurs(), limit: null };
  if (round.number % 2 === 0) return { ours: await runOurs(), limit: await limit(round) };
  const first = await limit(round);
  return { ours: await runOurs(), limit: first };
}
