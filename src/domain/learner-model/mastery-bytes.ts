import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { Practice } from "./item-order.ts";
import { evidenceUnit, type Mastery, mastery, pUnit } from "./mastery.ts";

/** p is told by what it lacks of this: most skills that were practised for long are mastered. */
const certain = 1 / pUnit;

/** By the skill's number; `practice`: what the model knows of each, which mostly says how often it was answered. */
export function writeMasteries(
  all: readonly Mastery[],
  practice: (skill: number) => Practice | undefined,
  writer: ByteWriter,
): void {
  const count = all.length;
  const values = writer.gather(count);
  for (let skill = 0; skill < count; skill++) values[skill] = certain - Math.round((all[skill] as Mastery).p / pUnit);
  writer.column(values, count);
  for (let skill = 0; skill < count; skill++)
    values[skill] = (all[skill] as Mastery).n - (practice(skill)?.attempts ?? 0);
  writer.column(values, count);
  for (let skill = 0; skill < count; skill++)
    values[skill] = Math.round((all[skill] as Mastery).evidence / evidenceUnit);
  writer.column(values, count);
  for (let skill = 0; skill < count; skill++) values[skill] = (all[skill] as Mastery).hard;
  writer.column(values, count);
}

/** Filled by one reader after the other. */
const read = { p: [] as number[], n: [] as number[], evidence: [] as number[], hard: [] as number[] };

export function readMasteries(
  reader: ByteReader,
  count: number,
  practice: (skill: number) => Practice | undefined,
): Mastery[] {
  const [p, n, evidence, hard] = [read.p, read.n, read.evidence, read.hard];
  for (const values of [p, n, evidence, hard]) reader.column(count, values);
  const all = new Array<Mastery>(count);
  for (let skill = 0; skill < count; skill++) {
    all[skill] = mastery(
      (certain - (p[skill] as number)) * pUnit,
      (n[skill] as number) + (practice(skill)?.attempts ?? 0),
      (evidence[skill] as number) * evidenceUnit,
      hard[skill] as number,
    );
  }
  return all;
}
