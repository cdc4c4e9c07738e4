import { randomUUID } from "node:crypto";
import { createMemoryBlobs } from "../../src/adapters/blobs/memory.ts";
import { createMemoryLog } from "../../src/adapters/event-store/memory.ts";
import { currentSchemaVersion, interactionKinds, sessionTypes } from "../../src/domain/events.ts";
import type { LearnerModel } from "../../src/domain/learner-model/learner-model.ts";
import { itemStream, learnerStream, modelStream, skillStream, trackStream } from "../../src/domain/streams.ts";
import type { Blobs } from "../../src/ports/blobs.ts";
import type { EventStore } from "../../src/ports/event-store.ts";
import type { Feed } from "../../src/ports/feed.ts";
import { type SeededRandom, seededRandom } from "./random.ts";

export interface History {
  readonly log: EventStore & Feed;
  readonly blobs: Blobs;
  readonly learnerIds: readonly string[];
  /** Adds one event of a learner as it is, readable or not. */
  append(stream: string, type: string, data: object, schemaVersion?: number): Promise<number>;
  /** Adds so many random events. */
  grow(events: number): Promise<void>;
}

export const historyStart = Date.parse("2026-03-01T08:00:00Z");
const itemCount = 40;
const skillCount = 6;

/**
 * A log in memory as a small school would write it: a course, learners who answer, view, skip, ask for hints and rate in
 * all sorts of sessions, items and a track revised and retired in between, weights published now and then, and clocks
 * that go back.
 */
export async function learningHistory(
  seed: number,
  options: { model: LearnerModel; events: number; learners?: number },
): Promise<History> {
  const random = seededRandom(seed);
  const log = createMemoryLog();
  const blobs = createMemoryBlobs();
  const learnerIds = Array.from({ length: options.learners ?? 12 }, (_, at) => `learner-${at}`);
  let time = historyStart;

  async function append(stream: string, type: string, data: object, schemaVersion = currentSchemaVersion) {
    const recordedAt = new Date(time).toISOString();
    const event = { eventId: randomUUID(), type, data, metadata: { schemaVersion }, recordedAt };
    const [result] = await log.append([{ stream, expected: "any", events: [event] }]);
    if (result?.status !== "appended") throw new Error(`append to ${stream}: ${result?.status}`);
    return result.position;
  }

  await publishCourse(append);
  const publish = publisher(options.model, blobs, append);

  async function grow(events: number): Promise<void> {
    for (let at = 0; at < events; at += 1) {
      time += random.below(20 * 60_000) + (random.chance(0.02) ? 24 * 3_600_000 * random.below(5) : 0);
      const what = random.next();
      if (what < 0.015) await append(...changedItem(random));
      else if (what < 0.02) await append(itemStream(itemId(random)), "ItemRetired", { itemId: itemId(random) });
      else if (what < 0.025) await append(...changedTrack(random));
      else if (what < 0.035) await publish();
      else {
        const data = interaction(random, learnerIds, time);
        await append(learnerStream(data.learnerId), "InteractionRecorded", data);
        publish.learn(data);
      }
    }
  }

  await grow(options.events);
  return { log, blobs, learnerIds, append, grow };
}

type Append = History["append"];

async function publishCourse(append: Append): Promise<void> {
  for (let at = 0; at < skillCount; at += 1) {
    const prerequisites = at === 0 ? [] : [{ skillId: `skill-${at - 1}`, weight: 1 }];
    const data = { skillId: `skill-${at}`, title: `Skill ${at}`, prerequisites };
    await append(skillStream(data.skillId), "SkillDefined", data);
  }
  for (let at = 0; at < itemCount; at += 1) {
    const data = { ...itemFields(`item-${at}`, at), difficulty: (at % 7) / 2 - 1.5 };
    await append(itemStream(data.itemId), "ItemPublished", data);
  }
  await append(trackStream(track.trackId), "TrackDefined", track);
}

const track = { trackId: "by-item", title: "By item", skillIds: ["skill-1", "skill-2"], policy: { reviewBy: "item" } };

function changedTrack(random: SeededRandom): [string, string, object] {
  const { trackId } = track;
  if (random.chance(0.4)) return [trackStream(trackId), "TrackRetired", { trackId }];
  return [trackStream(trackId), "TrackDefined", { ...track, skillIds: [`skill-${random.below(skillCount)}`] }];
}

function itemFields(id: string, at: number) {
  // Some items have two skills, every tenth has none.
  const skillIds =
    at % 10 === 9 ? [] : [`skill-${at % skillCount}`, `skill-${(at * 7) % skillCount}`].slice(0, 1 + (at % 2));
  return { itemId: id, title: `Item ${at}`, skillIds: [...new Set(skillIds)] };
}

const itemId = (random: SeededRandom): string => `item-${random.below(itemCount)}`;

function changedItem(random: SeededRandom): [string, string, object] {
  const id = itemId(random);
  const data = { ...itemFields(id, random.below(itemCount)), difficulty: random.next() * 2 - 1 };
  return [itemStream(id), "ItemRevised", data];
}

function interaction(random: SeededRandom, learnerIds: readonly string[], now: number) {
  const kind = random.chance(0.75) ? "answer" : random.pick(interactionKinds);
  const at = random.below(itemCount);
  // Offline clients send late: times go back by up to three days.
  const occurredAt = new Date(random.chance(0.2) ? now - random.below(3 * 24 * 3_600_000) : now).toISOString();
  return {
    interactionId: randomUUID(),
    learnerId: random.pick(learnerIds),
    itemId: random.chance(0.03) ? "unknown-item" : `item-${at}`,
    skillIds: itemFields("", at).skillIds,
    kind,
    ...(kind === "answer" ? { correct: random.chance(0.65), durationMs: 500 + random.below(60_000) } : {}),
    ...(kind === "answer" && random.chance(0.2) ? { hintCount: 1 + random.below(3) } : {}),
    ...(kind === "rating" ? { rating: 1 + random.below(5) } : {}),
    ...(random.chance(0.5) ? { sessionType: random.pick(sessionTypes) } : {}),
    ...(random.chance(0.4) ? { trackId: random.pick(["by-item", "no-such-track"]) } : {}),
    occurredAt,
  };
}

/** Trains on what was recorded and publishes real weights, as the trainer does. */
function publisher(model: LearnerModel, blobs: Blobs, append: Append) {
  const weights = model.newWeights();
  const locals = new Map<string, unknown>();
  let version = 0;
  let answers = 0;
  const publish = async (): Promise<void> => {
    version += 1;
    const name = `${model.name}-${version}`;
    await blobs.put("model", name, model.encodePublished(weights));
    const data = { version, model: model.name, trainedTo: answers, answers, metrics: {}, weights: name };
    await append(modelStream, "ModelPublished", data);
  };
  publish.learn = ({ learnerId, ...data }: ReturnType<typeof interaction>): void => {
    if (data.kind !== "answer" || data.correct === undefined) return;
    const local = locals.get(learnerId) ?? model.newLocal();
    locals.set(learnerId, local);
    model.learn(weights, local, { ...data, correct: data.correct, at: Date.parse(data.occurredAt) });
    answers += 1;
  };
  return publish;
}
