import { Counter, type Histogram, type Registry } from "prom-client";

/** Metrics of what each request does. Counted in plain maps that prom-client sees when scraped: its own cost a tenth of a request. */

/** A counter with one label. */
export function cheapCounter(
  registers: Registry[],
  name: string,
  help: string,
  labelName: string,
): (label: string, n?: number) => void {
  const counter = cheapCounters(registers, name, help, [labelName]);
  const series = new Map<string, (n?: number) => void>();
  return (label, n = 1) => {
    if (n === 0) return;
    let count = series.get(label);
    if (count === undefined) {
      count = counter.with({ [labelName]: label });
      series.set(label, count);
    }
    count(n);
  };
}

export interface CheapCounters {
  /** Counts in the series with these labels; keep it, looking it up is not free. */
  with(labels: Labels): (n?: number) => void;
}

export function cheapCounters(
  registers: Registry[],
  name: string,
  help: string,
  labelNames: readonly string[],
): CheapCounters {
  const series: { readonly labels: Labels; n: number }[] = [];
  new Counter({
    ...{ name, help, labelNames, registers },
    collect() {
      this.reset();
      for (const { labels, n } of series) if (n > 0) this.inc(labels, n);
    },
  });
  return {
    with(labels) {
      const one = { labels, n: 0 };
      series.push(one);
      return (n = 1) => {
        one.n += n;
      };
    },
  };
}

type Labels = Readonly<Record<string, string | number>>;

/** Observes one value. */
export type Observe = (value: number) => void;

export interface CheapHistogram {
  /** The series with these labels; keep it, looking it up is not free. */
  with(labels: Labels): Observe;
  /** What a registry is given, where none was named. */
  readonly metric: Histogram;
}

/** `edges` are the upper bounds of the buckets, rising. */
export function cheapHistogram(
  registers: Registry[],
  name: string,
  help: string,
  edges: readonly number[],
): CheapHistogram {
  const series = new Map<string, { labels: Labels; counts: Float64Array; sum: number }>();
  const asked = {
    ...{ name, help, type: "histogram" as const, aggregator: "sum" as const },
    async get() {
      const values = Array.from(series.values()).flatMap(({ labels, counts, sum }) => valuesOf(labels, counts, sum));
      return { ...{ name, help, type: "histogram" as const, aggregator: "sum" as const }, values };
    },
    reset: () => series.clear(),
  };
  function valuesOf(labels: Labels, counts: Float64Array, sum: number) {
    let count = 0;
    const buckets = Array.from(counts, (inBucket, at) => {
      count += inBucket;
      return { metricName: `${name}_bucket`, labels: { ...labels, le: edges[at] ?? "+Inf" }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
  // What the registry asks of a metric is `name` and `get`; its type names its own classes only.
  const metric = asked as unknown as Histogram;
  for (const registry of registers) registry.registerMetric(metric);
  return {
    metric,
    with(labels) {
      const key = JSON.stringify(labels);
      const one = series.get(key) ?? { labels, counts: new Float64Array(edges.length + 1), sum: 0 };
      series.set(key, one);
      return (value) => {
        let bucket = 0;
        while (bucket < edges.length && value > (edges[bucket] as number)) bucket += 1;
        one.counts[bucket] = (one.counts[bucket] as number) + 1;
        one.sum += value;
      };
    },
  };
}
