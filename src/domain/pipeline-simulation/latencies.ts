/** Quantiles of many times in little memory: counts in bins that grow by 1 %, so a quantile is off by half of that. */
export interface Latencies {
  add(seconds: number, count: number): void;
  summary(): LatencySummary;
}

/** Milliseconds; 0 where there were none. */
export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const growth = Math.log(1.01);
const least = 1e-6;
const binCount = 2600;

export function createLatencies(): Latencies {
  const bins = new Float64Array(binCount);
  let count = 0;
  let sum = 0;
  let max = 0;

  function quantileMs(q: number): number {
    if (count === 0) return 0;
    let below = 0;
    for (let bin = 0; bin < binCount; bin += 1) {
      below += bins[bin] as number;
      if (below >= q * count) return Math.min(max, bin === 0 ? 0 : least * Math.exp((bin - 0.5) * growth)) * 1000;
    }
    return max * 1000;
  }

  return {
    add(seconds, weight) {
      const bin = seconds <= least ? 0 : Math.ceil(Math.log(seconds / least) / growth);
      bins[Math.min(binCount - 1, bin)] = (bins[Math.min(binCount - 1, bin)] as number) + weight;
      count += weight;
      sum += seconds * weight;
      if (seconds > max) max = seconds;
    },
    summary: () => ({
      count,
      meanMs: count === 0 ? 0 : (sum / count) * 1000,
      p50Ms: quantileMs(0.5),
      p90Ms: quantileMs(0.9),
      p99Ms: quantileMs(0.99),
      maxMs: max * 1000,
    }),
  };
}
