import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { attemptsOf, packCounts, winsOf } from "./counts.ts";
import type { LearnerIds } from "./ids.ts";
import type { LocalSkill, LrLocal } from "./lr-types.ts";

/** Whole numbers, in the order of the ids; items that were only looked at since the last answer stand at the end, and are left out. */
export function writeLocal(local: LrLocal, writer: ByteWriter): void {
  writeOwn(local, writer);
  writer.uint(local.lastItem + 1);
  writer.uint(local.lastSkills.length);
  for (let k = 0; k < local.lastSkills.length; k++) writer.uint(local.lastSkills[k] as number);
  for (let number = 0; number < local.ids.skills.list.length; number++) {
    writeOwn(local.skills[number] as LocalSkill, writer);
  }
  writer.uint(local.items.length);
  for (let number = 0; number < local.items.length; number++) {
    const counts = local.items[number] as number;
    writer.uint(attemptsOf(counts));
    writer.uint(winsOf(counts));
  }
}

export function writeOwn(own: LocalSkill, writer: ByteWriter): void {
  writer.uint(own.wins);
  writer.uint(own.attempts);
  writer.int(own.ability);
  writer.int(own.recent);
}

export function readLocal(reader: ByteReader, ids: LearnerIds): LrLocal {
  const { wins, attempts, ability, recent } = readOwn(reader);
  const lastItem = reader.uint() - 1;
  const lastSkills = reader.uints(reader.uint());
  const skills = new Array<LocalSkill>(ids.skills.list.length);
  for (let number = 0; number < skills.length; number++) skills[number] = readOwn(reader);
  const answered = reader.uint();
  if (answered > ids.items.list.length) reader.refuse(`has answers to ${answered} items of ${ids.items.list.length}`);
  const items = new Array<number>(answered);
  for (let number = 0; number < answered; number++) {
    const tried = reader.uint();
    items[number] = packCounts(reader.uint(), tried);
  }
  return { wins, attempts, ability, recent, ids, lastItem, lastSkills, skills, items };
}

export const readOwn = (reader: ByteReader): LocalSkill => ({
  wins: reader.uint(),
  attempts: reader.uint(),
  ability: reader.int(),
  recent: reader.int(),
});
