import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { Practice } from "./item-order.ts";
import { evidenceUnit, expectedUnit, type Mastery, mastery, pUnit } from "./mastery.ts";

/** Both are told by what they lack of these: most skills that were practised for long are mastered. */
const certain = 1 / pUnit;
const alwaysRight = 1 / expectedUnit;

/** By the skill's number; `practice`: what the model knows of each, which mostly says how often it was answered. */
export function writeMasteries(
  all: readonly Mastery[],
  practice: (skill: number) => Practice | undefined,
  writer: ByteWriter,
): void {
  const count = all.length;
  const values = writer.gather(count);
  for (let skill = 0; skill < count; skill++)
    values[skill] = certain - Math.round((all[skill] as Mastery).traced / pUnit);
  writer.column(values, count);
  for (let skill = 0; skill < count; skill++)
    values[skill] = alwaysRight - Math.round((all[skill] as Mastery).expected / expectedUnit);
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
const read = {
  traced: [] as number[],
  expected: [] as number[],
  n: [] as number[],
  evidence: [] as number[],
  hard: [] as number[],
};

export function readMasteries(
  reader: ByteReader,
  count: number,
  practice: (skill: number) => Practice | undefined,
): Mastery[] {
  const { traced, expected, n, evidence, hard } = read;
  for (const values of [traced, expected, n, evidence, hard]) reader.column(count, values);
  const all = new Array<Mastery>(count);
  for (let skill = 0; skill < count; skill++) {
    all[skill] = mastery(
      (certain - (traced[skill] as number)) * pUnit,
      (alwaysRight - (expected[skill] as number)) * expectedUnit,
      {
        n: (n[skill] as number) + (practice(skill)?.attempts ?? 0),
        evidence: (evidence[skill] as number) * evidenceUnit,
        hard: hard[skill] as number,
      },
    );
  }
  return all;
}
