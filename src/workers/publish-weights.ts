import { createHash } from "node:crypto";
import { decodeEvent } from "../domain/decode-event.ts";
import { currentSchemaVersion, type ModelPublished } from "../domain/events.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { type StoredEvent, UnreadableEvent } from "../domain/stored-event.ts";
import { modelStream } from "../domain/streams.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/clock.ts";
import type { AppendResult, EventStore } from "../ports/event-store.ts";
import { recentMetrics, type TrainerState } from "./trainer-state.ts";

/** Kind of blob under which published weights are kept. */
export const weightsKind = "model";

/** What the log says was published last. */
export interface Published {
  /** Of the stream `model`, whatever models stand in it: the version of its last event. 0 for none. */
  readonly version: number;
  /** How many answers this model's last published weights were trained on. 0 for none. */
  readonly answers: number;
}

const pageSize = 50;

export async function readPublished(store: EventStore, modelName: string): Promise<Published> {
  let version = 0;
  let from: number | undefined;
  while (from !== 0) {
    const options = { direction: "backwards", limit: pageSize } as const;
    const page = await store.readStream(modelStream, from === undefined ? options : { ...options, from });
    for (const stored of page) {
      version = Math.max(version, stored.revision);
      const own = ownPublication(stored, modelName);
      if (own !== null) return { version, answers: own.answers };
    }
    from = (page.at(-1)?.revision ?? 1) - 1;
  }
  return { version, answers: 0 };
}

function ownPublication(stored: StoredEvent, modelName: string): ModelPublished | null {
  try {
    const event = decodeEvent(stored);
    return event.type === "ModelPublished" && event.data.model === modelName ? event.data : null;
  } catch (error) {
    // Of a later Proximal perhaps: it takes up a version, and the one before it counts.
    if (error instanceof UnreadableEvent) return null;
    throw error;
  }
}

export interface PublishDeps {
  readonly store: EventStore;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly model: LearnerModel;
}

/**
 * Publishes the weights as the version after `published`: first the bytes, then the event that names them, so that no
 * one reads of weights that are not there. The name and the event id are made from the content: whoever publishes the
 * same weights as the same version, again or in a race, does it once, and nobody overwrites another's.
 */
export async function publishWeights(
  { store, blobs, clock, model }: PublishDeps,
  state: TrainerState,
  published: Published,
): Promise<AppendResult> {
  const version = published.version + 1;
  const bytes = model.encodePublished(state.weights);
  const hash = createHash("sha256").update(`${model.name} ${version} `).update(bytes).digest("hex");
  const weights = `${model.name}-${version}-${hash.slice(0, 12)}`;
  await blobs.put(weightsKind, weights, bytes);
  const data: ModelPublished = {
    version,
    model: model.name,
    trainedTo: state.trainedTo,
    answers: state.answers,
    metrics: recentMetrics(state),
    weights,
  };
  const event = {
    eventId: uuidOf(hash),
    type: "ModelPublished",
    data,
    metadata: { schemaVersion: currentSchemaVersion },
    recordedAt: new Date(clock.now()).toISOString(),
  };
  const expected = published.version === 0 ? "none" : published.version;
  const [result] = await store.append([{ stream: modelStream, expected, events: [event] }]);
  if (result === undefined) throw new Error("the log gave no result for an append");
  return result;
}

/** RFC 9562 version 8: a UUID of one's own making, here the first 122 bits of a hash. */
function uuidOf(hash: string): string {
  const variant = ((Number.parseInt(hash.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `${variant}${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join("-");
}
