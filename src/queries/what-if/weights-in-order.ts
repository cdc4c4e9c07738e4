import { decodeEvent } from "../../domain/decode-event.ts";
import { answerOf } from "../../domain/learner-model/answer-of.ts";
import { getOrAdd } from "../../domain/learner-model/get-or-add.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { UnreadableEvent } from "../../domain/stored-event.ts";
import type { Feed } from "../../ports/feed.ts";
import { createTurns } from "../../projections/turns.ts";

/** Weights of a model that was not in use, as its trainer would have published them: encoded, by position. */
export interface TrainedWeights {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** New weights are kept when the answers have grown by this share, or so many: fewer than a trainer publishes. */
const newShare = 0.1;
const newAnswersMin = 500;
const pageSize = 5_000;

/** Trains a model on the log up to a position, in order. */
export async function trainOnLog(
  feed: Pick<Feed, "read">,
  model: LearnerModel,
  to: number,
  watch: { readonly signal?: AbortSignal; onProgress?(position: number): void } = {},
): Promise<TrainedWeights[]> {
  const weights = model.newWeights();
  const locals = new Map<string, unknown>();
  const published: TrainedWeights[] = [];
  const turns = createTurns();
  let answers = 0;
  let keptAnswers = 0;
  for (let position = 0; position < to; ) {
    watch.signal?.throwIfAborted();
    const page = await feed.read(position, pageSize, { categories: ["learner"] });
    for (const stored of page.events) {
      if (stored.position > to) break;
      const event = readable(() => decodeEvent(stored));
      if (event?.type !== "InteractionRecorded") continue;
      const answer = answerOf(event.data);
      if (answer === null) continue;
      model.learn(weights, getOrAdd(locals, event.data.learnerId, model.newLocal), answer);
      answers += 1;
      if (answers - keptAnswers >= Math.max(newAnswersMin, newShare * answers)) {
        keptAnswers = answers;
        published.push({ position: stored.position, bytes: Uint8Array.from(model.encodeWeights(weights)) });
      }
      if (turns.due()) await turns.take();
    }
    position = page.position;
    watch.onProgress?.(Math.min(position, to));
    if (page.atHead) break;
  }
  return published;
}

/** null for an event that cannot be read: its learner is parked, and teaches nothing. */
function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableEvent) return null;
    throw error;
  }
}

/** Gives the weights that stood before each position; positions only grow. */
export function inOrder(model: LearnerModel, trained: readonly TrainedWeights[]): (position: number) => unknown {
  let next = 0;
  let current = model.newWeights();
  return (position) => {
    let newest: TrainedWeights | null = null;
    for (let one = trained[next]; one !== undefined && one.position < position; one = trained[++next]) newest = one;
    if (newest !== null) current = model.decodeWeights(newest.bytes);
    return current;
  };
}
