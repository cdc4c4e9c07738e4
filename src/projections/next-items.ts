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
  /** null: all items, the default policy. */
  readonly trackId: string | null;
  readonly policyVersion: string;
  readonly model: string;
  readonly modelVersion: number;
  /** Milliseconds since 1970 until which time alone does not change the list; null for always. */
  readonly holdsUntil: number | null;
  readonly items: readonly SelectedItem[];
}

/** Probabilities are kept to 1/10,000: a list is read far more often than it is written. */
const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

export function encodeNext(list: NextList): Buffer {
  const items = list.items.map((item) => [
    item.itemId,
    rounded(item.p),
    rounded(item.score),
    // A rare draw must not become impossible: analysts divide by it.
    Number(item.propensity.toPrecision(4)),
    reasonToJson(item.reason),
  ]);
  const { revision, position, at, sessionType, trackId, policyVersion, model, modelVersion, holdsUntil } = list;
  return toBytes([revision, position, at, sessionType, trackId, policyVersion, model, modelVersion, holdsUntil, items]);
}

type NextJson = [number, number, number, SessionType, string | null, string, string, number, number | null, ItemJson[]];
type ItemJson = [string, number, number, number, ReasonJson];

export function decodeNext(bytes: Buffer): NextList {
  const [revision, position, at, sessionType, trackId, policyVersion, model, modelVersion, holdsUntil, rows] =
    fromBytes(bytes) as NextJson;
  const items = rows.map(([itemId, p, score, propensity, reason]) => ({
    itemId,
    p,
    score,
    propensity,
    reason: reasonFromJson(reason),
  }));
  return { revision, position, at, sessionType, trackId, policyVersion, model, modelVersion, holdsUntil, items };
}

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
  const values = reason as Readonly<Record<string, string | number | null>>;
  const facts = reasonFacts[reason.code].map((name) => {
    const value = values[name] ?? null;
    return name === "mastery" && typeof value === "number" ? rounded(value) : value;
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
