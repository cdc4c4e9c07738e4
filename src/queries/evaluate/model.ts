import { setImmediate as nextTurn } from "node:timers/promises";
import type { LoggedAnswer } from "../../domain/learner-model/answer-of.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { type Metrics, measure } from "../../domain/learner-model/metrics.ts";
import { type AnswerOrder, inLogOrder, trainingLearners } from "./order.ts";
import { type Fold, frozen, prequential, published } from "./protocols.ts";

/**
 * prequential: predict, then learn, in log order. frozen: train on some learners, then test on the others with the shared
 * weights fixed. published: as learners are served, with the weights that the trainer published last.
 */
export const protocols = ["prequential", "frozen", "published"] as const;
export type Protocol = (typeof protocols)[number];

export interface EvaluationProgress {
  readonly phase: "reading" | "predicting";
  readonly done: number;
  /** Null while reading: the end is not known. */
  readonly total: number | null;
}

export interface EvaluationInput {
  /** Read to the end before the first prediction: a million answers take about half a gigabyte. */
  readonly answers: AsyncIterable<LoggedAnswer>;
  readonly model: LearnerModel;
  readonly protocol: Protocol;
  /** Of the random merge and of the random split. */
  readonly seed: number;
  /** "as_given" for answers that come in the order in which they were recorded, as from the event log. Default "auto". */
  readonly order?: "auto" | "as_given";
  /** Protocol "published": new weights each so many answers, instead of by the trainer's rule. */
  readonly snapshotEveryAnswers?: number;
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs?: () => number;
}

export interface EvaluationResult {
  readonly model: string;
  readonly protocol: Protocol;
  readonly seed: number;
  readonly order: AnswerOrder;
  /** Protocol "frozen": whose split it was; null for the others. */
  readonly split: "of_the_log" | "at_random" | null;
  readonly snapshotEveryAnswers: number | null;
  readonly answersRead: number;
  readonly learners: number;
  readonly items: number;
  readonly skills: number;
  /** Of the predictions that count: all of them, or those for the test learners. */
  readonly metrics: Metrics;
  /** Reading and parsing the answers. */
  readonly readMs: number;
  /** The model's own work for `answersRead` answers: predict and learn (or observe), nothing else. */
  readonly modelMs: number;
  readonly answersPerSecond: number;
}

/** There is nothing in the answers that this evaluation could measure. */
export class NothingToEvaluate extends Error {
  override readonly name = "NothingToEvaluate";
}

/**
 * Runs a model over a log of answers and measures its predictions, with the very code that serves learners.
 * Throws {@link NothingToEvaluate}, and what reading the answers throws.
 */
export async function evaluateModel(input: EvaluationInput): Promise<EvaluationResult> {
  const { model, protocol, seed, nowMs = () => performance.now() } = input;
  const start = nowMs();
  const read = await readAll(input);
  const readMs = nowMs() - start;
  if (read.length === 0) throw new NothingToEvaluate("there are no answers to evaluate on");
  const ordered = input.order === "as_given" ? { answers: read, order: input.order } : inLogOrder(read, seed);
  const plan = planOf(input, ordered.answers);
  const { metrics, modelMs } = await run(plan, input, nowMs);
  return {
    model: model.name,
    protocol,
    seed,
    order: ordered.order,
    split: plan.split,
    snapshotEveryAnswers: protocol === "published" ? (input.snapshotEveryAnswers ?? null) : null,
    answersRead: read.length,
    learners: new Set(read.map(({ learnerId }) => learnerId)).size,
    items: new Set(read.map(({ itemId }) => itemId)).size,
    skills: new Set(read.flatMap(({ skillIds }) => skillIds)).size,
    metrics,
    readMs,
    modelMs,
    answersPerSecond: (read.length / modelMs) * 1000,
  };
}

const answersBetweenReports = 20_000;

async function readAll({ answers, onProgress }: EvaluationInput): Promise<LoggedAnswer[]> {
  const read: LoggedAnswer[] = [];
  for await (const answer of answers) {
    read.push(answer);
    if (read.length % answersBetweenReports === 0) onProgress?.({ phase: "reading", done: read.length, total: null });
  }
  onProgress?.({ phase: "reading", done: read.length, total: read.length });
  return read;
}

interface Plan {
  readonly answers: readonly LoggedAnswer[];
  readonly fold: Fold;
  readonly split: EvaluationResult["split"];
}

function planOf(input: EvaluationInput, answers: readonly LoggedAnswer[]): Plan {
  const { model, protocol, seed } = input;
  if (protocol === "prequential") return { answers, fold: prequential(model), split: null };
  if (protocol === "published") {
    return { answers, fold: published(model, input.snapshotEveryAnswers ?? null), split: null };
  }
  const { isTraining, split } = trainingLearners(answers, seed);
  const training = answers.filter(isTraining);
  if (training.length === 0 || training.length === answers.length) {
    throw new NothingToEvaluate("the frozen protocol needs learners to train on and others to test on");
  }
  const test = answers.filter((answer) => !isTraining(answer));
  return { answers: [...training, ...test], fold: frozen(model, isTraining), split };
}

async function run(
  { answers, fold }: Plan,
  { onProgress }: EvaluationInput,
  nowMs: () => number,
): Promise<{ metrics: Metrics; modelMs: number }> {
  const predictions = new Float64Array(answers.length);
  const outcomes = new Uint8Array(answers.length);
  let measured = 0;
  let modelMs = 0;
  for (let from = 0; from < answers.length; from += answersBetweenReports) {
    const chunk = answers.slice(from, from + answersBetweenReports);
    const start = nowMs();
    for (const answer of chunk) {
      const p = fold(answer);
      if (p === null) continue;
      predictions[measured] = p;
      outcomes[measured] = answer.correct ? 1 : 0;
      measured += 1;
    }
    modelMs += nowMs() - start;
    onProgress?.({ phase: "predicting", done: from + chunk.length, total: answers.length });
    // So that a progress bar is drawn and Ctrl-C is heard.
    await nextTurn();
  }
  return { metrics: measure(predictions.subarray(0, measured), outcomes.subarray(0, measured)), modelMs };
}
