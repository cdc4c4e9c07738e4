import type { SkillMastery } from "../item-selection/selection.ts";
import { logit, sigmoid } from "./sigmoid.ts";

/**
 * Bayesian Knowledge Tracing (Corbett, Anderson 1995, "Knowledge tracing: modeling the acquisition of procedural
 * knowledge"): a skill is either mastered or not, each answer is evidence, and each gives a chance to learn.
 */
export interface MasteryParameters {
  /** P(L0): mastered before the first answer. */
  readonly prior: number;
  /** P(T): an unmastered skill becomes mastered by answering once. */
  readonly learn: number;
  /** P(G): a correct answer without mastery. */
  readonly guess: number;
  /** P(S): a wrong answer in spite of it. */
  readonly slip: number;
  /** What a logit of difficulty adds to the logit of a slip and takes from that of a guess. */
  readonly difficulty: number;
}

/**
 * Within the bounds that keep the model's meaning (guess < .3, slip < .1 or equal: Baker, Corbett, Aleven 2008). Three
 * correct answers in a row to average items reach .95; of three questions a learner who guesses gets all right 8 times in
 * 1,000. What difficulty does was chosen on simulated learners (docs/simulation.md).
 */
export const masteryDefaults: MasteryParameters = { prior: 0.2, learn: 0.1, guess: 0.2, slip: 0.1, difficulty: 0.6 };

/** What is known of one learner's hold of one skill. `p` is what knowledge tracing and the learner model say together. */
export interface Mastery extends SkillMastery {
  /** Probability 0..1 by knowledge tracing alone: the posterior that the next answer goes on from. */
  readonly traced: number;
  /** Success 0..1 that the learner model expects on an average item of the skill, as of the last answer to it. */
  readonly expected: number;
  /** Answers' worth of evidence behind p, see {@link observeMastery}. */
  readonly evidence: number;
  readonly hard: number;
}

export interface MasteryEvidence {
  readonly correct: boolean;
  /** Probability 0..1 that was predicted for a correct answer. */
  readonly p: number;
  /** Of the item, in logits: 0 average, positive harder. Average when left out. */
  readonly difficulty?: number;
  /** P(G) of this learner, see guessing.ts; that of the parameters when left out. */
  readonly guess?: number;
  /** A correct answer to an item that the policy of its time holds for hard. */
  readonly hard?: boolean;
  /** See {@link Mastery.expected}, after this answer; what it was before when left out. */
  readonly expected?: number;
}

/** p is a multiple of this and stays this far from 0 and 1: short when written, exact when read back, never stuck. */
export const pUnit = 1e-6;
/** Evidence is a multiple of this. */
export const evidenceUnit = 1e-3;

/** Expected success is a multiple of this and stays this far from 0 and 1. */
export const expectedUnit = 1e-3;
/** Expected success that adds nothing and takes nothing; what is expected before the first answer. */
const expectedNeutral = 0.8;

/** No policy asks for more hard answers; so they stay a byte. */
const hardMax = 100;

/** Worth of the prior in answers: with it alone, sd is that of a Beta distribution of two pseudo-counts. */
const priorEvidence = 2;

export function newMastery(parameters: MasteryParameters = masteryDefaults): Mastery {
  return mastery(parameters.prior, expectedNeutral, { n: 0, evidence: 0, hard: 0 });
}

/**
 * Folds in one answer to a question that needs the skill. `p` is the probability 0..1 that was predicted for a correct
 * answer: it does not move the posterior (that is plain BKT), it says how much the answer could tell. An easy item is
 * guessed more often and a hard one slipped on more often, so right answers to easy items prove little (as in KT-IDEM:
 * Pardos, Heffernan 2011).
 *
 * Tracing holds a skill for known or not, and one that grows by degrees for known too early. The learner model holds it for
 * a level, and is slow where it comes at once. What both say is pooled as odds (a logarithmic opinion pool: Genest, Zidek
 * 1986): the odds of tracing times the odds of the expected success over those of .8.
 *
 * The posterior is a probability already; `sd` says how far it may be trusted, as the standard deviation of a Beta
 * distribution with mean p and (2 + evidence) pseudo-counts: sqrt(p (1 - p) / (3 + evidence)). An answer adds its
 * binomial information relative to that of an even question, 4 p (1 - p): 1 for an open question, almost nothing for
 * one whose outcome was foregone. As the skill may have been learnt since, earlier evidence keeps 1 - P(T) of its
 * worth at each answer, so that sd never pretends to certainty.
 */
export function observeMastery(
  before: Mastery,
  { correct, p, difficulty = 0, guess: own, hard = false, expected = before.expected }: MasteryEvidence,
  parameters: MasteryParameters = masteryDefaults,
): Mastery {
  const { learn } = parameters;
  const harder = parameters.difficulty * Math.max(-hardest, Math.min(hardest, difficulty));
  const guess = shifted(own ?? parameters.guess, -harder);
  const slip = shifted(parameters.slip, harder);
  const known = before.traced * (correct ? 1 - slip : slip);
  const unknown = (1 - before.traced) * (correct ? guess : 1 - guess);
  const posterior = known / (known + unknown);
  const evidence = before.evidence * (1 - learn) + 4 * p * (1 - p);
  const counts = { n: before.n + 1, evidence, hard: before.hard + (hard ? 1 : 0) };
  return mastery(posterior + (1 - posterior) * learn, expected, counts);
}

/** Difficulties beyond count as this: authors' scales differ. Logits. */
const hardest = 3;

/** The probability whose logit is so much more. */
function shifted(p: number, logits: number): number {
  const odds = (p / (1 - p)) * Math.exp(logits);
  return logits === 0 ? p : odds / (1 + odds);
}

/** From its stored numbers. */
export function mastery(
  posterior: number,
  expectation: number,
  { n, evidence, hard }: Pick<Mastery, "n" | "evidence" | "hard">,
): Mastery {
  const traced = kept(posterior);
  const expected = Math.min(1 - expectedUnit, Math.max(expectedUnit, Math.round(expectation * 1e3) / 1e3));
  const beyond = expected === expectedNeutral ? 0 : logit(expected) - logit(expectedNeutral);
  const p = beyond === 0 ? traced : kept(sigmoid(logit(traced) + beyond));
  const keptEvidence = Math.round(evidence * 1e3) / 1e3;
  const sd = Math.sqrt((p * (1 - p)) / (priorEvidence + 1 + keptEvidence));
  return { p, sd, n, traced, expected, evidence: keptEvidence, hard: Math.min(hard, hardMax) };
}

const kept = (p: number): number => Math.min(1 - pUnit, Math.max(pUnit, Math.round(p * 1e6) / 1e6));
