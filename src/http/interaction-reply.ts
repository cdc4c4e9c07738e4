import { type InteractionOutcome, tokensOf } from "../commands/record-interactions.ts";
import { outcomeJson } from "./ndjson-interactions.ts";

/** The answer to interactions posted as one object or one array. */
export function interactionReply(outcomes: readonly InteractionOutcome[]): string {
  let accepted = 0;
  let duplicates = 0;
  let json = "";
  for (const outcome of outcomes) {
    if (outcome.status === "accepted") accepted += 1;
    else if (outcome.status === "duplicate") duplicates += 1;
    json += json === "" ? outcomeJson(outcome) : `,${outcomeJson(outcome)}`;
  }
  const counts = `"accepted":${accepted},"duplicates":${duplicates},"rejected":${outcomes.length - accepted - duplicates}`;
  return `{${counts},"outcomes":[${json}],"tokens":${tokensJson(outcomes)}}`;
}

function tokensJson(outcomes: readonly InteractionOutcome[]): string {
  const [only] = outcomes;
  if (outcomes.length === 1 && only !== undefined && only.status !== "rejected")
    return `{${tokenJson(only.learnerId, only)}}`;
  return `{${Array.from(tokensOf(outcomes), ([learnerId, newest]) => tokenJson(learnerId, newest)).join(",")}}`;
}

const tokenJson = (learnerId: string, { token }: { readonly token: string }): string =>
  `${JSON.stringify(learnerId)}:"${token}"`;

/** Of a single one: refused it is a problem, and never answered so. */
export const statusOfSingle = (status: "accepted" | "duplicate"): 200 | 201 => (status === "accepted" ? 201 : 200);
