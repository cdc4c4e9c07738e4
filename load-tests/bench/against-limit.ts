import type { LoadOrder, LoadReport } from "./load-generator.ts";
import { ask, cpuSeconds, type NodeProcess } from "./processes.ts";
import type { Measurement } from "./report.ts";
import { median, type Spread, spreadOf } from "./statistics.ts";

/** One server under load. */
interface Side {
  readonly pid: number;
  readonly order: LoadOrder;
}

interface Round extends LoadReport {
  readonly perSecond: number;
  /** CPU of the server, microseconds for each request. */
  readonly cpuUs: number;
}

export interface Compared {
  readonly ours: readonly Round[];
  readonly limit: readonly Round[];
}

/**
 * Loads ours and the limit in turn, so that what else the machine does meets both; each has a short round first that
 * does not count. `between` runs after each of our rounds (let the projections catch up, say).
 */
export async function alternate(
  generator: NodeProcess,
  ours: Side,
  limit: Side,
  rounds: number,
  between: () => Promise<void> = async () => {},
): Promise<Compared> {
  const found: { ours: Round[]; limit: Round[] } = { ours: [], limit: [] };
  for (let round = -1; round < rounds; round += 1) {
    const seconds = round < 0 ? Math.min(3, ours.order.seconds) : ours.order.seconds;
    // Which goes first changes with each round.
    for (const side of round % 2 === 0 ? (["ours", "limit"] as const) : (["limit", "ours"] as const)) {
      const { pid, order } = side === "ours" ? ours : limit;
      const result = await load(generator, pid, { ...order, seconds });
      if (side === "ours") await between();
      if (round >= 0) found[side].push(result);
    }
  }
  return found;
}

export async function load(generator: NodeProcess, pid: number, order: LoadOrder): Promise<Round> {
  const before = cpuSeconds(pid);
  const report = await ask<LoadReport>(generator, order);
  const cpu = cpuSeconds(pid) - before;
  if (report.failed > 0) throw new Error(`${report.failed} requests to ${order.url} failed: nothing to compare`);
  return { ...report, perSecond: report.requests / report.seconds, cpuUs: (cpu / report.requests) * 1e6 };
}

/** Throughput with its target; latency and CPU for context. */
export function measurementsOf(
  name: string,
  unit: string,
  { ours, limit }: Compared,
  atLeast: number | null,
): Measurement[] {
  const spread = (rounds: readonly Round[], of: (round: Round) => number): Spread => spreadOf(rounds.map(of));
  const both = (what: string, itsUnit: string, of: (round: Round) => number, target: number | null): Measurement => ({
    name: `${name}: ${what}`,
    unit: itsUnit,
    ours: spread(ours, of),
    limit: spread(limit, of),
    ratio: spreadOf(ours.map((round, i) => of(round) / of(limit[i] ?? round))),
    target: target === null ? null : { atLeast: target },
  });
  return [
    both("throughput", unit, (round) => round.perSecond, atLeast),
    both("latency p50", "ms", (round) => round.p50, null),
    both("latency p99", "ms", (round) => round.p99, null),
    both("server CPU", "us/request", (round) => round.cpuUs, null),
  ];
}

export const medianRate = (rounds: readonly Round[]): number => median(rounds.map((round) => round.perSecond));
