import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import { sessionTypes } from "../events.ts";
import type { Guessing } from "../learner-model/guessing.ts";
import { Ids, type LearnerIds } from "../learner-model/ids.ts";
import type { LearnerModel } from "../learner-model/learner-model.ts";
import { type Mastery, readMastery, writeMastery } from "../learner-model/mastery.ts";
import { readCards, writeCards } from "../reviews/cards-bytes.ts";
import { type ItemsSeen, never } from "./items-seen.ts";
import type { LearnerState, Outcome } from "./learner-state.ts";
import type { Session } from "./session.ts";

/**
 * The stored form of a learner's state: a format byte, whole numbers and ids, a checksum. Everything in a state is a whole
 * number or a whole multiple of a small step, so what is read back equals what was written to the last bit, and a fold
 * goes on the same wherever it was interrupted. Ids are written once and meant by their number elsewhere; times are told
 * by how long before the latest they were. 1 was JSON; 2 had no session and no hard answers, 3 no guessing.
 */
export const stateFormat = 4;

/** Predictions that were made are kept in 1 / this. */
const outcomeUnit = 10_000;

export function learnerStateToBytes(state: LearnerState, model: LearnerModel): Uint8Array {
  const writer = new ByteWriter(stateFormat);
  const { ids, latestAt } = state;
  writer.text(state.model);
  writer.uint(state.revision);
  writer.uint(state.position);
  writer.int(state.recordedAt);
  writer.int(latestAt - state.recordedAt);
  writer.uint(state.interactions);
  writer.uint(state.answers);
  writer.uint(state.correct);
  writer.uint(state.streak);
  writer.uint(state.bestStreak);
  writer.uint(sessionTypes.indexOf(state.lastSessionType));
  writer.text(state.lastTrackId ?? "");
  writeSession(state.session, writer);
  ids.skills.write(writer);
  ids.items.write(writer);
  for (let skill = 0; skill < state.mastery.length; skill++) writeMastery(state.mastery[skill] as Mastery, writer);
  writer.int(state.guessing.right);
  writer.uint(state.guessing.answers);
  writeItems(state.items, latestAt, writer);
  model.writeLocal(state.local, writer);
  writeOutcomes(state.recent, latestAt, writer);
  writer.uint(state.lastNumbers.length);
  for (let age = 0; age < state.lastNumbers.length; age++) writer.uint(state.lastNumbers[age] as number);
  writeCards(state.cards, writer, latestAt);
  return writer.finish();
}

/** null for a state of another format or model: it is rebuilt from the log. Throws on damage, and says what is damaged. */
export function learnerStateFromBytes(bytes: Uint8Array, model: LearnerModel): LearnerState | null {
  if (bytes[0] !== stateFormat) return null;
  const reader = new ByteReader(bytes, "a learner state");
  if (reader.text() !== model.name) return null;
  const revision = reader.uint();
  const position = reader.uint();
  const recordedAt = reader.int();
  const latestAt = recordedAt + reader.int();
  const interactions = reader.uint();
  const answers = reader.uint();
  const correct = reader.uint();
  const streak = reader.uint();
  const bestStreak = reader.uint();
  const lastSessionType = sessionTypes[reader.uint()] ?? reader.refuse("names an unknown type of session");
  const trackId = reader.text();
  const session = readSession(reader);
  const ids: LearnerIds = { skills: Ids.read(reader), items: Ids.read(reader) };
  const mastery = new Array<Mastery>(ids.skills.list.length);
  for (let skill = 0; skill < mastery.length; skill++) mastery[skill] = readMastery(reader);
  const guessing: Guessing = { right: reader.int(), answers: reader.uint() };
  const items = readItems(reader, ids.items.list.length, latestAt);
  const local = model.readLocal(reader, ids);
  const recent = readOutcomes(reader, latestAt);
  const lastNumbers = reader.uints(reader.uint());
  const cards = readCards(reader, ids, latestAt);
  reader.end();
  return {
    revision,
    position,
    recordedAt,
    model: model.name,
    ids,
    local,
    mastery,
    guessing,
    interactions,
    answers,
    correct,
    streak,
    bestStreak,
    recent,
    lastNumbers,
    items,
    latestAt,
    lastSessionType,
    lastTrackId: trackId === "" ? null : trackId,
    session,
    cards,
  };
}

function writeSession({ id, ms, items, usualMs }: Session, writer: ByteWriter): void {
  writer.uint(id);
  writer.uint(ms);
  writer.uint(items);
  writer.uint(usualMs);
}

function readSession(reader: ByteReader): Session {
  const [id, ms] = [reader.uint(), reader.uint()];
  const [items, usualMs] = [reader.uint(), reader.uint()];
  return { id, ms, items, usualMs };
}

function writeItems({ engagedAt, answers }: ItemsSeen, latestAt: number, writer: ByteWriter): void {
  for (let number = 0; number < answers.length; number++) {
    const at = engagedAt[number] as number;
    writer.uint(at === never ? 0 : latestAt - at + 1);
    writer.uint(answers[number] as number);
  }
}

function readItems(reader: ByteReader, count: number, latestAt: number): ItemsSeen {
  const engagedAt = new Array<number>(count);
  const answers = new Array<number>(count);
  for (let number = 0; number < count; number++) {
    const before = reader.uint();
    engagedAt[number] = before === 0 ? never : latestAt - before + 1;
    answers[number] = reader.uint();
  }
  return { engagedAt, answers };
}

function writeOutcomes(recent: readonly Outcome[], latestAt: number, writer: ByteWriter): void {
  writer.uint(recent.length);
  for (let age = 0; age < recent.length; age++) {
    const { item, correct, p, at } = recent[age] as Outcome;
    writer.uint(2 * item + (correct ? 1 : 0));
    writer.uint(Math.round(p * outcomeUnit));
    writer.uint(latestAt - at);
  }
}

function readOutcomes(reader: ByteReader, latestAt: number): Outcome[] {
  const recent: Outcome[] = [];
  for (let left = reader.uint(); left > 0; left--) {
    const coded = reader.uint();
    const p = reader.uint() / outcomeUnit;
    recent.push({ item: coded >>> 1, correct: (coded & 1) === 1, p, at: latestAt - reader.uint() });
  }
  return recent;
}
