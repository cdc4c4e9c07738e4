import { z } from "zod";
import { eventSchemas, interactionRecordedSchema, sessionTypeSchema } from "../../domain/events.ts";
import { rules } from "../../domain/item-selection/selection.ts";
import { streamCategories } from "../../domain/streams.ts";
import { popularWindows } from "../../projections/rows.ts";
import { tableOf } from "./table.ts";

/** What can be exported, and what each column is: the data dictionary is made from this. */

const interaction = interactionRecordedSchema.shape;
const eventTypes = Object.keys(eventSchemas) as [keyof typeof eventSchemas, ...(keyof typeof eventSchemas)[]];
const whole = z.number().int();
const time = z.iso.datetime();
const learner = interaction.learnerId.describe("The learner; a pseudonym unless plain ids were asked for");
const probability = z.number().min(0).max(1);
/** Where a learner's row stands. */
const standing = {
  learnerId: learner,
  revision: whole.describe("The learner's events up to this one are included"),
  position: whole.describe("Place of that event in the log"),
};
const byModel = {
  model: z.string().describe("Learner model"),
  modelVersion: whole.describe("Version of its published weights"),
};
const inExperiment = {
  experimentId: z.string().nullable().describe("The experiment the learner was in"),
  arm: z.string().nullable().describe("The learner's arm of it"),
};

export const eventsTable = tableOf(
  "events",
  "The log: one row for each event, in order of position",
  z.object({
    position: whole.describe(
      "Place in the log; rows are in its order. To go on later, export what stands after the last",
    ),
    revision: whole.describe("Place in the event's own stream, from 1"),
    recordedAt: time.describe("When it was stored"),
    type: z.enum(eventTypes).describe("What happened"),
    category: z.enum(streamCategories).describe("What it happened to"),
    eventId: z
      .string()
      .describe("Id of the event; a pseudonym unless plain ids were asked for, since it follows from the learner's id"),
    learnerId: learner.nullable(),
    itemId: interaction.itemId.nullable().describe("The item"),
    interactionId: interaction.interactionId
      .nullable()
      .describe("Id that the client gave; a pseudonym unless plain ids were asked for"),
    kind: interaction.kind.nullable().describe("Interactions: what the learner did"),
    correct: z.boolean().nullable().describe("Answers: whether it was right"),
    score: probability.nullable().describe("Answers: credit, 0 to 1"),
    rating: z.number().nullable().describe("Ratings: 1 (worst) to 5 (best)"),
    durationMs: z.number().nullable().describe("How long it took, milliseconds"),
    hintCount: whole.nullable().describe("Hints taken"),
    skillIds: interaction.skillIds.nullable().describe("Interactions: skills of the item when it was recorded"),
    difficulty: z.number().nullable().describe("Interactions: the author's difficulty of the item then, logits"),
    sessionId: z.string().nullable().describe("The client's session; a pseudonym unless plain ids were asked for"),
    sessionType: sessionTypeSchema.nullable().describe("Sort of session"),
    trackId: z.string().nullable().describe("The track it was done in, or that was defined"),
    selectionId: z
      .string()
      .nullable()
      .describe("The list it follows from; a pseudonym unless plain ids were asked for, the same in ItemsServed"),
    ...inExperiment,
    occurredAt: time.nullable().describe("Interactions: when it happened, as the client says"),
    source: z.string().nullable().describe("Free text of the client; with plain ids only, since it may name a learner"),
    data: z
      .unknown()
      .nullable()
      .describe("All that other events than interactions say, as JSON; ids of learners in it are pseudonyms too"),
  }),
);
export type EventRow = NonNullable<typeof eventsTable.row>;

export const scoresTable = tableOf(
  "scores",
  "What learners can do: one row for each learner and skill they answered to",
  z.object({
    ...standing,
    ...byModel,
    ability: z.number().describe("Of the learner over all skills, logits: 0 is even odds on an average question"),
    skillId: z.string().describe("The skill"),
    skillTitle: z.string().nullable().describe("Its title; null where nobody defined it"),
    mastery: probability.describe("Probability that the skill is mastered"),
    masterySd: z.number().describe("Standard deviation of that estimate"),
    answers: whole.describe("The learner's answers to the skill"),
  }),
);
export type ScoreRow = NonNullable<typeof scoresTable.row>;

