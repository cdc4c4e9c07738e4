import type { LearnerState } from "../domain/learner/learner-state.ts";
import { idOf } from "../domain/streams.ts";
import type { LearnerFoldDeps } from "./learner-fold.ts";
import { type LearnerEntry, newEntry, selectLists } from "./learner-rows.ts";

/** A learner folded from the stream, with the lists as of the learner's last event, which lies in the context's past. */
export async function entryInPast(
  { model, context }: LearnerFoldDeps,
  stream: string,
  state: LearnerState,
  listSize: number,
): Promise<LearnerEntry> {
  const entry = newEntry(idOf(stream), stream, state);
  entry.storedSession = null;
  const bankOf = await context.banksAt(state.position);
  const weights = await context.weightsAt(state.position);
  entry.lists = selectLists(entry, { model, bankOf, weights, size: listSize });
  return entry;
}
