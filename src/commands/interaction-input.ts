import { z } from "zod";
import { compiledCheck } from "../domain/compiled-check.ts";
import { type InteractionRecorded, idSchema, interactionKindSchema, sessionTypeSchema } from "../domain/events.ts";
import { type FieldProblem, fieldProblems } from "./refusal.ts";

/** Offline clients may be late by years; a date before this is a broken clock. */
export const earliestOccurredAt = Date.UTC(2000, 0, 1);
/** Clocks of clients run a little ahead; a date further ahead than this is refused. Milliseconds. */
export const futureTolerance = 5 * 60_000;
const weekMs = 7 * 24 * 3_600_000;

/** What a client sends for one interaction. An unknown field is refused, so that a misspelt one is not lost in silence. */
export const interactionInputSchema = z.strictObject({
  /** Idempotency key, unique for its learner. Made by the server when left out: such a post cannot be repeated safely. */
  id: idSchema.optional().describe("Idempotency key, unique for its learner; made by the server when left out"),
  learnerId: idSchema,
  itemId: idSchema,
  kind: interactionKindSchema,
  correct: z.boolean().optional().describe("Answers: correct, score or both"),
  score: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Answers: credit 0..1; correct means at least 0.5 when not given"),
  rating: z.number().min(1).max(5).optional().describe("Ratings: 1 (worst) to 5 (best)"),
  durationMs: z.number().min(0).max(weekMs).optional(),
  hintCount: z.number().int().min(0).max(10_000).optional(),
  sessionId: idSchema.optional(),
  sessionType: sessionTypeSchema.optional(),
  trackId: idSchema.optional(),
  selectionId: idSchema.optional().describe("The served list this answers"),
  occurredAt: z.iso
    .datetime({ offset: true })
    .optional()
    .describe("Now when left out; from 2000-01-01 on, at most 5 minutes ahead"),
  source: z
    .string()
    .regex(/^[^\p{Cc}\p{Cs}]{1,200}$/u, "1 to 200 characters without control characters")
    .optional()
    .describe("Where it comes from, for analysts"),
});
export type InteractionInput = z.infer<typeof interactionInputSchema>;

/** An interaction fit to be stored, but for the skills of its item. */
export interface ReadInteraction {
  readonly data: Omit<InteractionRecorded, "skillIds" | "difficulty">;
  /** The client said when it happened, so a repeat must say the same. */
  readonly occurredAtGiven: boolean;
}

export type InteractionReading =
  | { readonly ok: true; readonly interaction: ReadInteraction }
  | { readonly ok: false; readonly errors: FieldProblem[] };

/** Whether the schema takes it, at once; what it takes it does not change. */
export const isInteractionInput = compiledCheck<InteractionInput>(interactionInputSchema);

function fieldsOf(input: unknown): InteractionInput | { readonly errors: FieldProblem[] } {
  if (isInteractionInput(input)) return input;
  const parsed = interactionInputSchema.safeParse(input);
  return parsed.success ? parsed.data : { errors: fieldProblems(parsed.error.issues) };
}

/**
 * Checks one interaction as sent. `now` in milliseconds since 1970; `newId` makes the id of one sent without. `latest` is the
 * time from which on it lies in the future, where that is not now (see latest-time.ts).
 */
export function readInteraction(
  input: unknown,
  now: number,
  newId: () => string,
  latest: number = now,
): InteractionReading {
  const fields = fieldsOf(input);
  if ("errors" in fields) return { ok: false, errors: fields.errors };
  const given = fields.occurredAt;
  const occurredAt = given === undefined ? now : Date.parse(given);
  const errors = problemsOfKind(fields);
  addProblemsOfTime(errors, occurredAt, latest);
  if (errors.length > 0) return { ok: false, errors };
  const data = dataOf(fields, fields.id ?? newId(), given === undefined ? isoTime(now) : toIsoTime(occurredAt));
  return { ok: true, interaction: { data, occurredAtGiven: given !== undefined } };
}

/** One field after the other: a spread of what is left over takes five times as long, on the path of each post. */
function dataOf(fields: InteractionInput, interactionId: string, occurredAt: string): Mutable<ReadInteraction["data"]> {
  const { learnerId, itemId, kind } = fields;
  const data: Mutable<ReadInteraction["data"]> = { interactionId, learnerId, itemId, kind, occurredAt };
  const { correct, score } = fields;
  if (score !== undefined) {
    data.correct = correct ?? score >= 0.5;
    data.score = score;
  } else if (correct !== undefined) {
    data.correct = correct;
    data.score = correct ? 1 : 0;
  }
  if (fields.rating !== undefined) data.rating = fields.rating;
  if (fields.durationMs !== undefined) data.durationMs = fields.durationMs;
  if (fields.hintCount !== undefined) data.hintCount = fields.hintCount;
  if (fields.sessionId !== undefined) data.sessionId = fields.sessionId;
  if (fields.sessionType !== undefined) data.sessionType = fields.sessionType;
  if (fields.trackId !== undefined) data.trackId = fields.trackId;
  if (fields.selectionId !== undefined) data.selectionId = fields.selectionId;
  if (fields.source !== undefined) data.source = fields.source;
  return data;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const toIsoTime = (time: number): string => new Date(time).toISOString();

/** The last one is kept: what comes in one millisecond, as a batch does, shares it. */
let lastTime = Number.NaN;
let lastIsoTime = "";
export function isoTime(time: number): string {
  if (time !== lastTime) {
    lastIsoTime = toIsoTime(time);
    lastTime = time;
  }
  return lastIsoTime;
}

function problemsOfKind({ kind, correct, score, rating }: InteractionInput): FieldProblem[] {
  const errors: FieldProblem[] = [];
  if (kind === "answer" && correct === undefined && score === undefined) {
    errors.push({ path: "correct", message: "an answer needs correct or score" });
  }
  if (kind !== "answer" && correct !== undefined) errors.push({ path: "correct", message: "only for kind answer" });
  if (kind !== "answer" && score !== undefined) errors.push({ path: "score", message: "only for kind answer" });
  if (kind === "rating" && rating === undefined) errors.push({ path: "rating", message: "a rating needs rating" });
  if (kind !== "rating" && rating !== undefined) errors.push({ path: "rating", message: "only for kind rating" });
  return errors;
}

function addProblemsOfTime(errors: FieldProblem[], occurredAt: number, now: number): void {
  if (occurredAt > now + futureTolerance) {
    errors.push({ path: "occurredAt", message: "more than 5 minutes in the future" });
  } else if (!(occurredAt >= earliestOccurredAt)) {
    errors.push({ path: "occurredAt", message: "before 2000-01-01" });
  }
}
