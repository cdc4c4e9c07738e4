// long because: it is the storage format, in one place
import { z } from "zod";

/**
 * The storage format: the events of the log, for ever. Add optional fields, never rename or remove one; a change that
 * cannot be an optional field gets a new `schemaVersion` and a step in upcast.ts.
 *
 * Times are ISO 8601 in UTC, durations milliseconds, probabilities and scores 0..1, difficulties logits (0 = average).
 */

/** An id chosen by a client: 1 to 200 characters without white space, control characters or halves of a surrogate pair. */
export const idSchema = z.string().regex(/^[^\s\p{Cc}\p{Cs}]{1,200}$/u, "1 to 200 characters without white space");

export const sessionTypes = ["practice", "review", "placement", "mock_test"] as const;
export const sessionTypeSchema = z.enum(sessionTypes);
export type SessionType = z.infer<typeof sessionTypeSchema>;

export const interactionKinds = ["answer", "view", "hint", "skip", "rating"] as const;
export const interactionKindSchema = z.enum(interactionKinds);

const instant = z.iso.datetime({ offset: true });

/** One arm of one experiment. */
export const experimentArmSchema = z.object({ experimentId: idSchema, arm: idSchema });
export type ExperimentArm = z.infer<typeof experimentArmSchema>;

export const interactionRecordedSchema = z.object({
  interactionId: idSchema,
  learnerId: idSchema,
  itemId: idSchema,
  kind: interactionKindSchema,
  /** The skills of the item as the catalogue knew them when this was recorded: a fold needs nothing but the event. */
  skillIds: z.array(idSchema).max(50),
  /** The author's difficulty of the item as the catalogue knew it then, logits; left out where the author gave none. */
  difficulty: z.number().min(-10).max(10).optional(),
  /** Answers only. */
  correct: z.boolean().optional(),
  /** Answers: credit 0..1. */
  score: z.number().min(0).max(1).optional(),
  /** Ratings only: 1 (worst) to 5 (best). */
  rating: z.number().min(1).max(5).optional(),
  durationMs: z.number().min(0).optional(),
  hintCount: z.number().int().min(0).optional(),
  sessionId: idSchema.optional(),
  sessionType: sessionTypeSchema.optional(),
  trackId: idSchema.optional(),
  /** The served list this answers. */
  selectionId: idSchema.optional(),
  /** Where the track runs an experiment: the learner's arm as the catalogue dealt it when this was recorded. */
  experiment: experimentArmSchema.optional(),
  occurredAt: instant,
  source: z.string().max(200).optional(),
});
export type InteractionRecorded = z.infer<typeof interactionRecordedSchema>;

/** Who keeps an entry of the catalogue: the id of the framework, package or list that it was imported from. */
const sourceSchema = z.string().min(1).max(200);

/** One thing that an item asks of the learner; QTI calls it a response declaration. */
const itemResponseSchema = z.object({
  responseId: idSchema,
  /** How it is given: "choice", "textEntry", "order", ...: the name of QTI's interaction without that word. */
  interaction: z.string().min(1).max(100),
  cardinality: z.enum(["single", "multiple", "ordered", "record"]),
  /** Ids of choices, pairs of them ("A B"), or values. Empty where none is declared (an essay). */
  correct: z.array(z.string().max(1000)).max(100),
});

const itemFieldsSchema = z.object({
  itemId: idSchema,
  title: z.string().min(1).max(500),
  skillIds: z.array(idSchema).max(50),
  /** What sort of thing it is: "exercise", "video", ... A policy may allow some kinds only. */
  kind: z.string().min(1).max(100).default("exercise"),
  /** Logits; positive is harder than average. */
  difficulty: z.number().min(-10).max(10).optional(),
  /** How long it usually takes, as the author knows; for what a session has time for. */
  expectedSeconds: z.number().min(1).max(86_400).optional(),
  contentUri: z.string().max(2000).optional(),
  tags: z.array(z.string().min(1).max(100)).max(50).default([]),
  /** What it asks for, and what is correct: for apps and analysts, selection does not look at it. */
  responses: z.array(itemResponseSchema).max(50).optional(),
  source: sourceSchema.optional(),
});
export const itemPublishedSchema = itemFieldsSchema;
export const itemRevisedSchema = itemFieldsSchema;
export const itemRetiredSchema = z.object({ itemId: idSchema });
export type ItemFields = z.infer<typeof itemFieldsSchema>;

