import { parser } from "@prometheus-io/lezer-promql";

/** A metric that an expression asks for, and the labels it asks about. */
export interface Asked {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** What a PromQL expression asks for. Throws where it is not one. */
export function askedBy(expr: string): readonly Asked[] {
  const asked: { metric: string; labels: string[] }[] = [];
  parser.parse(expr).iterate({
    enter({ type, from, to }) {
      if (type.isError) throw new Error(`not PromQL at ${from}: ${expr}`);
      const text = expr.slice(from, to);
      if (type.name === "VectorSelector") asked.push({ metric: /^[\w:]*/.exec(text)?.[0] ?? "", labels: [] });
      if (type.name === "LabelName" && isMatcher(expr.slice(to))) asked.at(-1)?.labels.push(text);
    },
  });
  return asked;
}

/** Labels of `by (...)` and `on (...)` are names too. */
const isMatcher = (after: string): boolean => /^\s*(=|!=|=~|!~)/.test(after);

/** An expression of a panel, as Grafana would send it at a range of so many seconds. */
export const asSent = (expr: string, seconds: number): string => expr.replaceAll("$__rate_interval", `${seconds}s`);
