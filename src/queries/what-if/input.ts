import { z } from "zod";
import { idSchema, type Policy, policySchema } from "../../domain/events.ts";
import { defaultPolicy } from "../../domain/item-bank/bank.ts";
import { isJsonObject } from "../../domain/json-object.ts";
import { modelNames } from "../../domain/learner-model/model-names.ts";
import { placeSchema } from "../time-travel/place-schema.ts";

/** Some fields of a policy, at any depth. */
export type PolicyChange = Readonly<Record<string, unknown>>;

const policyChangeSchema = z.record(z.string(), z.unknown()).superRefine((change, { addIssue }) => {
  for (const { path, message } of problemsOf(change)) addIssue({ code: "custom", path, message });
});

/** What is to be replayed, and how otherwise. One schema for the API, the command line and the job. */
export const whatIfInputSchema = z
  .strictObject({
    policy: policyChangeSchema.optional().describe("Fields of a policy; the others stay as they were in each track"),
    model: z.enum(modelNames).optional().describe("Another learner model"),
    track: idSchema.optional().describe("Only choices made in this track"),
    from: placeSchema.optional().describe("Choices after this time or position; from the first one when left out"),
    to: placeSchema.optional().describe("And up to this one; up to the last one when left out"),
    learners: z.number().int().min(1).optional().describe("So many learners, drawn at random; all when left out"),
    seed: z.string().max(100).default("1").describe("Of the draw of learners"),
    every: z.number().int().min(1).max(1000).default(1).describe("Choices looked at: after each so manieth answer"),
    count: z.number().int().min(1).max(50).default(10).describe("Items of the lists that are compared"),
  })
  .refine(({ policy, model }) => policy !== undefined || model !== undefined, {
    path: ["policy"],
    message: "give a policy, a model or both: without them nothing changes",
  });
export type WhatIfInput = z.infer<typeof whatIfInputSchema>;

/** A policy with some fields changed; lists are replaced as a whole. Throws a ZodError on what is no policy. */
export function changed(policy: Policy, change: PolicyChange): Policy {
  return policySchema.parse(merged(policy, change));
}

function merged(base: unknown, change: unknown): unknown {
  if (!isJsonObject(base) || !isJsonObject(change)) return change;
  const result: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(change)) result[name] = merged(base[name], value);
  return result;
}

interface ChangeProblem {
  readonly path: PropertyKey[];
  readonly message: string;
}

function problemsOf(change: PolicyChange): ChangeProblem[] {
  const unknown = unknownFields(change, defaultPolicy, []);
  if (unknown.length > 0) return unknown;
  if ("itemKinds" in change) return [{ path: ["itemKinds"], message: "what a track holds is no part of a what-if" }];
  const result = policySchema.safeParse(merged(defaultPolicy, change));
  return result.success ? [] : result.error.issues.map(({ path, message }) => ({ path: [...path], message }));
}

function unknownFields(change: PolicyChange, known: object, path: readonly string[]): ChangeProblem[] {
  return Object.entries(change).flatMap(([name, value]): ChangeProblem[] => {
    const here = [...path, name];
    if (!Object.hasOwn(known, name)) return [{ path: here, message: "there is no such field of a policy" }];
    const inner = (known as Record<string, unknown>)[name];
    return isJsonObject(inner) && isJsonObject(value) ? unknownFields(value, inner, here) : [];
  });
}
