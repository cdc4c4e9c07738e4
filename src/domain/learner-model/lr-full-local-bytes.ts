import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { attemptsOf, noCounts, packCounts, winsOf } from "./counts.ts";
import { moveRecent } from "./fixed-point.ts";
import type { LearnerIds } from "./ids.ts";
import type { ItemOrder } from "./item-order.ts";
import { decays, type FullSkill, type LrFullLocal, lengths, newFullSkill } from "./lr-full-types.ts";
import { skillDecay } from "./lr-learning.ts";
import { readOwn, writeOwn } from "./lr-local-bytes.ts";
import { lastOutcomes, noOutcomes, outcomesIn, patternsOf, winsIn } from "./outcome-pattern.ts";

/**
 * Columns of whole numbers: skills by their numbers, items by their places. What follows from what was written before is not
 * written: as long as all outcomes of a skill are in its history, the history says how often, how often rightly, and the
 * averages; from then on it says what the averages are near to. The same with the few outcomes of an item. A skill was
 * answered last when one of its items was.
 */
export function writeLocal(local: LrFullLocal, writer: ByteWriter, order: ItemOrder): void {
  writeOwn(local, writer);
  writer.int(local.fast);
  writer.int(local.slow);
  writer.uint(local.pattern);
  writer.uint(local.lastItem < 0 ? 0 : (order.places[local.lastItem] as number) + 1);
  writer.uint(local.lastSkills.length);
  for (let k = 0; k < local.lastSkills.length; k++) writer.uint(local.lastSkills[k] as number);
  writeSkills(local.skills, writer);
  writeTimes(local.skills, writer, order.at);
  writeItems(local, writer, order.numbers);
}

export function readLocal(reader: ByteReader, ids: LearnerIds, at: readonly number[]): LrFullLocal {
  const { wins, attempts, ability, recent } = readOwn(reader);
  const [fast, slow, pattern] = [reader.int(), reader.int(), reader.uint()];
  const lastItem = reader.uint() - 1;
  const lastSkills = reader.uints(reader.uint());
  const skills = readSkills(reader);
  if (skills.length > ids.skills.list.length) reader.refuse(`has ${skills.length} skills of ${ids.skills.list.length}`);
  readTimes(reader, skills, at);
  const { items, itemPatterns } = readItems(reader, ids.items.list.length);
  const own = { wins, attempts, ability, recent, fast, slow, pattern };
  return { ...own, ids, lastItem, lastSkills, skills, items, itemPatterns };
}

function writeSkills(skills: readonly FullSkill[], writer: ByteWriter): void {
  const count = skills.length;
  writer.uint(count);
  const values = writer.gather(count);
  for (let n = 0; n < count; n++) values[n] = outcomesIn((skills[n] as FullSkill).history);
  writer.column(values, count);
  for (let n = 0; n < count; n++) {
    const { history } = skills[n] as FullSkill;
    const width = outcomesIn(history);
    writer.bits(history - 2 ** width, width);
  }
  for (let n = 0; n < count; n++) values[n] = olderAnswers(skills[n] as FullSkill);
  writer.column(values, count);
  for (let n = 0; n < count; n++) values[n] = (skills[n] as FullSkill).ability;
  writer.column(values, count);
  let kept = 0;
  for (let n = 0; n < count; n++) {
    const own = skills[n] as FullSkill;
    if (olderAnswers(own) > 0) values[kept++] = own.wins - winsIn(own.history);
  }
  writer.column(values, kept);
  for (const average of averages) {
    kept = 0;
    for (let n = 0; n < count; n++) {
      const own = skills[n] as FullSkill;
      if (olderAnswers(own) > 0) values[kept++] = own[average] - fromHistory(own.history, average);
    }
    writer.column(values, kept);
  }
}

/** By one reader after the other. */
const filled = { outcomes: [] as number[], older: [] as number[], values: [] as number[] };

function readSkills(reader: ByteReader): FullSkill[] {
  const count = reader.uint();
  const outcomes = reader.column(count, filled.outcomes);
  const skills = new Array<FullSkill>(count);
  for (let n = 0; n < count; n++) {
    const own = newFullSkill();
    const width = outcomes[n] as number;
    if (width > lengths.history) reader.refuse(`has a history of ${width} outcomes`);
    own.history = 2 ** width + reader.bits(width);
    own.pattern = lastOutcomes(own.history, lengths.skill);
    own.attempts = width;
    own.wins = winsIn(own.history);
    own.recent = fromHistory(own.history, "recent");
    own.fast = fromHistory(own.history, "fast");
    own.slow = fromHistory(own.history, "slow");
    skills[n] = own;
  }
  const older = reader.column(count, filled.older);
  const abilities = reader.column(count, filled.values);
  let longer = 0;
  for (let n = 0; n < count; n++) {
    const own = skills[n] as FullSkill;
    own.ability = abilities[n] as number;
    own.attempts += older[n] as number;
    if ((older[n] as number) > 0) longer += 1;
  }
  for (const field of ["wins", ...averages] as const) {
    const values = reader.column(longer, filled.values);
    for (let n = 0, next = 0; n < count; n++) {
      if ((older[n] as number) > 0) (skills[n] as FullSkill)[field] += values[next++] as number;
    }
  }
  return skills;
}

