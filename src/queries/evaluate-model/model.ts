import { setImmediate as nextTurn } from "node:timers/promises";
import type { LoggedAnswer } from "../../domain/learner-model/answer-of.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { type Metrics, measure } from "../../domain/learner-model/metrics.ts";
import { newBaselines } from "./baselines.ts";
import { type AnswerOrder, inLogOrder, trainingLearners } from "./order.ts";
import { type Fold, frozen, prequential, published } from "./protocols.ts";
import { storedStateSize } from "./state-size.ts";

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
  /** Milliseconds that this thread has worked, where they can be told: what else the machine does does not count. */
  readonly cpuMs?: () => number;
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
  /** Of the same answers, by what needs no model: see baselines.ts. */
  readonly baselines: readonly { readonly name: string; readonly metrics: Metrics }[];
  /** Reading and parsing the answers. */
  readonly readMs: number;
  /** The model's own work for `answersRead` answers: predict and learn (or observe), nothing else. By the clock. */
  readonly modelMs: number;
  /** The same in milliseconds of one core. */
  readonly modelCpuMs: number;
  /** On one core: `answersRead` in `modelCpuMs`. */
  readonly answersPerSecond: number;
  /** Bytes that are stored of a learner, see state-size.ts. */
  readonly stateBytes: number;
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
  const { model, protocol, seed, nowMs = () => performance.now(), cpuMs = nowMs } = input;
  const start = nowMs();
  const read = await readAll(input);
  const readMs = nowMs() - start;
  if (read.length === 0) throw new NothingToEvaluate("there are no answers to evaluate on");
  const ordered = input.order === "as_given" ? { answers: read, order: input.order } : inLogOrder(read, seed);
  const plan = planOf(input, ordered.answers);
  const { metrics, baselines, modelMs, modelCpuMs } = await run(plan, input, { nowMs, cpuMs });
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
    baselines,
    readMs,
    modelMs,
    modelCpuMs,
    answersPerSecond: (read.length / modelCpuMs) * 1000,
    stateBytes: storedStateSize(model),
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
  /** Whether the shared weights may learn from it. */
  readonly learns: (answer: LoggedAnswer) => boolean;
  readonly split: EvaluationResult["split"];
}

function planOf(input: EvaluationInput, answers: readonly LoggedAnswer[]): Plan {
  const { model, protocol, seed } = input;
  const learns = (): boolean => true;
  if (protocol === "prequential") return { answers, fold: prequential(model), learns, split: null };
  if (protocol === "published") {
    return { answers, fold: published(model, input.snapshotEveryAnswers ?? null), learns, split: null };
  }
  const { isTraining, split } = trainingLearners(answers, seed);
  const training = answers.filter(isTraining);
  if (training.length === 0 || training.length === answers.length) {
    throw new NothingToEvaluate("the frozen protocol needs learners to train on and others to test on");
  }
  const test = answers.filter((answer) => !isTraining(answer));
  return { answers: [...training, ...test], fold: frozen(model, isTraining), learns: isTraining, split };
}

async function run(
  { answers, fold, learns }: Plan,
  { onProgress }: EvaluationInput,
  { nowMs, cpuMs }: Required<Pick<EvaluationInput, "nowMs" | "cpuMs">>,
): Promise<Pick<EvaluationResult, "metrics" | "baselines" | "modelMs" | "modelCpuMs">> {
  const predictions = new Float64Array(answers.length);
  const baselines = newBaselines().map((baseline) => ({ baseline, said: new Float64Array(answers.length) }));
  const outcomes = new Uint8Array(answers.length);
  let measured = 0;
  let modelMs = 0;
  let modelCpuMs = 0;
  for (let from = 0; from < answers.length; from += answersBetweenReports) {
    const chunk = answers.slice(from, from + answersBetweenReports);
    const [start, cpuStart] = [nowMs(), cpuMs()];
    const said = chunk.map(fold);
    modelMs += nowMs() - start;
    modelCpuMs += cpuMs() - cpuStart;
    for (const [k, answer] of chunk.entries()) {
      const p = said[k] ?? null;
      for (const { baseline, said: by } of baselines) {
        if (p !== null) by[measured] = baseline.predict(answer);
        if (learns(answer)) baseline.learn(answer);
      }
      if (p === null) continue;
      predictions[measured] = p;
      outcomes[measured] = answer.correct ? 1 : 0;
      measured += 1;
    }
    onProgress?.({ phase: "predicting", done: from + chunk.length, total: answers.length });
    // So that a progress bar is drawn and Ctrl-C is heard.
    await nextTurn();
  }
  const of = outcomes.subarray(0, measured);
  return {
    metrics: measure(predictions.subarray(0, measured), of),
    baselines: baselines.map(({ baseline, said }) => ({
      name: baseline.name,
      metrics: measure(said.subarray(0, measured), of),
    })),
    modelMs,
    modelCpuMs,
  };
}
