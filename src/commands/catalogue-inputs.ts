import { z } from "zod";
import {
  type ItemFields,
  idSchema,
  itemPublishedSchema,
  policySchema,
  type SkillFields,
  skillDefinedSchema,
  type TrackFields,
  trackDefinedSchema,
} from "../domain/events.ts";

/*
 * What authors send. The storage format's fields, but strict: an unknown field is refused, so that a misspelt one is
 * not lost in silence.
 */

const item = itemPublishedSchema.shape;

export const itemInputSchema = z
  .strictObject({
    itemId: item.itemId.describe("Chosen by the author; publishing it again revises the item"),
    title: item.title.describe("What a learner or teacher sees in a list"),
    skillIds: item.skillIds.describe("Skills the item exercises; all must be defined"),
    kind: item.kind.describe('What sort of thing it is: "exercise", "video"; a track may allow some kinds only'),
    difficulty: item.difficulty.describe("Prior, in logits: 0 average, positive harder"),
    contentUri: item.contentUri.describe("Where the app finds the content itself"),
    tags: item.tags,
  })
  .meta({ title: "Item" });

export const skillInputSchema = z
  .strictObject({
    skillId: skillDefinedSchema.shape.skillId,
    title: skillDefinedSchema.shape.title,
    prerequisites: z
      .array(
        z.strictObject({
          skillId: idSchema,
          weight: z
            .number()
            .gt(0)
            .max(1)
            .default(1)
            .describe("How much of the track's prerequisite threshold it needs"),
        }),
      )
      .max(50)
      .refine((all) => new Set(all.map(({ skillId }) => skillId)).size === all.length, "names a skill twice")
      .default([])
      .describe("Skills to hold before this one"),
  })
  .meta({ title: "Skill" });

const track = trackDefinedSchema.shape;
const policy = policySchema.shape;

export const trackInputSchema = z
  .strictObject({
    trackId: track.trackId,
    title: track.title,
    itemIds: track.itemIds.describe("Items it holds, beside those of skillIds; both empty: every item there is"),
    skillIds: track.skillIds.describe("Skills whose items it holds"),
    policy: z
      .strictObject({
        targetSuccess: policy.targetSuccess.describe("Wanted probability of success"),
        masteryThreshold: policy.masteryThreshold.describe("A skill is mastered from this probability on"),
        prerequisiteThreshold: policy.prerequisiteThreshold.describe("A prerequisite is held from this probability on"),
        reviewShare: policy.reviewShare.describe("Largest share of due reviews in a practice list"),
        explorationRate: policy.explorationRate.describe("How often a place of a list is drawn at random"),
        doNotRepeat: policy.doNotRepeat.describe("An item among the last so many is not offered again"),
        itemKinds: policy.itemKinds.describe("Kinds of item allowed; empty: all"),
        reviewBy: policy.reviewBy.describe("One memory card for each skill, or for each item"),
      })
      .prefault({}),
    pinnedItemIds: track.pinnedItemIds.describe("Offered first"),
    barredItemIds: track.barredItemIds.describe("Never offered"),
  })
  .meta({ title: "Track" });

export type ItemInput = z.input<typeof itemInputSchema>;
export type SkillInput = z.input<typeof skillInputSchema>;
export type TrackInput = z.input<typeof trackInputSchema>;

// The parsed inputs are what the events hold: a field added to one and not to the other does not compile.
type Same<A, B> = [A, B] extends [B, A] ? true : never;
true satisfies Same<z.output<typeof itemInputSchema>, ItemFields>;
true satisfies Same<z.output<typeof skillInputSchema>, SkillFields>;
true satisfies Same<z.output<typeof trackInputSchema>, TrackFields>;
