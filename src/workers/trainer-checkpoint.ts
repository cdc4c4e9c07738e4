import { createHash } from "node:crypto";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Log } from "../ports/log.ts";
import { newTrainerState, type TrainerState } from "./trainer-state.ts";

/*
 * The trainer's whole state, so that a start need not read the log from its beginning. It is a cache: damaged or gone,
 * training starts again and comes to the same numbers.
 *
 * The state is cut into parts, each a blob `<model>@<position>/<part>`; the manifest `<model>` names them and is
 * written last. Whenever the process dies, the manifest names parts that are all there: the old ones or the new ones.
 */
export const trainerKind = "trainer";
const formatVersion = 1;
/** Learners in one part: bounds the size of a blob and how long making one blocks other work. */
const learnersInPart = 250;

interface Manifest {
  readonly format: number;
  readonly position: number;
  readonly trainedTo: number;
  readonly answers: number;
  readonly skipped: number;
  readonly predictions: readonly number[];
  readonly outcomes: readonly number[];
  /** Weights first, then the learners. */
  readonly parts: readonly { readonly name: string; readonly sha256: string }[];
}

export async function saveCheckpoint(blobs: Blobs, model: LearnerModel, state: TrainerState): Promise<void> {
  const before = await readManifest(blobs, model.name);
  // Another trainer was faster; what it saved serves as well.
  if (before !== null && before.position >= state.position) return;
  const parts: { name: string; sha256: string }[] = [];
  const put = async (bytes: Uint8Array): Promise<void> => {
    const name = `${model.name}@${state.position}/${parts.length}`;
    await blobs.put(trainerKind, name, bytes);
    parts.push({ name, sha256: sha256(bytes) });
  };
  await put(model.encodeWeights(state.weights));
  let learners: [string, unknown][] = [];
  for (const [learnerId, local] of state.locals) {
    learners.push([learnerId, model.localToJson(local)]);
    if (learners.length < learnersInPart) continue;
    await put(Buffer.from(JSON.stringify(learners)));
    learners = [];
  }
  if (learners.length > 0) await put(Buffer.from(JSON.stringify(learners)));
  await blobs.put(trainerKind, model.name, Buffer.from(JSON.stringify(manifestOf(state, parts))));
  await removeOlder(blobs, model.name, state.position);
}

function manifestOf(state: TrainerState, parts: Manifest["parts"]): Manifest {
  const { position, trainedTo, answers, skipped } = state;
  const kept = Math.min(answers, state.predictions.length);
  return {
    format: formatVersion,
    position,
    trainedTo,
    answers,
    skipped,
    predictions: [...state.predictions.subarray(0, kept)],
    outcomes: [...state.outcomes.subarray(0, kept)],
    parts,
  };
}

/** Parts of a later position may belong to another trainer that is saving just now: they stay. */
async function removeOlder(blobs: Blobs, modelName: string, position: number): Promise<void> {
  for (const name of await blobs.names(trainerKind)) {
    const [owner, rest] = name.split("@");
    if (owner === modelName && rest !== undefined && Number.parseInt(rest, 10) < position) {
      await blobs.remove(trainerKind, name);
    }
  }
}

/** Null where there is none, or none that can be used (the log says why). Rejects when the blobs cannot be read at all. */
export async function loadCheckpoint(blobs: Blobs, model: LearnerModel, log: Log): Promise<TrainerState | null> {
  const manifest = await readManifest(blobs, model.name);
  if (manifest === null) return null;
  const parts: Buffer[] = [];
  for (const { name, sha256: expected } of manifest.parts) {
    const bytes = await blobs.get(trainerKind, name);
    if (bytes === null || sha256(bytes) !== expected) {
      log.warn(
        { part: name, model: model.name },
        "trainer checkpoint is incomplete, training from the start of the log",
      );
      return null;
    }
    parts.push(bytes);
  }
  try {
    return restore(model, manifest, parts);
  } catch (err) {
    log.warn({ err, model: model.name }, "trainer checkpoint cannot be read, training from the start of the log");
    return null;
  }
}

function restore(model: LearnerModel, manifest: Manifest, [weights, ...learners]: readonly Buffer[]): TrainerState {
  if (weights === undefined) throw new Error("a checkpoint without weights");
  const { position, trainedTo, answers, skipped, predictions, outcomes } = manifest;
  const counters = { position, trainedTo, answers, skipped };
  const state: TrainerState = { ...newTrainerState(model), ...counters, weights: model.decodeWeights(weights) };
  for (const part of learners) {
    for (const [id, local] of JSON.parse(part.toString()) as [string, unknown][]) {
      state.locals.set(id, model.localFromJson(local));
    }
  }
  state.predictions.set(predictions);
  state.outcomes.set(outcomes);
  return state;
}

async function readManifest(blobs: Blobs, modelName: string): Promise<Manifest | null> {
  const bytes = await blobs.get(trainerKind, modelName);
  if (bytes === null) return null;
  try {
    const manifest = JSON.parse(bytes.toString()) as Partial<Manifest> | null;
    return manifest?.format === formatVersion ? (manifest as Manifest) : null;
  } catch {
    return null;
  }
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