export const skillDefinedSchema = z.object({
  skillId: idSchema,
  title: z.string().min(1).max(500),
  /** Skills to hold before this one; weight 0..1 says how much of the threshold is asked of it (1 = all of it). */
  prerequisites: z
    .array(z.object({ skillId: idSchema, weight: z.number().gt(0).max(1).default(1) }))
    .max(50)
    .default([]),
  /** Of its items that say nothing of their own, until answers tell. Logits; positive is harder than average. */
  difficulty: z.number().min(-10).max(10).optional(),
  /** What it is called elsewhere: a CASE identifier, URI or coding scheme. Importers find the skill by them. */
  externalIds: z.array(z.string().min(1).max(500)).max(20).optional(),
  /** The broader skills it is part of (CASE's isChildOf). Selection does not look at them. */
  parentIds: z.array(idSchema).max(20).optional(),
  source: sourceSchema.optional(),
});
export const skillRetiredSchema = z.object({ skillId: idSchema });
export type SkillFields = z.infer<typeof skillDefinedSchema>;

/** FSRS as ts-fsrs has it: what a memory card's intervals are made by. A change counts from each card's next review on. */
export const reviewSettingsSchema = z.object({
  /** Wanted probability of recall when a card falls due. */
  retention: z.number().min(0.7).max(0.99).default(0.9),
  maxIntervalDays: z.number().int().min(1).max(36_500).default(36_500),
  /** Minutes until a new card is asked again, step by step, before it counts in days; none: at once. */
  learningStepsMinutes: z.array(z.number().int().min(1).max(1439)).max(10).default([]),
  /** The same for a card that was forgotten. */
  relearningStepsMinutes: z.array(z.number().int().min(1).max(1439)).max(10).default([]),
  /** A review session in which nothing is due goes on with what falls due next. */
  ahead: z.boolean().default(true),
});
export type ReviewSettings = z.infer<typeof reviewSettingsSchema>;

/** How often an item may be given: to one learner, and among learners. */
export const exposureSchema = z.object({
  /** A learner who has done an item so many times is not given it again; null: no cap. */
  timesMax: z.number().int().min(1).max(1000).nullable().default(null),
  /** Until so many days have passed since the last time; null: for ever. */
  restDays: z.number().int().min(1).max(3650).nullable().default(null),
  /** Each item is open to this share of the learners only, drawn for learner and item. */
  learnerShareMax: z.number().gt(0).max(1).default(1),
});

/** A part of what is done that is to stay within bounds: the items of one skill, or with one tag. Exactly one is named. */
export const topicShareSchema = z.object({
  skillId: idSchema.optional(),
  tag: z.string().min(1).max(100).optional(),
  minShare: z.number().min(0).max(1).default(0),
  maxShare: z.number().gt(0).max(1).default(1),
});
export type TopicShare = z.infer<typeof topicShareSchema>;

/** Evidence that a skill's mastery needs beside its probability, so that easy items alone do not make it. */
export const masteryNeedsSchema = z.object({
  /** Answers to items of the skill. */
  answersMin: z.number().int().min(0).max(100).default(0),
  /** Correct answers to hard items of the skill: those predicted at or below `pMax` when they were answered. */
  hardAnswersMin: z.number().int().min(0).max(100).default(0),
  pMax: z.number().min(0.05).max(0.99).default(0.85),
  /**
   * A skill whose memory card expects less recall than this counts as mastered no more, until an answer shows it again. 0: a
   * skill once mastered stays so.
   */
  recallMin: z.number().min(0).max(0.99).default(0.8),
});

/** How long due reviews wait for what is not yet known, in a practice list. */
export const reviewWaitSchema = z.object({
  /** A review presses once the success expected on it is so far below the target. 1: expectation never makes it press. */
  tolerance: z.number().min(0).max(1).default(0.25),
  /** However much is expected, so long after it fell due at the latest. 0: at once. */
  daysMax: z.number().int().min(0).max(3650).default(14),
});

