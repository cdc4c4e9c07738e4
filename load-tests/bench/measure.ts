import type { Wanted } from "./arguments.ts";
import type { BenchCase } from "./case.ts";
import { figure } from "./report.ts";
import { type CaseResult, type PairedRound, ratiosOf, type Scale } from "./result.ts";
import { type Pace, runCase } from "./run-case.ts";
import { benchSetting } from "./setting.ts";

interface Usual {
  readonly rounds: number;
  readonly seconds: number;
  readonly learners: number;
  readonly answersEach: number;
}

const usual: Readonly<Record<Scale, Usual>> = {
  full: { rounds: 5, seconds: 6, learners: 1_000, answersEach: 20 },
  quick: { rounds: 2, seconds: 3, learners: 1_000, answersEach: 20 },
  gate: { rounds: 18, seconds: 20, learners: 200, answersEach: 10 },
};

/**
 * A round that does not count is no longer than this. On an Intel Xeon V8 compiled ours anew for as long: after three seconds a request took
 * 33.5 us of CPU for two rounds of five seconds, and 28.9 in the third.
 */
const warmUpSeconds = 10;
/**
 * The gate gives work, not time: on a busy machine a second holds little, and a server that V8 has not yet compiled is several
 * times as dear for each request.
 */
const gateRequests = { round: 4_000, warmUp: 30_000 };

/** Starts a setting, and measures one case after the other in it; what it started is ended by `endAll`. */
export function measuring(
  { scale, seconds, rounds }: Pick<Wanted, "scale" | "seconds" | "rounds">,
  say: (line: string) => void,
): (one: BenchCase) => Promise<CaseResult> {
  const { learners, answersEach } = usual[scale];
  const shared = benchSetting(learners, answersEach, say);
  return async (one) => {
    const pace = paceOf(
      rounds ?? one.rounds?.[scale] ?? usual[scale].rounds,
      seconds ?? one.seconds?.[scale] ?? usual[scale].seconds,
      scale,
    );
    const setting = { ...shared, scale, seconds: pace.round.seconds };
    const startedAt = performance.now();
    say(`${one.name}: ${one.title}, ${pace.rounds} rounds`);
    const result = await runCase(one, setting, pace, (round, pair) =>
      say(`  ${round + 1}/${pace.rounds}  ${shownRound(one, pair)}`),
    );
    say(`  took ${Math.round((performance.now() - startedAt) / 1000)} s`);
    return result;
  };
}

function paceOf(rounds: number, seconds: number, scale: Scale): Pace {
  if (scale !== "gate")
    return { rounds, round: { seconds }, warmUp: { seconds: Math.min(warmUpSeconds, 2 * seconds) } };
  return {
    rounds,
    round: { seconds, requests: gateRequests.round },
    warmUp: { seconds, requests: gateRequests.warmUp },
  };
}

function shownRound({ unit, better }: BenchCase, pair: PairedRound): string {
  const { ours, limit } = pair;
  const [ratio, byCpu] = (["figure", "cpu"] as const).flatMap((by) => ratiosOf({ better, rounds: [pair] }, by));
  const cpu = ours.cpuUs === null ? "" : `, ${figure(ours.cpuUs)} us of CPU each`;
  const against = limit === null ? "" : `; limit ${figure(limit.figure)}: ratio ${figure(ratio ?? Number.NaN)}`;
  return `${figure(ours.figure)} ${unit}${cpu}${against}${byCpu === undefined ? "" : `, by CPU ${figure(byCpu)}`}`;
}
