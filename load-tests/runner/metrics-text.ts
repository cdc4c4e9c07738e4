/** One line of a Prometheus text exposition. */
export interface MetricValue {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the text format 0.0.4, as `/metrics` writes it; comments and what it cannot read are left out. */
export function parseMetrics(text: string): MetricValue[] {
  const found: MetricValue[] = [];
  for (const line of text.split("\n")) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
    if (match === null) continue;
    const [, name = "", inside = "", written = ""] = match;
    const value = written === "+Inf" ? Number.POSITIVE_INFINITY : Number(written);
    if (Number.isNaN(value)) continue;
    const labels: Record<string, string> = {};
    for (const [, label = "", text = ""] of inside.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
      labels[label] = text.replace(/\\(.)/g, (_, escaped) => (escaped === "n" ? "\n" : escaped));
    }
    found.push({ name, labels, value });
  }
  return found;
}

/** The sum of a metric over its labels, as far as they are as asked; null where there is no such line. */
export function sumOf(
  values: readonly MetricValue[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  return reduced(values, name, labels, (a, b) => a + b);
}

export function maxOf(values: readonly MetricValue[], name: string): number | null {
  return reduced(values, name, {}, Math.max);
}

function reduced(
  values: readonly MetricValue[],
  name: string,
  labels: Readonly<Record<string, string>>,
  reduce: (a: number, b: number) => number,
): number | null {
  const wanted = Object.entries(labels);
  let result: number | null = null;
  for (const one of values) {
    if (one.name !== name || !wanted.every(([label, text]) => one.labels[label] === text)) continue;
    result = result === null ? one.value : reduce(result, one.value);
  }
  return result;
}