export const nextTable = tableOf(
  "next",
  "Lists of next items as they are ready to be served: one row for each learner and place",
  z.object({
    ...standing,
    madeAt: time.describe("When that event was recorded: the time the list is for"),
    holdsUntil: time
      .nullable()
      .describe("From then on the next request selects anew, since a review falls due; null: it holds"),
    sessionType: sessionTypeSchema.describe("Sort of session the list is for"),
    trackId: z.string().nullable().describe("The track the learner is in"),
    policyVersion: z.string().describe("Version of the policy that chose"),
    ...inExperiment,
    ...byModel,
    place: whole.describe("In the list, from 1"),
    itemId: z.string().describe("The item"),
    p: probability.describe("Predicted probability of success"),
    score: probability.describe("What items of one reason are ranked by"),
    propensity: probability.describe("Probability that the policy puts this item at this place"),
    reason: z.string().describe("Code of the reason"),
    reasonSkillId: z.string().nullable().describe("The skill that the reason speaks of"),
    rules: z.array(z.enum(rules)).describe("Rules of the policy without which another item would stand there"),
  }),
);
export type NextRow = NonNullable<typeof nextTable.row>;

export const itemsTable = tableOf(
  "items",
  "Items and what answers say of them: one row for each item that was ever published",
  z.object({
    itemId: z.string().describe("The item"),
    title: z.string().describe("Its title"),
    kind: z.string().describe("What sort of thing it is"),
    skillIds: interaction.skillIds.describe("Its skills"),
    tags: z.array(z.string()).describe("Its tags"),
    contentUri: z.string().nullable().describe("Where its content is"),
    retired: z.boolean().describe("Not offered any more"),
    authorDifficulty: z.number().nullable().describe("The author's estimate, logits: 0 is average, positive is harder"),
    difficulty: z.number().nullable().describe("What the model has learnt, logits; the author's estimate before that"),
    difficultySource: z.enum(["model", "author"]).nullable().describe("Where difficulty comes from"),
    modelVersion: whole.describe("Version of the model's published weights"),
    attempts: whole.describe("Answers"),
    learners: whole.describe("Learners who answered it"),
    successRate: probability.nullable().describe("Share of correct ones"),
    successLow: probability.nullable().describe("Lower end of its 95 % interval"),
    successHigh: probability.nullable().describe("Upper end of it"),
    medianDurationMs: z.number().nullable().describe("Median time of an answer, milliseconds, to within 10 %"),
    hintRate: probability.nullable().describe("Share of answers given with a hint"),
    discrimination: z.number().nullable().describe("Correlation of success with the learner's ability before it"),
  }),
);
export type ItemRow = NonNullable<typeof itemsTable.row>;

export const popularTable = tableOf(
  "popular",
  "What many learners do: one row for each scope, window and place",
  z.object({
    scope: z.enum(["all", "track", "skill"]).describe("Of all items, of a track's, or of a skill's"),
    scopeId: z.string().nullable().describe("The track or skill"),
    window: z.enum(popularWindows).describe("Half-life of a learner's engagement; all: it counts for ever"),
    position: whole.describe("The log up to there is counted"),
    place: whole.describe("In the list, from 1"),
    itemId: z.string().describe("The item"),
    learners: whole.describe("Learners who ever did it"),
    count: z.number().describe("Learners of the window, decayed"),
  }),
);
export type PopularRow = NonNullable<typeof popularTable.row>;

export const tables = {
  events: eventsTable,
  scores: scoresTable,
  next: nextTable,
  items: itemsTable,
  popular: popularTable,
} as const;
export type TableName = keyof typeof tables;
export const tableNames = Object.keys(tables) as [TableName, ...TableName[]];
