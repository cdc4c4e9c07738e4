import type { LagAnswer, WorkersAnswer } from "../api/answers.ts";

export interface Owned {
  readonly partition: number;
  /** Processes that write its rows. One, but for the moment in which it is handed over. */
  readonly owners: readonly string[];
}

export const workerName = ({ host, pid }: Pick<WorkersAnswer["workers"][number], "host" | "pid">): string =>
  `${host}:${pid}`;

/** Whose each partition of the learners' rows is, also those that nobody has. */
export function ownership(workers: WorkersAnswer["workers"], rows: LagAnswer["projections"]): Owned[] {
  const known = rows.filter(({ projection }) => projection === "learners").map(({ partition }) => partition);
  const owned = workers.flatMap(({ partitions }) => partitions);
  return [...new Set([...known, ...owned])]
    .sort((a, b) => a - b)
    .map((partition) => ({
      partition,
      owners: workers.filter(({ partitions }) => partitions.includes(partition)).map(workerName),
    }));
}