/** What one session may take; null: no bound. */
export const sessionBudgetSchema = z.object({
  minutes: z.number().min(1).max(1440).nullable().default(null),
  items: z.number().int().min(1).max(1000).nullable().default(null),
});

/** How a track chooses; see docs/item-selection.md. Defaults are learner-model.md's; what was added since binds nothing but `recallMin`. */
export const policySchema = z.object({
  targetSuccess: z.number().min(0.05).max(0.99).default(0.8),
  masteryThreshold: z.number().min(0.5).max(0.999).default(0.95),
  prerequisiteThreshold: z.number().min(0).max(0.999).default(0.8),
  reviewShare: z.number().min(0).max(1).default(0.3),
  explorationRate: z.number().min(0).max(0.5).default(0.05),
  /** An item answered within the learner's last so many items is not offered again. */
  doNotRepeat: z.number().int().min(0).max(200).default(20),
  /** Kinds of item allowed; empty means all. */
  itemKinds: z.array(z.string().min(1).max(100)).max(50).default([]),
  /** One memory card for each skill, or for each item. */
  reviewBy: z.enum(["skill", "item"]).default("skill"),
  reviews: reviewSettingsSchema.prefault({}),
  exposure: exposureSchema.prefault({}),
  topics: z.array(topicShareSchema).max(30).default([]),
  /** How strongly skills are mixed: an item given leaves the next of its skill this much less of its worth. 0: not at all. */
  interleaving: z.number().min(0).max(0.95).default(0.4),
  masteryNeeds: masteryNeedsSchema.prefault({}),
  /** Practice goes on with what is mastered, to keep it fresh, where nothing is open; false: it stops. */
  maintenance: z.boolean().default(true),
  sessionBudget: sessionBudgetSchema.prefault({}),
  reviewWait: reviewWaitSchema.prefault({}),
});
export type Policy = z.infer<typeof policySchema>;

/**
 * What an arm may choose otherwise than its track: all but which items there are and what a learner's state is folded
 * with, which are the track's. Each setting is given as a whole or left out; without defaults, so that what is left out
 * stays the track's.
 */
export function overridesOf<Shape extends Record<keyof Policy, { unwrap(): z.ZodType }>>(
  shape: Shape,
): OverridesOf<Shape> {
  const { itemKinds: _, reviewBy: __, reviews: ___, masteryNeeds: ____, ...choosing } = shape;
  const optional = Object.entries(choosing).map(([field, setting]) => [field, setting.unwrap().optional()]);
  return Object.fromEntries(optional) as OverridesOf<Shape>;
}
type OverridesOf<Shape extends Record<keyof Policy, { unwrap(): z.ZodType }>> = {
  [Field in Exclude<keyof Policy, "itemKinds" | "reviewBy" | "reviews" | "masteryNeeds">]: z.ZodOptional<
    ReturnType<Shape[Field]["unwrap"]>
  >;
};
const policyOverridesSchema = z.object(overridesOf(policySchema.shape));
export type PolicyOverrides = z.infer<typeof policyOverridesSchema>;

export const armsMax = 20;
export const experimentArmShape = {
  arm: idSchema,
  /** Of the learners, 0..1; 0 closes the arm. */
  share: z.number().min(0).max(1),
  policy: policyOverridesSchema.prefault({}),
};

/** Deals the learners of a track to arms, see domain/experiments. The first arm is the control. */
export const experimentShape = {
  experimentId: idSchema,
  /** Another salt deals the same learners anew. */
  salt: z.string().max(100).default(""),
  arms: z.array(z.object(experimentArmShape)).min(2).max(armsMax),
};
export const experimentSchema = z.object(experimentShape);
export type Experiment = z.infer<typeof experimentSchema>;

export const trackDefinedSchema = z.object({
  trackId: idSchema,
  title: z.string().min(1).max(500),
  /** The items it holds: those named, and all items of the skills named. Both empty: every item there is. */
  itemIds: z.array(idSchema).max(50_000).default([]),
  skillIds: z.array(idSchema).max(5_000).default([]),
  policy: policySchema.prefault({}),
  /** A teacher's hand: pinned items come first, barred ones never. */
  pinnedItemIds: z.array(idSchema).max(100).default([]),
  barredItemIds: z.array(idSchema).max(10_000).default([]),
  experiment: experimentSchema.optional(),
});
export const trackRetiredSchema = z.object({ trackId: idSchema });
export type TrackFields = z.infer<typeof trackDefinedSchema>;

