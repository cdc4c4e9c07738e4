import type { Wanted } from "./arguments.ts";
import type { BenchCase } from "./case.ts";
import { figure } from "./report.ts";
import { type CaseResult, type PairedRound, ratiosOf, type Scale } from "./result.ts";
import { runCase } from "./run-case.ts";
import { benchSetting } from "./setting.ts";

const usual: Readonly<
  Record<Scale, { readonly rounds: number; readonly seconds: number; learners: number; answersEach: number }>
> = {
  full: { rounds: 5, seconds: 8, learners: 1_000, answersEach: 20 },
  quick: { rounds: 2, seconds: 3, learners: 1_000, answersEach: 20 },
  gate: { rounds: 7, seconds: 1, learners: 200, answersEach: 10 },
};

/** Starts a setting, and measures one case after the other in it; what it started is ended by `endAll`. */
export function measuring(
  { scale, seconds, rounds }: Pick<Wanted, "scale" | "seconds" | "rounds">,
  say: (line: string) => void,
): (one: BenchCase) => Promise<CaseResult> {
  const { learners, answersEach } = usual[scale];
  const shared = benchSetting(learners, answersEach, say);
  return async (one) => {
    const setting = {
      ...{ ...shared, scale },
      seconds: seconds ?? one.seconds?.[scale] ?? usual[scale].seconds,
      rounds: rounds ?? one.rounds?.[scale] ?? usual[scale].rounds,
    };
    const startedAt = performance.now();
    say(`${one.name}: ${one.title}, ${setting.rounds} rounds`);
    const result = await runCase(one, setting, (round, pair) =>
      say(`  ${round + 1}/${setting.rounds}  ${shownRound(one, pair)}`),
    );
    say(`  took ${Math.round((performance.now() - startedAt) / 1000)} s`);
    return result;
  };
}

function shownRound({ unit, better }: BenchCase, pair: PairedRound): string {
  const { ours, limit } = pair;
  const [ratio, byCpu] = (["figure", "cpu"] as const).flatMap((by) => ratiosOf({ better, rounds: [pair] }, by));
  const cpu = ours.cpuUs === null ? "" : `, ${figure(ours.cpuUs)} us of CPU each`;
  const against = limit === null ? "" : `; limit ${figure(limit.figure)}: ratio ${figure(ratio ?? Number.NaN)}`;
  return `${figure(ours.figure)} ${unit}${cpu}${against}${byCpu === undefined ? "" : `, by CPU ${figure(byCpu)}`}`;
}
