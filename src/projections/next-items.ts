import { ByteReader } from "../domain/byte-reader.ts";
import { ByteWriter } from "../domain/byte-writer.ts";
import { type ExperimentArm, type SessionType, sessionTypes } from "../domain/events.ts";
import { bitsOf, rulesOf } from "../domain/item-selection/rules.ts";
import { type Reason, type SelectedItem, type Stop, stopReasons } from "../domain/item-selection/selection.ts";
import { asBuffer } from "./row-json.ts";

/** A learner's precomputed list: ids and numbers only; titles and words are put in when it is read. */
export interface NextList {
  /** Of the learner's stream: the last event this list knows. */
  readonly revision: number;
  /** Of the log: the same event. */
  readonly position: number;
  /** When that event was recorded, milliseconds since 1970: the list's `now`. */
  readonly at: number;
  readonly sessionType: SessionType;
  /** Of the learner's last interaction that named a track; null: all items, the default policy. */
  readonly trackId: string | null;
  readonly policyVersion: string;
  /** Where the track runs an experiment: the learner's arm. */
  readonly arm: ExperimentArm | null;
  readonly model: string;
  readonly modelVersion: number;
  /** Milliseconds since 1970 until which time alone does not change the list; null for always. */
  readonly holdsUntil: number | null;
  readonly stop: Stop | null;
  readonly items: readonly SelectedItem[];
}

/** Grows with {@link rowFormat} where lists are written otherwise. */
const listFormat = 2;
/** Stored as whole numbers: p, score and mastery in 1/10,000, propensity in 1/1,000,000. */
const unit = 1e4;
const propensityUnit = 1e6;

/** Ids are written as they are; an empty one stands for null. Each reason is written once, items name it by its number. */
export function encodeNext(list: NextList): Buffer {
  const writer = new ByteWriter(listFormat);
  writer.uint(list.revision);
  writer.uint(list.position);
  writer.int(list.at);
  writer.uint(sessionTypes.indexOf(list.sessionType));
  writer.text(list.trackId ?? "");
  writer.text(list.policyVersion);
  writer.text(list.arm?.experimentId ?? "");
  if (list.arm !== null) writer.text(list.arm.arm);
  writer.text(list.model);
  writer.uint(list.modelVersion);
  writer.uint(list.holdsUntil === null ? 0 : list.holdsUntil + 1);
  writer.uint(list.stop === null ? 0 : stopReasons.indexOf(list.stop.reason) + 1);
  const reasons: Reason[] = [];
  // By index throughout: iterators would be most of the garbage that a list leaves behind.
  const { items } = list;
  const numbers: number[] = [];
  for (let at = 0; at < items.length; at++) numbers.push(numberOf((items[at] as SelectedItem).reason, reasons));
  writer.uint(reasons.length);
  for (let number = 0; number < reasons.length; number++) writeReason(reasons[number] as Reason, writer);
  writer.uint(items.length);
  for (let at = 0; at < items.length; at++) {
    const { itemId, p, score, propensity } = items[at] as SelectedItem;
    writer.text(itemId);
    writer.uint(Math.round(p * unit));
    writer.uint(Math.round(score * unit));
    // However rare a draw, it did happen: analysts divide by its propensity.
    writer.uint(Math.max(1, Math.round(propensity * propensityUnit)));
    writer.uint(numbers[at] ?? 0);
  }
  return asBuffer(writer.finish());
}

