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
}

export interface MakeReady {
  readonly model: LearnerModel;
  /** Sets the lists of an entry that has none. */
  makeLists(entry: LearnerEntry): void;
  /** Whether the learners stay in memory. */
  readonly stay: boolean;
}

/** The rows of learners, their lists made where they are missing. */
export async function makeReady(entries: readonly LearnerEntry[], how: MakeReady): Promise<ReadyRow[]> {
  const turns = createTurns();
  const rows: ReadyRow[] = [];
  for (const entry of entries) {
    if (entry.lists === null) how.makeLists(entry);
    rows.push(readyRow(entry, how.model, how.stay));
    if (turns.due()) await turns.take();
  }
  return rows;
}

/** Writes learners' rows, guarded by revision. Rejects when some may not be written. */
export async function writeLearners(deps: LearnerWriteDeps, rows: readonly ReadyRow[]): Promise<void> {
  const turns = createTurns();
  const underWay: Promise<void>[] = [];
  try {
    for (let from = 0; from < rows.length; from += writeChunk) {
      if (underWay.length >= underWayMax) await underWay.shift();
      const written = writeChecked(deps, rows.slice(from, from + writeChunk));
      // Its failure is seen when it is waited for; until then it must not count as unhandled.
      written.catch(() => undefined);
      underWay.push(written);
      if (turns.due()) await turns.take();
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
    if (behind.length === 0) return;
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
