import { z } from "zod";
import {
  armsMax,
  experimentArmShape,
  experimentShape,
  exposureSchema,
  type ItemFields,
  idSchema,
  itemPublishedSchema,
  masteryNeedsSchema,
  overridesOf,
  policySchema,
  reviewSettingsSchema,
  reviewWaitSchema,
  type SkillFields,
  sessionBudgetSchema,
  skillDefinedSchema,
  type TrackFields,
  topicShareSchema,
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
    expectedSeconds: item.expectedSeconds.describe("How long it usually takes"),
    contentUri: item.contentUri.describe("Where the app finds the content itself"),
    tags: item.tags,
    responses: z
      .array(z.strictObject(item.responses.unwrap().element.shape))
      .max(50)
      .optional()
      .describe("What it asks for and what is correct; shown to authors and analysts only"),
    source: item.source.describe("Id of the package or list that it is kept in"),
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
    difficulty: skillDefinedSchema.shape.difficulty.describe(
      "Prior of its items that give none of their own, in logits: 0 average, positive harder",
    ),
    externalIds: skillDefinedSchema.shape.externalIds.describe("What it is called elsewhere: a CASE identifier, URI"),
    parentIds: skillDefinedSchema.shape.parentIds.describe("The broader skills it is part of"),
    source: skillDefinedSchema.shape.source.describe("Id of the framework or list that it is kept in"),
  })
  .meta({ title: "Skill" });

const track = trackDefinedSchema.shape;
const policy = policySchema.shape;
const reviews = reviewSettingsSchema.shape;
const exposure = exposureSchema.shape;
const topic = topicShareSchema.shape;
const needs = masteryNeedsSchema.shape;
const budget = sessionBudgetSchema.shape;
const wait = reviewWaitSchema.shape;

export const policyInputSchema = z
  .strictObject({
    targetSuccess: policy.targetSuccess.describe("Wanted probability of success"),
    masteryThreshold: policy.masteryThreshold.describe("A skill is mastered from this probability on"),
    prerequisiteThreshold: policy.prerequisiteThreshold.describe("A prerequisite is held from this probability on"),
    reviewShare: policy.reviewShare.describe("Largest share of due reviews in a practice list"),
    explorationRate: policy.explorationRate.describe("How often a place of a list is drawn at random"),
    doNotRepeat: policy.doNotRepeat.describe("An item among the last so many is not offered again"),
    itemKinds: policy.itemKinds.describe("Kinds of item allowed; empty: all"),
    reviewBy: policy.reviewBy.describe("One memory card for each skill, or for each item"),
    reviews: z
      .strictObject({
        retention: reviews.retention.describe("Wanted probability of recall when a card falls due"),
        maxIntervalDays: reviews.maxIntervalDays.describe("Longest time between two reviews"),
        learningStepsMinutes: reviews.learningStepsMinutes.describe("Steps of a new card before it counts in days"),
        relearningStepsMinutes: reviews.relearningStepsMinutes.describe("Steps of a card that was forgotten"),
        ahead: reviews.ahead.describe("A review session in which nothing is due goes on with what falls due next"),
      })
      .prefault({}),
    exposure: z
      .strictObject({
        timesMax: exposure.timesMax.describe("A learner who has done an item so often is not given it again"),
        restDays: exposure.restDays.describe("until so many days have passed since the last time; null: for ever"),
        learnerShareMax: exposure.learnerShareMax.describe("Each item is open to this share of the learners only"),
      })
      .prefault({}),
    topics: z
      .array(
        z.strictObject({
          skillId: topic.skillId.describe("The items of this skill; or, instead,"),
          tag: topic.tag.describe("those with this tag"),
          minShare: topic.minShare.describe("Least share of what is practised, as far as there are items"),
          maxShare: topic.maxShare.describe("Largest share, as far as there is anything else"),
        }),
      )
      .max(30)
      .default([])
      .describe("Shares of topics in practice"),
    interleaving: policy.interleaving.describe("How strongly skills are mixed: 0 not at all"),
    masteryNeeds: z
      .strictObject({
        answersMin: needs.answersMin.describe("A skill is mastered after so many answers at the earliest"),
        hardAnswersMin: needs.hardAnswersMin.describe("and after so many correct ones to hard items,"),
        pMax: needs.pMax.describe("those predicted at or below this when they were answered"),
        recallMin: needs.recallMin.describe("and is open again once its memory card expects less recall; 0: never"),
      })
      .prefault({}),
    maintenance: policy.maintenance.describe("Keep mastered skills fresh where nothing is open; false: stop"),
    sessionBudget: z
      .strictObject({
        minutes: budget.minutes.describe("Time that one session may take"),
        items: budget.items.describe("Items that one session may take"),
      })
      .prefault({}),
    reviewWait: z
      .strictObject({
        tolerance: wait.tolerance.describe(
          "In practice a due review waits while success is expected no further than this below the target,",
        ),
        daysMax: wait.daysMax.describe("but no more days than this after it fell due"),
      })
      .prefault({}),
  })
  .meta({ title: "Policy" });

/** What an arm, or a policy that is asked about, has otherwise than its track's. */
const policyOverridesInputSchema = z.strictObject(overridesOf(policyInputSchema.shape));

const experimentInputSchema = z
  .strictObject({
    experimentId: experimentShape.experimentId.describe("Never used for another experiment afterwards"),
    salt: experimentShape.salt.describe("Another salt deals the learners anew"),
    arms: z
      .array(
        z.strictObject({
          arm: experimentArmShape.arm,
          share: experimentArmShape.share.describe("Of the learners; those of all arms add up to 1"),
          policy: policyOverridesInputSchema
            .prefault({})
            .describe("What this arm chooses otherwise than the track's policy"),
        }),
      )
      .min(2)
      .max(armsMax)
      .refine((arms) => new Set(arms.map(({ arm }) => arm)).size === arms.length, "names an arm twice")
      .refine(
        (arms) => Math.abs(arms.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-6,
        "shares do not add up to 1",
      )
      .describe("The first is the control"),
  })
  .meta({ title: "Experiment" });

export const trackInputSchema = z
  .strictObject({
    trackId: track.trackId,
    title: track.title,
    itemIds: track.itemIds.describe("Items it holds, beside those of skillIds; both empty: every item there is"),
    skillIds: track.skillIds.describe("Skills whose items it holds"),
    policy: policyInputSchema.prefault({}),
    pinnedItemIds: track.pinnedItemIds.describe("Offered first"),
    barredItemIds: track.barredItemIds.describe("Never offered"),
    experiment: experimentInputSchema.optional().describe("Deals the track's learners to arms; left out, none runs"),
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
