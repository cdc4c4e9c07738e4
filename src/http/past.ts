import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { NothingToExplain } from "../queries/time-travel/explain.ts";
import type { Explanation, ExplanationRequest } from "../queries/time-travel/explainer.ts";
import type { Past } from "../queries/time-travel/past.ts";
import { TooMuchHistory } from "../queries/time-travel/past-counters.ts";
import { NoSuchPlace } from "../queries/time-travel/place.ts";
import { type At, PastBusy } from "../queries/time-travel/time-travel.ts";
import { mayCall } from "./authentication.ts";
import { invalidField, Problem } from "./problem.ts";
import type { Services } from "./services.ts";

/** Of a query string: as of when the answer is to be. */
export const pastSchema = z
  .string()
  .max(40)
  .optional()
  .describe("A time (ISO 8601) or a position of the log: what was known then. For analysts");

/** What every answer about the past has besides. */
export const atShape = {
  at: z
    .object({ position: z.number().int(), time: z.string() })
    .optional()
    .describe("Only where at was given: what the answer knows ends here"),
};

/** The answer as of a time, by the code that answers live; only for analysts. Throws a problem. */
export async function askPast<T>(
  { timeTravel }: Services,
  request: FastifyRequest,
  at: string,
  question: (past: Past) => Promise<T>,
): Promise<T & { readonly at: At }> {
  if (request.caller === null || !mayCall(request.caller, ["analyst"])) {
    throw new Problem("forbidden", { detail: "at: this needs a key with the scope analyst." });
  }
  if (timeTravel === null) throw new Problem("not_ready", { detail: "This process cannot answer about the past." });
  return answered(at, () => timeTravel.ask(at, question));
}

/** Why a choice was made; only for analysts, as the route says. Throws a problem. */
export async function askWhy({ explainer }: Services, request: ExplanationRequest): Promise<Explanation> {
  if (explainer === null) throw new Problem("not_ready", { detail: "This process cannot answer about the past." });
  return answered(request.at ?? "now", () => explainer.explain(request));
}

async function answered<T>(at: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof NoSuchPlace) throw invalidField("at", error.message);
    if (error instanceof NothingToExplain) throw new Problem("not_found", { detail: `${error.message}.` });
    if (error instanceof PastBusy) throw new Problem("busy", { detail: error.message, retryAfterSeconds: 1 });
    if (!(error instanceof TooMuchHistory)) throw error;
    const detail = `This takes ${error.message}. Have it counted in the background, and ask again when that is done: POST /v1/replays {"kind":"counters","input":{"at":"${at}"}}.`;
    throw new Problem("too_much_history", { detail });
  }
}
