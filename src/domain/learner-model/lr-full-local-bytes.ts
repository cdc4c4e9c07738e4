import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { attemptsOf, packCounts, winsOf } from "./counts.ts";
import type { LearnerIds } from "./ids.ts";
import { type FullSkill, type LrFullLocal, lengths } from "./lr-full-types.ts";
import { readOwn, writeOwn } from "./lr-local-bytes.ts";
import { outcomesIn, patternsOf, winsIn } from "./outcome-pattern.ts";

/**
 * Whole numbers, in the order of the ids, as in lr-local-bytes.ts. Most items were answered a few times only: then the
 * pattern of the outcomes says how often, and how often rightly. Times are told by how long before the latest they were.
 */
export function writeLocal(local: LrFullLocal, writer: ByteWriter): void {
  writeOwn(local, writer);
  writer.int(local.fast);
  writer.int(local.slow);
  writer.uint(local.pattern);
  writer.uint(local.lastItem + 1);
  writer.uint(local.lastSkills.length);
  for (let k = 0; k < local.lastSkills.length; k++) writer.uint(local.lastSkills[k] as number);
  let latest = 0;
  const { skills, items, itemPatterns } = local;
  for (let number = 0; number < skills.length; number++) latest = Math.max(latest, (skills[number] as FullSkill).at);
  writer.uint(latest);
  for (let number = 0; number < skills.length; number++) {
    const own = skills[number] as FullSkill;
    writeOwn(own, writer);
    writer.int(own.fast);
    writer.int(own.slow);
    writer.uint(own.pattern);
    writer.uint(own.at === 0 ? 0 : latest - own.at + 1);
  }
  writer.uint(items.length);
  for (let number = 0; number < items.length; number++) {
    writeItem(items[number] as number, itemPatterns[number] as number, writer);
  }
}

/** Patterns are smaller; what is larger says that the counts follow. */
const countsFollow = patternsOf(lengths.item);

function writeItem(counts: number, pattern: number, writer: ByteWriter): void {
  const attempts = attemptsOf(counts);
  if (attempts <= lengths.item) {
    writer.uint(pattern);
    return;
  }
  writer.uint(countsFollow + pattern);
  writer.uint(attempts - lengths.item);
  writer.uint(winsOf(counts));
}

export function readLocal(reader: ByteReader, ids: LearnerIds): LrFullLocal {
  const { wins, attempts, ability, recent } = readOwn(reader);
  const [fast, slow, pattern] = [reader.int(), reader.int(), reader.uint()];
  const lastItem = reader.uint() - 1;
  const lastSkills = reader.uints(reader.uint());
  const latest = reader.uint();
  const skills = new Array<FullSkill>(ids.skills.list.length);
  for (let number = 0; number < skills.length; number++) skills[number] = readSkill(reader, latest);
  const answered = reader.uint();
  if (answered > ids.items.list.length) reader.refuse(`has answers to ${answered} items of ${ids.items.list.length}`);
  const items = new Array<number>(answered);
  const itemPatterns = new Array<number>(answered);
  for (let number = 0; number < answered; number++) {
    const code = reader.uint();
    const last = code % countsFollow;
    itemPatterns[number] = last;
    if (code < countsFollow) {
      items[number] = packCounts(winsIn(last), outcomesIn(last));
    } else {
      const tried = reader.uint() + lengths.item;
      items[number] = packCounts(reader.uint(), tried);
    }
  }
  return {
    wins,
    attempts,
    ability,
    recent,
    ids,
    lastItem,
    lastSkills,
    skills,
    items,
    fast,
    slow,
    pattern,
    itemPatterns,
  };
}

/** Field by field: an object spread for each skill of each learner would be most of what reading takes. */
function readSkill(reader: ByteReader, latest: number): FullSkill {
  const wins = reader.uint();
  const attempts = reader.uint();
  const ability = reader.int();
  const recent = reader.int();
  const fast = reader.int();
  const slow = reader.int();
  const pattern = reader.uint();
  const before = reader.uint();
  return { wins, attempts, ability, recent, fast, slow, pattern, at: before === 0 ? 0 : latest - before + 1 };
}
