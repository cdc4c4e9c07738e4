import { createApiClient } from "../../src/app/api-client.ts";
import { course as demo } from "../../src/app/demo/course.ts";
import { publishCourse } from "../../src/app/demo/publish-course.ts";
import { type ItemFields, policySchema } from "../../src/domain/events.ts";
import { type CourseItem, keySkill, vaultSkill } from "../k6/latent.ts";
import type { SettingsFile } from "../k6/settings-file.ts";
import type { Target } from "./target.ts";

/**
 * What learners are given in the load tests: the demo course, and what they must never be given. Twenty items that were
 * published and retired; a skill behind a locked door, whose key no learner ever masters (they answer it wrong); a track
 * that bars ten items.
 */
const trackId = "load-test";
const retiredCount = 20;
const policy = policySchema.parse({});

const itemOf = (itemId: string, skillId: string, difficulty: number): ItemFields => ({
  ...{ itemId, title: itemId, skillIds: [skillId], kind: "exercise", difficulty, tags: [] },
});

const keys = [1, 2, 3, 4].map((n) => itemOf(`${keySkill}-${n}`, keySkill, 0));
const behind = [1, 2, 3, 4, 5, 6].map((n) => itemOf(`${vaultSkill}-${n}`, vaultSkill, n / 4 - 1));
const retired = Array.from({ length: retiredCount }, (_, n) => {
  const skill = demo.skills[n % demo.skills.length]?.skillId ?? "";
  // At the difficulties that are asked for most.
  return itemOf(`retired-${n + 1}`, skill, (n % 5) / 4 - 0.5);
});
const barred = demo.items.filter((_, n) => n % 12 === 3).slice(0, 10);

const course = {
  skills: [
    ...demo.skills,
    { skillId: keySkill, title: "A key that nobody holds", prerequisites: [] },
    { skillId: vaultSkill, title: "What it opens", prerequisites: [{ skillId: keySkill, weight: 1 }] },
  ],
  items: [...demo.items, ...keys, ...behind, ...retired],
  tracks: [
    {
      ...{ trackId, title: "Load test", itemIds: [], skillIds: [], policy },
      ...{ pinnedItemIds: [], barredItemIds: barred.map(({ itemId }) => itemId) },
    },
  ],
};

export type CourseSettings = Pick<
  SettingsFile,
  "items" | "prerequisites" | "prerequisiteThreshold" | "trackId" | "retired" | "barred"
>;

/** Items that learners may be given, or find locked; not those that are retired. */
export const courseItems: readonly CourseItem[] = [...demo.items, ...keys, ...behind].map(
  ({ itemId, skillIds, difficulty = 0 }) => ({ itemId, skillIds, difficulty }),
);

/** Publishes it all, and retires what is to be retired. */
export async function prepareCourse({ commandUrl, key }: Target, signal: AbortSignal): Promise<CourseSettings> {
  const api = createApiClient({ url: commandUrl, key, signal });
  await publishCourse(api, course);
  for (const { itemId } of retired) await api.delete(`/v1/items/${itemId}`);
  return {
    items: courseItems,
    prerequisites: Object.fromEntries(
      course.skills.map(({ skillId, prerequisites }) => [
        skillId,
        Object.fromEntries(prerequisites.map((one) => [one.skillId, one.weight])),
      ]),
    ),
    prerequisiteThreshold: policy.prerequisiteThreshold,
    trackId,
    retired: retired.map(({ itemId }) => itemId),
    barred: course.tracks[0]?.barredItemIds ?? [],
  };
}
