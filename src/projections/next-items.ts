import { ByteReader } from "../domain/byte-reader.ts";
import { ByteWriter } from "../domain/byte-writer.ts";
import { type ExperimentArm, type SessionType, sessionTypes } from "../domain/events.ts";
import { readCountedIds, writeIds } from "../domain/id-shapes.ts";
import { type Reason, type SelectedItem, type Stop, stopReasons } from "../domain/item-selection/selection.ts";
import { numberOf, readReasons, reasonAt, type StoredReasons, unit, writeReasons } from "./list-reasons.ts";
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
  /** Of each id, see `readCountedIds`. */
  readonly keys: readonly number[];
  readonly reasons: StoredReasons;
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
/** Propensities are small: in millionths. */
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
  const reasons = Array.from({ length: items.reasons.count }, (_, k) => reasonAt(items.reasons, k));
  return { ...list, items: items.ids.map((_id, at) => itemOf(items, reasons, at)) };
}

const itemOf = (
  { ids, reasonOf, p, score, propensity }: StoredItems,
  reasons: readonly Reason[],
  at: number,
): SelectedItem => ({
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
const columns: Readonly<Record<"keys" | "reasons" | "p" | "score" | "propensity", number[]>> = {
  ...{ keys: [], reasons: [] },
  ...{ p: [], score: [], propensity: [] },
};

function readItems(reader: ByteReader, reasons: StoredReasons, first: number): StoredItems {
  const count = reader.uint();
  const { keys } = columns;
  const ids = readCountedIds(reader, count, first, keys);
  const reasonOf = reader.column(count, columns.reasons, first);
  const p = reader.column(count, columns.p, first);
  const score = reader.column(count, columns.score, first);
  const propensity = reader.column(count, columns.propensity, first);
  let [pNow, scoreNow] = [0, 0];
  for (let at = 0; at < ids.length; at++) {
    if ((reasonOf[at] as number) >= reasons.count) {
      reader.refuse(`has ${reasons.count} reasons, and names number ${reasonOf[at]}`);
    }
    pNow -= p[at] as number;
    p[at] = pNow;
    scoreNow -= score[at] as number;
    score[at] = scoreNow;
    propensity[at] = propensityUnit - (propensity[at] as number);
  }
  return { ids, keys, reasons, reasonOf, p, score, propensity };
}
