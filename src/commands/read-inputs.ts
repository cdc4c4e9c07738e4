import type { z } from "zod";
import { idSchema } from "../domain/events.ts";
import type { CatalogueOutcome, Ready } from "./handle.ts";
import { fieldProblems, summaryOf } from "./refusal.ts";

export interface ReadInputs<C> {
  readonly ready: Ready<C>[];
  /** Of the inputs that cannot be read. */
  readonly refused: CatalogueOutcome[];
}

/** Checks each input by itself: a bad one is refused with its fields, and loses no other. */
export function readInputs<C>(
  inputs: readonly unknown[],
  schema: z.ZodType<C>,
  idField: keyof C & string,
  code: string,
): ReadInputs<C> {
  const read: ReadInputs<C> = { ready: [], refused: [] };
  for (const [index, input] of inputs.entries()) {
    const parsed = schema.safeParse(input);
    if (parsed.success) {
      read.ready.push({ index, id: String(parsed.data[idField]), command: parsed.data });
      continue;
    }
    const errors = fieldProblems(parsed.error.issues);
    const problem = { code, detail: summaryOf(errors), errors };
    read.refused.push({ index, id: idIn(input, idField), status: "refused", problem });
  }
  return read;
}

/** Ids as they come in a path or a list. */
export function readIds(ids: readonly unknown[], code: string): ReadInputs<string> {
  const read: ReadInputs<string> = { ready: [], refused: [] };
  for (const [index, id] of ids.entries()) {
    const parsed = idSchema.safeParse(id);
    if (parsed.success) {
      read.ready.push({ index, id: parsed.data, command: parsed.data });
      continue;
    }
    const errors = fieldProblems(parsed.error.issues);
    read.refused.push({ index, id: null, status: "refused", problem: { code, detail: summaryOf(errors), errors } });
  }
  return read;
}

export function inInputOrder(...outcomes: readonly (readonly CatalogueOutcome[])[]): CatalogueOutcome[] {
  return outcomes.flat().sort((a, b) => a.index - b.index);
}

function idIn(input: unknown, field: string): string | null {
  if (typeof input !== "object" || input === null) return null;
  const id = (input as Record<string, unknown>)[field];
  return typeof id === "string" ? id.slice(0, 200) : null;
}