const averages = ["recent", "fast", "slow"] as const;
const averageDecays = { recent: skillDecay, fast: decays.skillFast, slow: decays.skillSlow } as const;

const olderAnswers = (own: FullSkill): number => own.attempts - outcomesIn(own.history);

/**
 * The average as it is after these outcomes, where there were none before them: of each history it is that of the history
 * without its newest outcome, moved. All are worked out once, 256 KB for each average.
 */
function fromHistory(history: number, average: (typeof averages)[number]): number {
  tables ??= {
    recent: tableOf(averageDecays.recent),
    fast: tableOf(averageDecays.fast),
    slow: tableOf(averageDecays.slow),
  };
  return tables[average][history] as number;
}
let tables: Record<(typeof averages)[number], Int16Array> | null = null;

function tableOf(decay: number): Int16Array {
  const table = new Int16Array(patternsOf(lengths.history));
  for (let history = 2 * noOutcomes; history < table.length; history++) {
    table[history] = moveRecent(table[history >>> 1] as number, decay, history % 2 === 1);
  }
  return table;
}

/** 0 where it is not known, 1 and the time itself, or two more than the place of an item that was done at that time. */
function writeTimes(skills: readonly FullSkill[], writer: ByteWriter, at: readonly number[]): void {
  const values = writer.gather(2 * skills.length);
  let told = 0;
  for (let n = 0; n < skills.length; n++) {
    const own = skills[n] as FullSkill;
    const place = own.at === 0 ? -1 : at.indexOf(own.at);
    values[n] = place >= 0 ? place + 2 : own.at === 0 ? 0 : 1;
    if (values[n] === 1) values[skills.length + told++] = own.at;
  }
  writer.column(values, skills.length);
  writer.column(values.subarray(skills.length), told);
}

function readTimes(reader: ByteReader, skills: readonly FullSkill[], at: readonly number[]): void {
  const codes = reader.column(skills.length);
  let told = 0;
  for (let n = 0; n < codes.length; n++) if (codes[n] === 1) told += 1;
  const times = reader.column(told);
  for (let n = 0, next = 0; n < codes.length; n++) {
    const code = codes[n] as number;
    if (code === 0) continue;
    const time = code === 1 ? times[next++] : at[code - 2];
    (skills[n] as FullSkill).at = time ?? reader.refuse("names a time that it does not hold");
  }
}

function writeItems({ items, itemPatterns }: LrFullLocal, writer: ByteWriter, numbers: readonly number[]): void {
  const count = numbers.length;
  const values = writer.gather(count);
  for (let place = 0; place < count; place++) {
    values[place] = ranks[itemPatterns[numbers[place] as number] ?? noOutcomes] as number;
  }
  writer.column(values, count);
  let full = 0;
  for (let place = 0; place < count; place++) {
    const number = numbers[place] as number;
    if ((itemPatterns[number] ?? noOutcomes) >= fullPattern) {
      values[full++] = attemptsOf(items[number] ?? noCounts) - lengths.item;
    }
  }
  writer.column(values, full);
  let older = 0;
  for (let place = 0; place < count; place++) {
    const number = numbers[place] as number;
    const pattern = itemPatterns[number] ?? noOutcomes;
    const counts = items[number] ?? noCounts;
    if (pattern >= fullPattern && attemptsOf(counts) > lengths.item) values[older++] = winsOf(counts) - winsIn(pattern);
  }
  writer.column(values, older);
}

/** Patterns of an item, those with few wrong answers first: these are most, and small numbers are short. */
const byRank = Array.from({ length: patternsOf(lengths.item) - noOutcomes }, (_, at) => at + noOutcomes).sort(
  (a, b) => wrongIn(a) - wrongIn(b) || a - b,
);
const ranks = Array.from({ length: patternsOf(lengths.item) }, (_, pattern) => byRank.indexOf(pattern));
function wrongIn(pattern: number): number {
  return outcomesIn(pattern) - winsIn(pattern);
}

/** From here on a pattern of an item holds as many outcomes as it can, and there may have been more before. */
const fullPattern = 1 << lengths.item;

function readItems(reader: ByteReader, count: number): Pick<LrFullLocal, "items" | "itemPatterns"> {
  const itemPatterns = reader.column(count);
  let full = 0;
  for (let place = 0; place < count; place++) {
    itemPatterns[place] = byRank[itemPatterns[place] as number] ?? reader.refuse("has an unknown pattern");
    if ((itemPatterns[place] as number) >= fullPattern) full += 1;
  }
  const more = reader.column(full);
  let older = 0;
  for (let k = 0; k < full; k++) if ((more[k] as number) > 0) older += 1;
  const wins = reader.column(older);
  const items = new Array<number>(count);
  for (let place = 0, k = 0, next = 0; place < count; place++) {
    const pattern = itemPatterns[place] as number;
    const before = pattern >= fullPattern ? (more[k++] as number) : 0;
    items[place] = packCounts(
      winsIn(pattern) + (before > 0 ? (wins[next++] as number) : 0),
      outcomesIn(pattern) + before,
    );
  }
  return { items, itemPatterns };
}
