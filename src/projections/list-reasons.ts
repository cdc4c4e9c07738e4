import type { ByteReader } from "../domain/byte-reader.ts";
import type { ByteWriter } from "../domain/byte-writer.ts";
import { noKey, readCountedIds, writeIds } from "../domain/id-shapes.ts";
import { bitsOf, rulesOf } from "../domain/item-selection/rules.ts";
import type { Reason } from "../domain/item-selection/selection.ts";

/** Shares are stored as whole numbers, in ten-thousandths. */
export const unit = 1e4;

/** Its place among the reasons so far, added where it is new. A list has few, so a search is fastest. */
export function numberOf(reason: Reason, reasons: Reason[]): number {
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
export type ReasonKind = (typeof kinds)[number];
const kindsByCode = new Map(kinds.map((kind) => [kind.code, kind]));

export const kindOfCode = (code: Reason["code"]): ReasonKind => kindsByCode.get(code) as ReasonKind;

/** Column by column, over the reasons that have such a fact; `at`: near the times when cards are due. */
export function writeReasons(reasons: readonly Reason[], at: number, writer: ByteWriter): void {
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

/** The reasons of a list as they are stored, column by column: until the next list is read, which takes the same columns. */
export interface StoredReasons {
  readonly count: number;
  readonly kinds: readonly ReasonKind[];
  /** As bits, see rules.ts. */
  readonly rules: readonly number[];
  /** null also where a reason of that code names none. */
  readonly skillIds: readonly (string | null)[];
  /** Of each of these, see `readCountedIds`. */
  readonly skillKeys: readonly number[];
  /** The number that it gives: when it is due, mastery in ten-thousandths, or learners; 0 where it gives none. */
  readonly values: readonly number[];
}

/** Columns of the list that is read just now: what is made of them leaves nothing else behind. */
const columns = {
  codes: [] as number[],
  kinds: [] as ReasonKind[],
  rules: [] as number[],
  dueAt: [] as number[],
  mastery: [] as number[],
  learners: [] as number[],
  namedKeys: [] as number[],
  skillIds: [] as (string | null)[],
  skillKeys: [] as number[],
  values: [] as number[],
};

/** What {@link writeReasons} wrote, with the same `at`. */
export function readReasons(reader: ByteReader, at: number): StoredReasons {
  const count = reader.uint();
  const codes = reader.column(count, columns.codes);
  const rules = reader.column(count, columns.rules);
  const named = readCountedIds(reader, reader.uint(), Number.POSITIVE_INFINITY, columns.namedKeys);
  let [due, mastered, popular] = [0, 0, 0];
  for (let k = 0; k < count; k++) {
    const kind = kinds[codes[k] as number] ?? reader.refuse("gives an unknown reason");
    columns.kinds[k] = kind;
    const { facts } = kind;
    if (facts.dueAt) due += 1;
    if (facts.mastery) mastered += 1;
    if (facts.learners) popular += 1;
  }
  const dueAt = reader.column(due, columns.dueAt);
  const mastery = reader.column(mastered, columns.mastery);
  const learners = reader.column(popular, columns.learners);
  const { namedKeys, skillIds, skillKeys, values } = columns;
  [due, mastered, popular] = [0, 0, 0];
  for (let k = 0, skills = 0; k < count; k++) {
    const { facts } = columns.kinds[k] as ReasonKind;
    skillKeys[k] = facts.skillId ? (namedKeys[skills] as number) : noKey;
    skillIds[k] = facts.skillId ? named[skills++] || null : null;
    if (facts.mastery) values[k] = mastery[mastered++] as number;
    else if (facts.dueAt) values[k] = at - (dueAt[due++] as number);
    else values[k] = facts.learners ? (learners[popular++] as number) : 0;
  }
  return { count, kinds: columns.kinds, rules, skillIds, skillKeys, values };
}

/** One of them by itself. */
export function reasonAt({ kinds, rules, skillIds, values }: StoredReasons, at: number): Reason {
  const { code, facts } = kinds[at] as ReasonKind;
  const value = values[at] as number;
  const reason: Record<string, unknown> = { code };
  if (facts.skillId) reason.skillId = skillIds[at];
  if (facts.dueAt) reason.dueAt = value;
  if (facts.mastery) reason.mastery = value / unit;
  if (facts.learners) reason.learners = value;
  if (rules[at] !== 0) reason.rules = rulesOf(rules[at] as number);
  return reason as unknown as Reason;
}
