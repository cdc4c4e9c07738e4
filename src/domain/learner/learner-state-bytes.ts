import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import { sessionTypes } from "../events.ts";
import type { Guessing } from "../learner-model/guessing.ts";
import { Ids, type LearnerIds } from "../learner-model/ids.ts";
import type { ItemOrder, Practice } from "../learner-model/item-order.ts";
import type { LearnerModel } from "../learner-model/learner-model.ts";
import { readMasteries, writeMasteries } from "../learner-model/mastery-bytes.ts";
import type { Cards } from "../reviews/cards.ts";
import { readCards, writeCards } from "../reviews/cards-bytes.ts";
import { itemOrder, readItems, readTimes, writeAnswers, writeTimes } from "./items-bytes.ts";
import type { LearnerState, Outcome } from "./learner-state.ts";
import type { Session } from "./session.ts";

/**
 * The stored form of a learner's state: a format byte, whole numbers and ids, a checksum. Everything in a state is a whole
 * number or a whole multiple of a small step, so what is read back means what was written to the last bit, and a fold
 * goes on the same wherever it was interrupted. Numbers of one kind stand together as a column; what follows from others
 * (ADR 41) is told by the difference, which mostly is none. Items stand in the order in which they were done last, and are
 * numbered so by who reads them: whichever numbers they had, the bytes are the same.
 * 1 was JSON; 2 had no session and no hard answers, 3 no guessing, 4 no columns, 5 no expected
 * success.
 */
export const stateFormat = 6;

/** Predictions that were made are kept in 1 / this. */
const outcomeUnit = 10_000;

export function learnerStateToBytes(state: LearnerState, model: LearnerModel): Uint8Array {
  const writer = new ByteWriter(stateFormat);
  const { ids, latestAt, local } = state;
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
  const order = itemOrder(state);
  const now = Math.floor(latestAt / 1000);
  ids.skills.write(writer);
  ids.items.write(writer, order.numbers);
  writer.uint(state.lastNumbers.length);
  writeTimes(order, now, writer);
  model.writeLocal(local, writer, order);
  const practice = (skill: number): Practice | undefined => model.practiceOf(local, skill);
  writeMasteries(state.mastery, practice, writer);
  writer.int(state.guessing.right);
  writer.uint(state.guessing.answers);
  writeAnswers(state.items, order, (item) => model.attemptsAt(local, item), writer);
  writeOutcomes(state.recent, order, writer);
  writeCards(state.cards.skills, upTo(ids.skills.list.length), { now, practice }, writer);
  writeCards(state.cards.items, order.numbers, { now, practice: practiceOfItems(order.at) }, writer);
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
  const [skills, count] = [ids.skills.list.length, ids.items.list.length];
  const now = Math.floor(latestAt / 1000);
  const last = reader.uint();
  if (last > count) reader.refuse(`has done ${last} items of ${count}`);
  const at = readTimes(reader, count, now);
  const local = model.readLocal(reader, ids, at);
  const practice = (skill: number): Practice | undefined => model.practiceOf(local, skill);
  const mastery = readMasteries(reader, skills, practice);
  const guessing: Guessing = { right: reader.int(), answers: reader.uint() };
  const items = readItems(reader, at, (item) => model.attemptsAt(local, item));
  const recent = readOutcomes(reader, at);
  const cards: Cards = {
    ids,
    skills: readCards(reader, skills, { now, practice }),
    items: readCards(reader, count, { now, practice: practiceOfItems(at) }),
  };
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
    lastNumbers: [...upTo(last)],
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

/** The latest answers are mostly to the items that were done last, in that order and at these times. */
function writeOutcomes(recent: readonly Outcome[], order: ItemOrder, writer: ByteWriter): void {
  const count = recent.length;
  writer.uint(count);
  const values = writer.gather(count);
  for (let age = 0; age < count; age++) values[age] = (order.places[(recent[age] as Outcome).item] as number) - age;
  writer.column(values, count);
  for (let age = 0; age < count; age++) values[age] = (recent[age] as Outcome).correct ? 1 : 0;
  writer.column(values, count);
  for (let age = 0, before = 0; age < count; age++) {
    const p = Math.round((recent[age] as Outcome).p * outcomeUnit);
    values[age] = before - p;
    before = p;
  }
  writer.column(values, count);
  for (let age = 0; age < count; age++) {
    const { at, item } = recent[age] as Outcome;
    values[age] = at - 1000 * (order.at[order.places[item] as number] as number);
  }
  writer.column(values, count);
}

function readOutcomes(reader: ByteReader, at: readonly number[]): Outcome[] {
  const count = reader.uint();
  const places = reader.column(count);
  const correct = reader.column(count);
  const p = reader.column(count);
  const after = reader.column(count);
  const recent: Outcome[] = [];
  for (let age = 0, pNow = 0; age < count; age++) {
    pNow -= p[age] as number;
    const item = (places[age] as number) + age;
    const done = at[item] ?? reader.refuse(`names item ${item} of ${at.length}`);
    recent.push({ item, correct: correct[age] === 1, p: pNow / outcomeUnit, at: 1000 * done + (after[age] as number) });
  }
  return recent;
}

/** 0, 1, 2 and so on: shared, not to be changed. */
function upTo(count: number): readonly number[] {
  while (counting.length < count) counting.push(counting.length);
  return counting.length === count ? counting : counting.slice(0, count);
}
const counting: number[] = [];

/** Of items only the time is known at the same place before and after. */
const practiceOfItems =
  (at: readonly number[]) =>
  (place: number): Practice => ({ attempts: 0, wins: 0, at: at[place] as number });
