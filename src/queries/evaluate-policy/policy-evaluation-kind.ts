import { z } from "zod";
import { idSchema, overridesOf, policySchema } from "../../domain/events.ts";
import type { Clock } from "../../ports/clock.ts";
import { type ReplayKind, ReplayRefused } from "../replays/replay-kind.ts";
import { createPlaces, NoSuchPlace } from "../time-travel/place.ts";
import { placeSchema } from "../time-travel/place-schema.ts";
import { type EvaluatePolicyDeps, evaluatePolicy, type PolicyQuestion } from "./evaluate-policy.ts";
import { evaluationJson } from "./report.ts";
import { rewardNames } from "./rewards.ts";

const overrides = overridesOf(policySchema.shape);
/** A misspelt field is refused, however deep. */
const strictOverrides = Object.fromEntries(
  Object.entries(overrides).map(([field, setting]) => {
    const inner = setting.unwrap();
    return [field, (inner instanceof z.ZodObject ? inner.strict() : inner).optional()];
  }),
) as typeof overrides;

/** One schema for API, command line and job. */
export const policyEvaluationInputSchema = z.strictObject({
  track: idSchema.describe("Whose lists"),
  policy: z
    .strictObject(strictOverrides)
    .describe("What the other policy has otherwise than the track's at the time of each list"),
  from: placeSchema
    .optional()
    .describe("Lists given out after this time or position; from the first one when left out"),
  to: placeSchema.optional().describe("And up to this one, with the answers up to there; up to the last when left out"),
  reward: z
    .enum(rewardNames)
    .default("success")
    .describe("success: right answers. learning: growth of estimated mastery"),
});
export type PolicyEvaluationInput = z.infer<typeof policyEvaluationInputSchema>;

/** Throws {@link NoSuchPlace}. */
export async function questionOf(
  { feed }: Pick<EvaluatePolicyDeps, "feed">,
  { now }: Clock,
  { track, policy, from, to, reward }: PolicyEvaluationInput,
): Promise<PolicyQuestion> {
  const places = createPlaces(feed, now);
  return {
    ...{ trackId: track, policy, reward },
    from: from === undefined ? 0 : (await places.find(from)).position,
    to: to === undefined ? await feed.head() : (await places.find(to)).position,
  };
}

export interface PolicyEvaluationKindDeps extends Omit<EvaluatePolicyDeps, "store"> {
  readonly eventStore: EvaluatePolicyDeps["store"];
  readonly clock: Clock;
}

/** The same as a background replay; one that was cut off begins again. */
export function policyEvaluationKind(deps: PolicyEvaluationKindDeps): ReplayKind<PolicyEvaluationInput> {
  return {
    kind: "policy-evaluation",
    input: policyEvaluationInputSchema,
    async run(input, run) {
      const question = await questionOf(deps, deps.clock, input).catch((error: unknown) => {
        throw error instanceof NoSuchPlace ? new ReplayRefused(`from, to: ${error.message}`) : error;
      });
      const { signal } = run;
      const onProgress = (events: number): void => run.progress(events, null);
      const evaluation = await evaluatePolicy({ ...deps, store: deps.eventStore }, { ...question, signal, onProgress });
      const file = await run.openFile("evaluation.json", "application/json");
      await file.write(`${JSON.stringify(evaluationJson(evaluation))}\n`);
      await file.close();
      const { evidence, lists, warnings } = evaluation;
      return { lists, decisions: evidence.decisions, learners: evidence.learners, warnings };
    },
  };
}
