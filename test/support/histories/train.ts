import { decodeEvent } from "../../../src/domain/decode-event.ts";
import type { ModelPublished } from "../../../src/domain/events.ts";
import type { LearnerModel } from "../../../src/domain/learner-model/learner-model.ts";
import type { Blobs } from "../../../src/ports/blobs.ts";
import type { Feed } from "../../../src/ports/feed.ts";

/** Trains a model on the log so far and puts its weights down, as a trainer does. Gives what the event says of them. */
export async function trained(
  { log, blobs }: { readonly log: Pick<Feed, "read">; readonly blobs: Blobs },
  model: LearnerModel,
): Promise<ModelPublished> {
  const weights = model.newWeights();
  const locals = new Map<string, unknown>();
  let [answers, trainedTo, version] = [0, 0, 1];
  for (const stored of (await log.read(0, 100_000)).events) {
    const event = decodeEvent(stored);
    if (event.type === "ModelPublished") version += 1;
    if (event.type !== "InteractionRecorded" || event.data.correct === undefined) continue;
    const { learnerId, itemId, skillIds, correct, occurredAt } = event.data;
    const local = locals.get(learnerId) ?? model.newLocal();
    locals.set(learnerId, local);
    model.learn(weights, local, { itemId, skillIds, correct, at: Date.parse(occurredAt) });
    answers += 1;
    trainedTo = event.position;
  }
  const name = `${model.name}-${version}`;
  await blobs.put("model", name, model.encodeWeights(weights));
  return { version, model: model.name, trainedTo, answers, metrics: {}, weights: name };
}
