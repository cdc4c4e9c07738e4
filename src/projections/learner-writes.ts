import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import type { ReadModels, WriteOutcome } from "../ports/read-models.ts";
import { type LearnerEntry, markStored, type ReadyRow, readyRow, rowWrite } from "./learner-rows.ts";
import { createTurns } from "./turns.ts";

/** Rows in one pipelined write. */
const writeChunk = 200;
/** Writes under way: while the engine does one, the next is put on its way. */
const underWayMax = 2;
/** Times a refused row is written again on the version it was found at. */
const rewritesMax = 5;

export interface LearnerWriteDeps {
  readonly readModels: ReadModels;
  readonly namespace: string;
  /** The stored row is ahead of this one. */
  forget(row: ReadyRow): void;
  /** Told of rows that stand there now, or farther ones. */
  wrote?(rows: readonly ReadyRow[]): void;
}

export interface MakeReady {
  readonly model: LearnerModel;
  /** Sets the lists of an entry that has none; its bytes too, where that is the time for it. */
  makeParts(entry: LearnerEntry): void;
}

/** A row that is made when it is about to be written, or was made before. */
export type UnwrittenRow = () => ReadyRow;

/** Rows of learners who stay in memory. Each is made as it is written: the engine works on some while the next are made. */
export function madeWhenWritten(entries: readonly LearnerEntry[], { model, makeParts }: MakeReady): UnwrittenRow[] {
  return entries.map((entry) => () => {
    if (entry.lists === null) makeParts(entry);
    return readyRow(entry, model);
  });
}

/** Rows of learners who do not stay in memory: only their bytes do until they are written. */
export async function madeNow(
  entries: readonly LearnerEntry[],
  { model, makeParts }: MakeReady,
): Promise<UnwrittenRow[]> {
  const turns = createTurns();
  const rows: UnwrittenRow[] = [];
  for (const entry of entries) {
    if (entry.lists === null) makeParts(entry);
    const row = readyRow(entry, model, false);
    rows.push(() => row);
    if (turns.due()) await turns.take();
  }
  return rows;
}

/** Writes learners' rows, guarded by revision. Rejects when some may not be written. */
export async function writeLearners(deps: LearnerWriteDeps, rows: readonly UnwrittenRow[]): Promise<void> {
  const turns = createTurns();
  const underWay: Promise<void>[] = [];
  try {
    for (let from = 0; from < rows.length; from += writeChunk) {
      const chunk: ReadyRow[] = [];
      for (const row of rows.slice(from, from + writeChunk)) {
        chunk.push(row());
        if (turns.due()) await turns.take();
      }
      if (underWay.length >= underWayMax) await underWay.shift();
      const written = writeChecked(deps, chunk);
      // Its failure is seen when it is waited for; until then it must not count as unhandled.
      written.catch(() => undefined);
      underWay.push(written);
    }
  } finally {
    await Promise.all(underWay);
  }
}

async function writeChecked(deps: LearnerWriteDeps, rows: readonly ReadyRow[]): Promise<void> {
  const { readModels, namespace } = deps;
  let left = rows;
  let outcomes = await readModels.write(rows.map((row) => rowWrite(namespace, row)));
  for (let attempt = 0; attempt <= rewritesMax; attempt += 1) {
    const behind = checkOutcomes(deps, left, outcomes);
    if (behind.length === 0) return deps.wrote?.(rows);
    left = behind.map(({ row }) => row);
    // The state is right whatever stands there: it is a function of the log.
    outcomes = await readModels.write(behind.map(({ row, version }) => rowWrite(namespace, row, version)));
  }
  throw new Error(`${left.length} learners' rows were refused ${rewritesMax} times`);
}

/** A refusal by a row as far or farther is "already done": another owner folded the same events. Returns the others. */
function checkOutcomes(
  deps: LearnerWriteDeps,
  rows: readonly ReadyRow[],
  outcomes: readonly WriteOutcome[],
): { row: ReadyRow; version: number }[] {
  const behind: { row: ReadyRow; version: number }[] = [];
  rows.forEach((row, at) => {
    const outcome = outcomes[at];
    if (outcome === undefined) throw new Error("a write has no outcome");
    if (outcome.status === "written" || outcome.version === row.revision) markStored(row);
    else if (outcome.version > row.revision) deps.forget(row);
    else behind.push({ row, version: outcome.version });
  });
  return behind;
}
