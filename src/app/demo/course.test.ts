import { describe, expect, it } from "vitest";
import { itemInputSchema, skillInputSchema, trackInputSchema } from "../../commands/catalogue-inputs.ts";
import { buildBank } from "../../domain/item-bank/bank.ts";
import { emptyCatalogue } from "../../domain/item-bank/catalogue.ts";
import { decidePublishItems } from "../../domain/item-bank/decide-item.ts";
import { decideSkills } from "../../domain/item-bank/decide-skill.ts";
import { decideDefineTracks } from "../../domain/item-bank/decide-track.ts";
import { course } from "./course.ts";

function publishedCourse() {
  const catalogue = emptyCatalogue();
  const stored = { revision: 1, retired: false };
  for (const skill of course.skills) catalogue.skills.set(skill.skillId, { ...skill, ...stored });
  for (const item of course.items) catalogue.items.set(item.itemId, { ...item, ...stored });
  for (const track of course.tracks) catalogue.tracks.set(track.trackId, { ...track, ...stored });
  return catalogue;
}

describe("the demo course", () => {
  it("is what the commands take, and says every field", () => {
    for (const skill of course.skills) expect(skillInputSchema.parse(skill)).toEqual(skill);
    for (const item of course.items) expect(itemInputSchema.parse(item)).toEqual(item);
    for (const track of course.tracks) expect(trackInputSchema.parse(track)).toEqual(track);
  });

  it("is accepted whole: skills known, no cycle", () => {
    const empty = emptyCatalogue();
    const { skills, items } = publishedCourse();
    const decisions = [
      ...decideSkills(course.skills, empty.skills),
      ...decidePublishItems(course.items, empty.items, skills),
      ...decideDefineTracks(course.tracks, { ...empty, items, skills }),
    ];
    expect(decisions.filter(({ status }) => status !== "published")).toEqual([]);
  });

  it("is large enough to show something: 20 skills, 256 items, two tracks, 12 items or more for each skill", () => {
    expect([course.skills.length, course.items.length, course.tracks.length]).toEqual([20, 256, 2]);
    const bank = buildBank(publishedCourse(), "algebra");
    expect(bank?.items.size).toBe(256);
    for (const { skillId, items } of bank?.skills ?? []) expect(items.length, skillId).toBeGreaterThanOrEqual(12);
  });

  it("has ids and titles of its own for every item, written as people write", () => {
    expect(new Set(course.items.map(({ itemId }) => itemId)).size).toBe(course.items.length);
    expect(new Set(course.items.map(({ title }) => title)).size).toBe(course.items.length);
    for (const { title } of course.items) expect(title).not.toMatch(/\b1[xab]\b|\+ -|- -|NaN|undefined|\/0\b|Infinity/);
  });

  it("opens with integers, and the refresher holds numbers and fractions only", () => {
    const first = buildBank(publishedCourse(), "algebra")?.skills.filter((skill) => skill.prerequisites.length === 0);
    expect(first?.map(({ skillId }) => skillId)).toEqual(["integer-sums"]);
    const refresher = buildBank(publishedCourse(), "numbers");
    expect(new Set([...(refresher?.items.values() ?? [])].flatMap(({ tags }) => tags))).toEqual(
      new Set(["numbers", "fractions"]),
    );
  });
});
