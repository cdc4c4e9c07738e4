import { ByteReader } from "../domain/byte-reader.ts";
import { ByteWriter } from "../domain/byte-writer.ts";
import { type ExperimentArm, type SessionType, sessionTypes } from "../domain/events.ts";
import { readCountedIds, readIds, writeIds } from "../domain/id-shapes.ts";
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

/** The same with its items as they are stored, column by column: until the next list is read, which takes the same columns. */
export type StoredList = Omit<NextList, "items"> & {
  readonly items: StoredItems;
  /** 32 bits that stand for all that it says. */
  readonly sum: number;
};

export interface StoredItems {
  readonly ids: readonly string[];
  readonly reasons: readonly Reason[];
  /** Of each item the place of its reason among these. */
  readonly reasonOf: readonly number[];
  /** In ten-thousandths. */
  readonly p: readonly number[];
  readonly score: readonly number[];
  /** In millionths. */
  readonly propensity: readonly number[];
}

/** Grows with {@link rowFormat} where lists are written otherwise. */
const listFormat = 3;
/** Stored as whole numbers: p, score and mastery in 1/10,000, propensity in 1/1,000,000. */
const unit = 1e4;
const propensityUnit = 1e6;

/** An empty text stands for null. Each reason is written once, items name it by its number; numbers of a kind are columns. */
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
  writeReasons(reasons, list.at, writer);
  writeItems(items, numbers, writer);
  return asBuffer(writer.finish());
}

/** Best first: of p and score, what each is less than the one before; of propensities, what they lack of certainty. */
function writeItems(items: readonly SelectedItem[], reasons: readonly number[], writer: ByteWriter): void {
  const count = items.length;
  const ids: string[] = [];
  for (let at = 0; at < count; at++) ids.push((items[at] as SelectedItem).itemId);
  writeIds(ids, writer);
  writer.column(reasons, count);
  const values = writer.gather(count);
  for (const value of ["p", "score"] as const) {
    for (let at = 0, before = 0; at < count; at++) {
      const now = Math.round((items[at] as SelectedItem)[value] * unit);
      values[at] = before - now;
      before = now;
    }
    writer.column(values, count);
  }
  for (let at = 0; at < count; at++) {
    // However rare a draw, it did happen: analysts divide by its propensity.
    values[at] = propensityUnit - Math.max(1, Math.round((items[at] as SelectedItem).propensity * propensityUnit));
  }
  writer.column(values, count);
}

/** Of its items the `first` so many. Throws on what {@link encodeNext} did not write. */
export function decodeNext(bytes: Buffer, first = Number.POSITIVE_INFINITY): NextList {
  const { items, sum: _, ...list } = readNext(bytes, first);
  return { ...list, items: items.ids.map((_id, at) => itemOf(items, at)) };
}

const itemOf = ({ ids, reasons, reasonOf, p, score, propensity }: StoredItems, at: number): SelectedItem => ({
  itemId: ids[at] as string,
  p: (p[at] as number) / unit,
  score: (score[at] as number) / unit,
  propensity: (propensity[at] as number) / propensityUnit,
  reason: reasons[reasonOf[at] as number] as Reason,
});

/** As {@link decodeNext}, without an object for each item: for who puts them into words at once. */
export function readNext(bytes: Buffer, first = Number.POSITIVE_INFINITY): StoredList {
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
  const items = readItems(reader, readReasons(reader, at), first);
  reader.end();
  return {
    revision,
    position,
    at,
    sessionType,
    trackId: trackId === "" ? null : trackId,
    policyVersion,
    arm,
    model,
    modelVersion,
    holdsUntil: holdsUntil === 0 ? null : holdsUntil - 1,
    stop,
    items,
    sum: bytes.readInt32LE(bytes.length - 4),
  };
}

function readStop(reader: ByteReader): Stop | null {
  const number = reader.uint();
  return number === 0 ? null : { reason: stopReasons[number - 1] ?? reader.refuse("stops for an unknown reason") };
}

/** Columns of the list that is read just now: what is made of them leaves nothing else behind. */
const columns: Readonly<Record<"reasons" | "p" | "score" | "propensity", number[]>> = {
  ...{ reasons: [], p: [] },
  ...{ score: [], propensity: [] },
};

