import type { LoggedAnswer } from "../../domain/learner-model/answer-of.ts";
import { mulberry32 } from "../../domain/random.ts";

export type AnswerOrder = "by_time" | "merged_at_random" | "as_given";

/**
 * The order in which a model meets the answers. By time, where every answer has one (all 0 means: not recorded). A file
 * without times whose rows stand learner by learner would train the model on one learner after the other: its learners
 * are merged at random, each one's answers kept in order. Any other is taken as it stands.
 */
export function inLogOrder(
  answers: readonly LoggedAnswer[],
  seed: number,
): { readonly answers: readonly LoggedAnswer[]; readonly order: AnswerOrder } {
  const timed = answers.every(({ at }) => at !== null) && answers.some(({ at }) => at !== 0);
  if (timed) return { answers: answers.toSorted((a, b) => (a.at ?? 0) - (b.at ?? 0)), order: "by_time" };
  if (!standLearnerByLearner(answers)) return { answers, order: "as_given" };
  return { answers: mergeLearners(answers, seed), order: "merged_at_random" };
}

/** Several learners, and each one's rows in one piece. */
function standLearnerByLearner(answers: readonly LoggedAnswer[]): boolean {
  const seen = new Set<string>();
  let last: string | null = null;
  for (const { learnerId } of answers) {
    if (learnerId === last) continue;
    if (seen.has(learnerId)) return false;
    seen.add(learnerId);
    last = learnerId;
  }
  return seen.size > 1;
}

/** Each of the ways to interleave the learners' answers is equally likely; the same seed gives the same one. */
function mergeLearners(answers: readonly LoggedAnswer[], seed: number): LoggedAnswer[] {
  const byLearner = new Map<string, LoggedAnswer[]>();
  for (const answer of answers) {
    const own = byLearner.get(answer.learnerId);
    if (own === undefined) byLearner.set(answer.learnerId, [answer]);
    else own.push(answer);
  }
  const turns = answers.map(({ learnerId }) => learnerId);
  shuffle(turns, seed);
  const next = new Map<string, number>();
  return turns.flatMap((learnerId) => {
    const turn = next.get(learnerId) ?? 0;
    next.set(learnerId, turn + 1);
    return byLearner.get(learnerId)?.[turn] ?? [];
  });
}

/** Share of learners a frozen evaluation trains on when the log does not say, as in Gervet et al. 2020. */
const trainShare = 0.8;

/** Whether each learner's answers are for training. By the file's own split, or 80/20 by learner at random. */
export function trainingLearners(
  answers: readonly LoggedAnswer[],
  seed: number,
): { readonly isTraining: (answer: LoggedAnswer) => boolean; readonly split: "of_the_log" | "at_random" } {
  const said = new Set(answers.map(({ split }) => split));
  if (said.has("train") && said.has("test")) {
    return { isTraining: ({ split }) => split === "train", split: "of_the_log" };
  }
  const learners = [...new Set(answers.map(({ learnerId }) => learnerId))];
  shuffle(learners, seed);
  const training = new Set(learners.slice(0, Math.floor(trainShare * learners.length)));
  return { isTraining: ({ learnerId }) => training.has(learnerId), split: "at_random" };
}

/** Fisher and Yates, in place. */
function shuffle(values: unknown[], seed: number): void {
  const random = mulberry32(seed);
  for (let k = values.length - 1; k > 0; k--) {
    const other = Math.floor(random() * (k + 1));
    [values[k], values[other]] = [values[other], values[k]];
  }
}
