import type { SessionType } from "../domain/events.ts";
import type { Reason, SelectedItem } from "../domain/item-selection/selection.ts";
import { fromBytes, toBytes } from "./row-json.ts";

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
  readonly model: string;
  readonly modelVersion: number;
  /** Milliseconds since 1970 until which time alone does not change the list; null for always. */
  readonly holdsUntil: number | null;
  readonly items: readonly SelectedItem[];
}

/** Stored as whole numbers, which are written and read fastest: p and score in 1/10,000, propensity in 1/1,000,000. */
const unit = 1e4;
const propensityUnit = 1e6;

type NextJson = [
  ...place: [revision: number, position: number, at: number],
  ...kind: [sessionType: SessionType, trackId: string | null, policyVersion: string],
  ...made: [model: string, modelVersion: number, holdsUntil: number | null],
  /** Each once. */
  reasons: ReasonJson[],
  /** [item, p, score, propensity, reason's number] one after the other. */
  items: (string | number)[],
];
const valuesOfItem = 5;

export function encodeNext(list: NextList): Buffer {
  const reasons: Reason[] = [];
  const items: NextJson[10] = [];
  for (const { itemId, p, score, propensity, reason } of list.items) {
    // However rare a draw, it did happen: analysts divide by its propensity.
    const drawn = Math.max(1, Math.round(propensity * propensityUnit));
    items.push(itemId, Math.round(p * unit), Math.round(score * unit), drawn, numberOf(reason, reasons));
  }
  const { revision, position, at, sessionType, trackId, policyVersion, model, modelVersion, holdsUntil } = list;
  const json: NextJson = [
    ...([revision, position, at, sessionType, trackId, policyVersion, model, modelVersion, holdsUntil] as const),
    reasons.map(reasonToJson),
    items,
  ];
  return toBytes(json);
}

export function decodeNext(bytes: Buffer): NextList {
  const [revision, position, at, sessionType, trackId, policyVersion, model, modelVersion, holdsUntil, reasons, flat] =
    fromBytes(bytes) as NextJson;
  const known = reasons.map(reasonFromJson);
  const items: SelectedItem[] = [];
  for (let from = 0; from < flat.length; from += valuesOfItem) {
    const [itemId, p, score, propensity, number] = flat.slice(from, from + valuesOfItem) as ItemJson;
    const reason = known[number];
    if (reason === undefined) throw new Error(`a list of ${known.length} reasons names number ${number}`);
    items.push({ itemId, p: p / unit, score: score / unit, propensity: propensity / propensityUnit, reason });
  }
  return { revision, position, at, sessionType, trackId, policyVersion, model, modelVersion, holdsUntil, items };
}

type ItemJson = [itemId: string, p: number, score: number, propensity: number, reason: number];

/** Its place among the reasons so far, added where it is new. A list has few, so a search is fastest. */
function numberOf(reason: Reason, reasons: Reason[]): number {
  for (let at = 0; at < reasons.length; at += 1) if (sameReason(reasons[at] as Reason, reason)) return at;
  return reasons.push(reason) - 1;
}

function sameReason(a: Reason, b: Reason): boolean {
  if (a.code !== b.code) return false;
  const [left, right] = [a as ReasonValues, b as ReasonValues];
  for (const name of reasonFacts[a.code]) if (left[name] !== right[name]) return false;
  return true;
}
type ReasonValues = Readonly<Record<string, string | number | null>>;

/** The facts of each reason, in the order in which they are stored after its code. Add at the end, never reorder. */
const reasonFacts: Readonly<Record<Reason["code"], readonly string[]>> = {
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
type ReasonJson = readonly [Reason["code"], ...(string | number | null)[]];

function reasonToJson(reason: Reason): ReasonJson {
  const values = reason as ReasonValues;
  const facts = reasonFacts[reason.code].map((name) => {
    const value = values[name] ?? null;
    return name === "mastery" && typeof value === "number" ? Math.round(value * unit) / unit : value;
  });
  return [reason.code, ...facts];
}

function reasonFromJson([code, ...facts]: ReasonJson): Reason {
  const reason: Record<string, string | number | null> = { code };
  reasonFacts[code].forEach((name, at) => {
    reason[name] = facts[at] ?? null;
  });
  return reason as unknown as Reason;
}