export const modelPublishedSchema = z.object({
  version: z.number().int().min(1),
  model: z.string().min(1).max(50),
  /** Position in the log of the last answer it was trained on. */
  trainedTo: z.number().int().min(0),
  answers: z.number().int().min(0),
  metrics: z.record(z.string(), z.number()),
  /** Name of the weights in the blob store (kind "model"). */
  weights: z.string().min(1),
});
export type ModelPublished = z.infer<typeof modelPublishedSchema>;

/**
 * A list that was given to a client. In a stream of its own, so that giving it changes nothing for the learner. Enough to
 * ask what another policy would have done: what was shown, how likely that was, and what else was considered.
 */
export const itemsServedSchema = z.object({
  selectionId: idSchema,
  learnerId: idSchema,
  sessionType: sessionTypeSchema,
  trackId: idSchema.nullable(),
  policyVersion: z.string().min(1),
  model: z.string().min(1),
  modelVersion: z.number().int().min(0),
  experiment: experimentArmSchema.optional(),
  /** Of the learner's stream and of the log: the last event that the list knows. */
  revision: z.number().int().min(0),
  position: z.number().int().min(0),
  source: z.enum(["personal", "popular", "stale"]),
  computed: z.enum(["precomputed", "on_demand"]),
  /** Items that the selection was asked for, of which those shown are the first. */
  size: z.number().int().min(1),
  /** Only items of these skills were asked for. */
  skillIds: z.array(idSchema).optional(),
  /** The session that was named in the question. */
  sessionId: idSchema.optional(),
  /** Set where items of the list were passed over (excluded by the client, retired since): places are not the selection's. */
  cut: z.literal(true).optional(),
  /** What was shown, in order. */
  items: z.array(
    z.object({
      itemId: idSchema,
      /** Predicted probability of success. */
      p: z.number().min(0).max(1),
      /** Probability that the policy puts this item at this place. */
      propensity: z.number().gt(0).max(1),
      /** Code of the reason. */
      reason: z.string().min(1),
      /** Rules of the policy that shaped the choice; left out where none did, and in lists recorded before rules were. */
      rules: z.array(z.string().min(1)).min(1).optional(),
    }),
  ),
  /** What else stood in the list, best first. */
  candidates: z.array(idSchema).default([]),
  /** Why the policy saw no reason to go on, where it saw none. */
  stop: z.string().min(1).optional(),
});
export type ItemsServed = z.infer<typeof itemsServedSchema>;

export const eventSchemas = {
  InteractionRecorded: interactionRecordedSchema,
  ItemPublished: itemPublishedSchema,
  ItemRevised: itemRevisedSchema,
  ItemRetired: itemRetiredSchema,
  SkillDefined: skillDefinedSchema,
  SkillRetired: skillRetiredSchema,
  TrackDefined: trackDefinedSchema,
  TrackRetired: trackRetiredSchema,
  ModelPublished: modelPublishedSchema,
  ItemsServed: itemsServedSchema,
} as const;

export type EventType = keyof typeof eventSchemas;
export type EventData<T extends EventType> = z.infer<(typeof eventSchemas)[T]>;

export const eventMetadataSchema = z.object({
  schemaVersion: z.number().int().min(1),
  /** W3C trace context of the request that caused it. */
  traceparent: z.string().max(200).optional(),
  apiKeyId: z.string().max(100).optional(),
});
export type EventMetadata = z.infer<typeof eventMetadataSchema>;

export const currentSchemaVersion = 1;

/** Where an event stands in the log, apart from what it says. */
export interface EventPlace {
  readonly eventId: string;
  readonly stream: string;
  /** 1 for the first event of its stream. */
  readonly revision: number;
  readonly position: number;
  /** ISO 8601, set by the command that appended it. */
  readonly recordedAt: string;
}

/** An event read back and found valid: what every fold takes. */
export type DomainEvent = {
  [T in EventType]: EventPlace & { readonly type: T; readonly data: EventData<T>; readonly metadata: EventMetadata };
}[EventType];

export type EventOf<T extends EventType> = Extract<DomainEvent, { type: T }>;
