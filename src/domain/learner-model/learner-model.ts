import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { Explanation } from "./explanation.ts";
import type { LearnerIds } from "./ids.ts";
import type { ItemOrder, Practice } from "./item-order.ts";

/** What a model is asked about: an item, and the skills it had when the question was put. */
export interface Question {
  readonly itemId: string;
  readonly skillIds: readonly string[];
  /** The author's guess in logits (0 average, positive harder). Its say fades as answers to the item come in. */
  readonly difficulty?: number | undefined;
  /** When it is put, milliseconds since 1970; null or 0 where that is not known. Models may use it. */
  readonly at?: number | null;
}

/** One answered question. A multi-skill answer is ONE answer (expanding it leaks the label). */
export interface Answer extends Question {
  readonly correct: boolean;
  /** When it was given, milliseconds since 1970; null or 0 where that is not known. */
  readonly at: number | null;
}

/**
 * A next-response model: weights shared by all learners, and a local state of each learner.
 *
 * Both are owned by whoever holds them and are updated IN PLACE (several hundred thousand answers a second would drown
 * in copies); after a throw the local state must be thrown away and read again. No clock, no random source, no I/O:
 * the same calls give the same numbers to the last bit.
 */
export interface LearnerModel<Weights = unknown, Local = unknown> {
  readonly name: string;
  newWeights(): Weights;
  /** Its items and skills are numbered by `ids`, where some are given: by new ones otherwise. It adds to them. */
  newLocal(ids?: LearnerIds): Local;
  /** Probability 0..1 that the answer will be correct. Unknown items and skills are average ones. Changes nothing. */
  predict(weights: Weights, local: Local, question: Question): number;
  /** The same prediction, with what it is made of and how sure it is. For people, not for the hot path. */
  explain(weights: Weights, local: Local, question: Question): Explanation;
  /** The same for questions that are put to many learners. The weights must not change any more. */
  prepare(weights: Weights, questions: readonly Question[]): PreparedQuestions<Local>;
  /** Folds an answer into the learner's own state with the weights as they are (workers). Returns the prediction made before. */
  observe(weights: Weights, local: Local, answer: Answer): number;
  /** Folds an answer into both (the one sequential trainer, `evaluate`). Returns the prediction made before. */
  learn(weights: Weights, local: Local, answer: Answer): number;
  /** Difficulty in logits (0 average, positive harder) of an item with these skills, by the weights alone. */
  difficulty(weights: Weights, question: Question): number;
  /** To the last bit: whoever reads them goes on training. */
  encodeWeights(weights: Weights): Uint8Array;
  /** The same for those who only predict: shorter, and rounded where no prediction tells the difference. */
  encodePublished(weights: Weights): Uint8Array;
  /** Of either. Throws on bytes that it did not write. */
  decodeWeights(bytes: Uint8Array): Weights;
  /** To and from what JSON can hold, compactly. */
  localToJson(local: Local): unknown;
  localFromJson(json: unknown): Local;
  /**
   * To and from bytes, beside the ids that it numbers by, which are written elsewhere, and the times of items by place
   * ({@link ItemOrder}): once read, places are numbers.
   */
  writeLocal(local: Local, writer: ByteWriter, order: ItemOrder): void;
  readLocal(reader: ByteReader, ids: LearnerIds, at: readonly number[]): Local;
  /** What it keeps of a skill, by its number; nothing where it keeps no such thing. */
  practiceOf(local: Local, skill: number): Practice | undefined;
  /** Answers to an item, by its number; 0 where it keeps no such thing. */
  attemptsAt(local: Local, item: number): number;
}

/** What the weights alone say of each question is worked out, and what the learner alone adds is, once for each learner. */
export interface PreparedQuestions<Local = unknown> {
  /**
   * Predicts the question of that number for this learner, as {@link LearnerModel.predict} does to the last bit. Of use
   * until the next call, for whichever learner, and until `local` changes. `at`: when the questions are put.
   */
  forLearner(local: Local, at?: number | null): (question: number) => number;
}