function readItems(reader: ByteReader, reasons: readonly Reason[], first: number): StoredItems {
  const count = reader.uint();
  const ids = readCountedIds(reader, count, first);
  const reasonOf = reader.column(count, columns.reasons, first);
  const p = reader.column(count, columns.p, first);
  const score = reader.column(count, columns.score, first);
  const propensity = reader.column(count, columns.propensity, first);
  let [pNow, scoreNow] = [0, 0];
  for (let at = 0; at < ids.length; at++) {
    if ((reasonOf[at] as number) >= reasons.length) {
      reader.refuse(`has ${reasons.length} reasons, and names number ${reasonOf[at]}`);
    }
    pNow -= p[at] as number;
    p[at] = pNow;
    scoreNow -= score[at] as number;
    score[at] = scoreNow;
    propensity[at] = propensityUnit - (propensity[at] as number);
  }
  return { ids, reasons, reasonOf, p, score, propensity };
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

/** The facts of each reason; a reason is stored as its place here. Add at the end. */
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
const numberFacts = ["dueAt", "mastery", "learners"] as const;
type Fact = "skillId" | (typeof numberFacts)[number];
const reasonCodes = Object.keys(reasonFacts) as Reason["code"][];
/** By the number that a reason is stored as: which facts it has. */
const kinds = reasonCodes.map((code) => {
  const has = (fact: Fact): boolean => reasonFacts[code].includes(fact);
  const facts = { skillId: has("skillId"), dueAt: has("dueAt"), mastery: has("mastery"), learners: has("learners") };
  return { code, facts };
});
type Kind = (typeof kinds)[number];

/** Column by column, over the reasons that have such a fact; `at`: near the times when cards are due. */
function writeReasons(reasons: readonly Reason[], at: number, writer: ByteWriter): void {
  const count = reasons.length;
  writer.uint(count);
  const values = writer.gather(count);
  for (let k = 0; k < count; k++) values[k] = reasonCodes.indexOf((reasons[k] as Reason).code);
  writer.column(values, count);
  for (let k = 0; k < count; k++) values[k] = bitsOf((reasons[k] as Reason).rules);
  writer.column(values, count);
  const skillIds: string[] = [];
  for (let k = 0; k < count; k++) {
    const reason = reasons[k] as Reason;
    if (reasonFacts[reason.code].includes("skillId")) skillIds.push((valuesOf(reason).skillId as string | null) ?? "");
  }
  writeIds(skillIds, writer);
  for (const fact of numberFacts) {
    let kept = 0;
    for (let k = 0; k < count; k++) {
      const reason = reasons[k] as Reason;
      if (!reasonFacts[reason.code].includes(fact)) continue;
      const value = valuesOf(reason)[fact] as number;
      values[kept++] = fact === "mastery" ? Math.round(value * unit) : fact === "dueAt" ? at - value : value;
    }
    writer.column(values, kept);
  }
}

function readReasons(reader: ByteReader, at: number): Reason[] {
  const count = reader.uint();
  const codes = reader.column(count);
  const rules = reader.column(count);
  const skillIds = readIds(reader);
  const reasons: Record<string, unknown>[] = [];
  for (let k = 0, skills = 0; k < count; k++) {
    const { code, facts } = kinds[codes[k] as number] ?? reader.refuse("gives an unknown reason");
    reasons.push(facts.skillId ? { code, skillId: skillIds[skills++] || null } : { code });
  }
  for (const fact of numberFacts) {
    let having = 0;
    for (let k = 0; k < count; k++) if ((kinds[codes[k] as number] as Kind).facts[fact]) having += 1;
    if (having === 0) continue;
    const values = reader.column(having, columns.reasons);
    for (let k = 0, next = 0; k < count; k++) {
      if (!(kinds[codes[k] as number] as Kind).facts[fact]) continue;
      const value = values[next++] as number;
      (reasons[k] as Record<string, unknown>)[fact] =
        fact === "mastery" ? value / unit : fact === "dueAt" ? at - value : value;
    }
  }
  for (let k = 0; k < count; k++) {
    if (rules[k] !== 0) (reasons[k] as Record<string, unknown>).rules = rulesOf(rules[k] as number);
  }
  return reasons as unknown as Reason[];
}
