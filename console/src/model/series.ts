/** Points of several lines over one axis of time, of which the last so many are kept. */
export interface Series {
  readonly names: readonly string[];
  /** Seconds since 1970, then the values of each line: what uPlot draws. null: not known. */
  readonly columns: readonly (readonly (number | null)[])[];
}

const gapAfterSeconds = 5;

export const emptySeries: Series = { names: [], columns: [[]] };

/**
 * With one more point. A line that is new has no earlier values. Where nothing was looked at for a while (the page was
 * hidden) the lines are broken: nobody knows what was between.
 */
export function withPoint(
  series: Series,
  seconds: number,
  values: ReadonlyMap<string, number | null>,
  pointsMax: number,
): Series {
  const [times = [], ...lines] = series.columns;
  const names = [...series.names, ...[...values.keys()].filter((name) => !series.names.includes(name))];
  const last = times.at(-1);
  const gap = last !== null && last !== undefined && seconds - last > gapAfterSeconds ? [last + 1] : [];
  const cut = <T>(column: readonly T[]): readonly T[] => column.slice(-pointsMax);
  const columns = names.map((name, at) => {
    const line = lines[at] ?? times.map(() => null);
    return cut([...line, ...gap.map(() => null), values.get(name) ?? null]);
  });
  return { names, columns: [cut([...times, ...gap, seconds]), ...columns] };
}

/** The newest value of each line, for those who do not see the lines. */
export function latestOf({ names, columns }: Series): { readonly name: string; readonly value: number | null }[] {
  return names.map((name, at) => ({ name, value: columns[at + 1]?.at(-1) ?? null }));
}
