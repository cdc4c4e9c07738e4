import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import type { GuardedWrite, ReadModels, WriteOutcome } from "../ports/read-models.ts";
import { type LearnerEntry, learnerWrite, markStored } from "./learner-rows.ts";
import { createTurns } from "./turns.ts";

/** Rows in one pipelined write; the next ones are made while it is under way. */
const writeChunk = 200;
/** Times a refused row is written again on the version it was found at. */
const rewritesMax = 5;

export interface LearnerWriteDeps {
  readonly readModels: ReadModels;
  readonly model: LearnerModel;
  readonly namespace: string;
  /** Sets the lists of an entry that has none. */
  makeLists(entry: LearnerEntry): void;
  /** The stored row is ahead of this entry. */
  forget(entry: LearnerEntry): void;
}

/** Writes learners' rows, guarded by revision. Rejects when some may not be written. */
export async function writeLearners(deps: LearnerWriteDeps, entries: readonly LearnerEntry[]): Promise<void> {
  const turns = createTurns();
  let underWay: Promise<void> = Promise.resolve();
  try {
    for (let from = 0; from < entries.length; from += writeChunk) {
      const chunk = entries.slice(from, from + writeChunk);
      const writes: GuardedWrite[] = [];
      for (const entry of chunk) {
        if (entry.lists === null) deps.makeLists(entry);
        writes.push(learnerWrite(deps.namespace, entry, deps.model));
        if (turns.due()) await turns.take();
      }
      await underWay;
      underWay = writeChecked(deps, chunk, writes);
      // Its failure is seen at the next await; until then it must not count as unhandled.
      underWay.catch(() => undefined);
    }
  } finally {
    await underWay;
  }
}

async function writeChecked(
  deps: LearnerWriteDeps,
  entries: readonly LearnerEntry[],
  writes: readonly GuardedWrite[],
): Promise<void> {
  let left = entries;
  let outcomes = await deps.readModels.write(writes);
  for (let attempt = 0; attempt <= rewritesMax; attempt += 1) {
    const behind = checkOutcomes(deps, left, outcomes);
    if (behind.length === 0) return;
    left = behind.map(({ entry }) => entry);
    // The state is right whatever stands there: it is a function of the log.
    const again = behind.map(({ entry, version }) => learnerWrite(deps.namespace, entry, deps.model, version));
    outcomes = await deps.readModels.write(again);
  }
  throw new Error(`${left.length} learners' rows were refused ${rewritesMax} times`);
}

/** A refusal by a row as far or farther is "already done": another owner folded the same events. Returns the others. */
function checkOutcomes(
  deps: LearnerWriteDeps,
  entries: readonly LearnerEntry[],
  outcomes: readonly WriteOutcome[],
): { entry: LearnerEntry; version: number }[] {
  const behind: { entry: LearnerEntry; version: number }[] = [];
  entries.forEach((entry, at) => {
    const outcome = outcomes[at];
    if (outcome === undefined) throw new Error("a write has no outcome");
    if (outcome.status === "written" || outcome.version === entry.state.revision) markStored(entry);
    else if (outcome.version > entry.state.revision) deps.forget(entry);
    else behind.push({ entry, version: outcome.version });
  });
  return behind;
}