/** Throws on what {@link encodeNext} did not write. */
export function decodeNext(bytes: Buffer): NextList {
  const reader = new ByteReader(bytes, "a stored list");
  if (reader.format !== listFormat) reader.refuse(`is of format ${reader.format}, not ${listFormat}`);
  const [revision, position, at] = [reader.uint(), reader.uint(), reader.int()];
  const sessionType = sessionTypes[reader.uint()] ?? reader.refuse("names an unknown type of session");
  const trackId = reader.text();
  const policyVersion = reader.text();
  const experimentId = reader.text();
  const arm = experimentId === "" ? null : { experimentId, arm: reader.text() };
  const [model, modelVersion] = [reader.text(), reader.uint()];
  const holdsUntil = reader.uint();
  const stop = readStop(reader);
  const reasons: Reason[] = [];
  for (let left = reader.uint(); left > 0; left--) reasons.push(readReason(reader));
  const items: SelectedItem[] = [];
  for (let left = reader.uint(); left > 0; left--) items.push(readItem(reader, reasons));
  reader.end();
  return {
    ...{ revision, position, at, sessionType, trackId: trackId === "" ? null : trackId, policyVersion, arm },
    ...{ model, modelVersion, holdsUntil: holdsUntil === 0 ? null : holdsUntil - 1, stop, items },
  };
}

function readStop(reader: ByteReader): Stop | null {
  const number = reader.uint();
  return number === 0 ? null : { reason: stopReasons[number - 1] ?? reader.refuse("stops for an unknown reason") };
}

function readItem(reader: ByteReader, reasons: readonly Reason[]): SelectedItem {
  const itemId = reader.text();
  const p = reader.uint() / unit;
  const score = reader.uint() / unit;
  const propensity = reader.uint() / propensityUnit;
  const number = reader.uint();
  const reason = reasons[number] ?? reader.refuse(`has ${reasons.length} reasons, and names number ${number}`);
  return { itemId, p, score, propensity, reason };
}

/** Its place among the reasons so far, added where it is new. A list has few, so a search is fastest. */
function numberOf(reason: Reason, reasons: Reason[]): number {
  for (let at = 0; at < reasons.length; at += 1) if (sameReason(reasons[at] as Reason, reason)) return at;
  return reasons.push(reason) - 1;
}

function sameReason(a: Reason, b: Reason): boolean {
  if (a === b) return true;
  if (a.code !== b.code) return false;
  const facts = reasonFacts[a.code];
  for (let fact = 0; fact < facts.length; fact++) {
    const name = facts[fact] as Fact;
    if (valuesOf(a)[name] !== valuesOf(b)[name]) return false;
  }
  return bitsOf(a.rules) === bitsOf(b.rules);
}
const valuesOf = (reason: Reason) => reason as unknown as Readonly<Record<Fact, string | number | null>>;

/** The facts of each reason, in the order in which they are stored after its code's place here and its rules. Add at the end. */
const reasonFacts: Readonly<Record<Reason["code"], readonly Fact[]>> = {
  pinned: [],
  due_review: ["skillId", "dueAt"],
  upcoming_review: ["skillId", "dueAt"],
  open_skill: ["skillId", "mastery"],
  near_target: [],
  exploration: ["skillId"],
  maintenance: ["skillId", "mastery"],
  most_informative: ["skillId"],
  topic_coverage: ["skillId"],
  popular: ["learners"],
};
type Fact = "skillId" | "dueAt" | "mastery" | "learners";
const reasonCodes = Object.keys(reasonFacts) as Reason["code"][];

function writeReason(reason: Reason, writer: ByteWriter): void {
  const values = valuesOf(reason);
  writer.uint(reasonCodes.indexOf(reason.code));
  writer.uint(bitsOf(reason.rules));
  const facts = reasonFacts[reason.code];
  for (let fact = 0; fact < facts.length; fact++) {
    const name = facts[fact] as Fact;
    const value = values[name] ?? null;
    if (typeof value !== "number") writer.text(value ?? "");
    else writer.uint(name === "mastery" ? Math.round(value * unit) : value);
  }
}

function readReason(reader: ByteReader): Reason {
  const code = reasonCodes[reader.uint()] ?? reader.refuse("gives an unknown reason");
  const rules = reader.uint();
  const reason: Record<string, unknown> = { code };
  for (const name of reasonFacts[code]) {
    if (name === "skillId") reason[name] = reader.text() || null;
    else reason[name] = name === "mastery" ? reader.uint() / unit : reader.uint();
  }
  if (rules !== 0) reason.rules = rulesOf(rules);
  return reason as unknown as Reason;
}
