import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { attemptsOf, noCounts, packCounts, winsOf } from "./counts.ts";
import type { LearnerIds } from "./ids.ts";
import type { ItemOrder } from "./item-order.ts";
import type { LocalSkill, LrLocal } from "./lr-types.ts";

/** Whole numbers: skills by their numbers, items by their places. */
export function writeLocal(local: LrLocal, writer: ByteWriter, order: ItemOrder): void {
  writeOwn(local, writer);
  writer.uint(local.lastItem < 0 ? 0 : (order.places[local.lastItem] as number) + 1);
  writer.uint(local.lastSkills.length);
  for (let k = 0; k < local.lastSkills.length; k++) writer.uint(local.lastSkills[k] as number);
  for (let number = 0; number < local.ids.skills.list.length; number++) {
    writeOwn(local.skills[number] as LocalSkill, writer);
  }
  const { numbers } = order;
  const values = writer.gather(numbers.length);
  for (const countOf of [attemptsOf, winsOf]) {
    for (let place = 0; place < numbers.length; place++) {
      values[place] = countOf(local.items[numbers[place] as number] ?? noCounts);
    }
    writer.column(values, numbers.length);
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
  const tried = reader.column(ids.items.list.length);
  const right = reader.column(tried.length);
  const items = tried.map((answers, place) => packCounts(right[place] as number, answers));
  return { wins, attempts, ability, recent, ids, lastItem, lastSkills, skills, items };
}

export const readOwn = (reader: ByteReader): LocalSkill => ({
  wins: reader.uint(),
  attempts: reader.uint(),
  ability: reader.int(),
  recent: reader.int(),
});
