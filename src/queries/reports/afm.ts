import { sigmoid } from "../../domain/learner-model/sigmoid.ts";

/** Answers as rows: learner and skill by number, how often the learner had practised the skill before, and the outcome. */
export interface PracticeRows {
  readonly learners: Uint32Array;
  readonly skills: Uint32Array;
  readonly before: Uint32Array;
  /** What that counts for, by the number: itself for an exponential fall of the odds of an error, log(1 + it) for a power law. */
  readonly practice: Float64Array;
  readonly correct: Uint8Array;
}

export interface AfmSkill {
  /** Logit of a right answer at the first opportunity, for an average learner. */
  readonly intercept: number;
  /** Logits gained with each unit of practice. */
  readonly slope: number;
  /** Standard error of the slope, the learners' levels taken as known. */
  readonly slopeError: number;
  /** Of its rows, natural logarithm. */
  readonly logLikelihood: number;
}

export interface Afm {
  readonly skills: readonly AfmSkill[];
  /** By number of the learner, logits. */
  readonly levels: Float64Array;
  readonly rounds: number;
}

/** Priors keep a skill that everybody gets right, and a learner with one answer, finite. Standard deviations, logits. */
const levelSd = 1;
const interceptSd = 5;
const slopeSd = 1;

/**
 * Additive Factors Model (Cen, Koedinger, Junker 2006, "Learning Factors Analysis"): logit P(correct) = level of the learner
 * + ease of the skill + slope of the skill x earlier opportunities. It tells learning from the weaker ones staying longer,
 * which an average over those who are left does not. Fitted by Newton steps on skills and learners by turns, to the maximum
 * of the posterior; an answer to several skills counts for each by itself.
 */
export function fitAfm(rows: PracticeRows, skillCount: number, learnerCount: number, roundsMax = 100): Afm {
  const intercepts = new Float64Array(skillCount);
  const slopes = new Float64Array(skillCount);
  const errors = new Float64Array(skillCount).fill(Number.NaN);
  const levels = new Float64Array(learnerCount);
  let rounds = 0;
  for (let change = 1; rounds < roundsMax && change > 1e-3; rounds += 1) {
    change = stepSkills(rows, { intercepts, slopes, errors }, levels);
    change = Math.max(change, stepLevels(rows, intercepts, slopes, levels));
    shiftAgainst({ values: levels, sd: levelSd }, { values: intercepts, sd: interceptSd }, -1);
  }
  const likelihoods = logLikelihoods(rows, intercepts, slopes, levels);
  const skills = Array.from(intercepts, (intercept, k) => ({
    intercept,
    slope: slopes[k] as number,
    slopeError: errors[k] as number,
    logLikelihood: likelihoods[k] as number,
  }));
  return { skills, levels, rounds };
}

interface SkillParameters {
  readonly intercepts: Float64Array;
  readonly slopes: Float64Array;
  readonly errors: Float64Array;
}

/** One Newton step for intercept and slope of every skill. Returns the largest change. */
function stepSkills(rows: PracticeRows, { intercepts, slopes, errors }: SkillParameters, levels: Float64Array): number {
  const count = intercepts.length;
  // Gradient and curvature: of the intercept, of the slope, and of both.
  const sums = Array.from({ length: 5 }, () => new Float64Array(count));
  const [g0, g1, h00, h01, h11] = sums as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  for (let row = 0; row < rows.learners.length; row++) {
    const skill = rows.skills[row] as number;
    const t = rows.practice[rows.before[row] as number] as number;
    const p = sigmoid(
      (levels[rows.learners[row] as number] as number) + (intercepts[skill] as number) + (slopes[skill] as number) * t,
    );
    const residual = (rows.correct[row] as number) - p;
    const weight = p * (1 - p);
    g0[skill] = (g0[skill] as number) + residual;
    g1[skill] = (g1[skill] as number) + residual * t;
    h00[skill] = (h00[skill] as number) + weight;
    h01[skill] = (h01[skill] as number) + weight * t;
    h11[skill] = (h11[skill] as number) + weight * t * t;
  }
  let change = 0;
  for (let k = 0; k < count; k++) {
    const a = (h00[k] as number) + 1 / interceptSd ** 2;
    const b = h01[k] as number;
    const d = (h11[k] as number) + 1 / slopeSd ** 2;
    const u = (g0[k] as number) - (intercepts[k] as number) / interceptSd ** 2;
    const v = (g1[k] as number) - (slopes[k] as number) / slopeSd ** 2;
    const determinant = a * d - b * b;
    const [byIntercept, bySlope] = [limited((d * u - b * v) / determinant), limited((a * v - b * u) / determinant)];
    intercepts[k] = (intercepts[k] as number) + byIntercept;
    slopes[k] = (slopes[k] as number) + bySlope;
    errors[k] = Math.sqrt(a / determinant);
    change = Math.max(change, Math.abs(byIntercept), Math.abs(bySlope));
  }
  return change;
}

/** One Newton step for the level of every learner. Returns the largest change. */
function stepLevels(rows: PracticeRows, intercepts: Float64Array, slopes: Float64Array, levels: Float64Array): number {
  const gradient = new Float64Array(levels.length);
  const curvature = new Float64Array(levels.length);
  for (let row = 0; row < rows.learners.length; row++) {
    const learner = rows.learners[row] as number;
    const skill = rows.skills[row] as number;
    const t = rows.practice[rows.before[row] as number] as number;
    const p = sigmoid((levels[learner] as number) + (intercepts[skill] as number) + (slopes[skill] as number) * t);
    gradient[learner] = (gradient[learner] as number) + (rows.correct[row] as number) - p;
    curvature[learner] = (curvature[learner] as number) + p * (1 - p);
  }
  let change = 0;
  for (let k = 0; k < levels.length; k++) {
    const by = limited(
      ((gradient[k] as number) - (levels[k] as number) / levelSd ** 2) / ((curvature[k] as number) + 1 / levelSd ** 2),
    );
    levels[k] = (levels[k] as number) + by;
    change = Math.max(change, Math.abs(by));
  }
  return change;
}

function logLikelihoods(
  rows: PracticeRows,
  intercepts: Float64Array,
  slopes: Float64Array,
  levels: Float64Array,
): Float64Array {
  const sums = new Float64Array(intercepts.length);
  for (let row = 0; row < rows.learners.length; row++) {
    const skill = rows.skills[row] as number;
    const t = rows.practice[rows.before[row] as number] as number;
    const level = levels[rows.learners[row] as number] as number;
    const p = sigmoid(level + (intercepts[skill] as number) + (slopes[skill] as number) * t);
    sums[skill] = (sums[skill] as number) + Math.log(rows.correct[row] === 1 ? p : 1 - p);
  }
  return sums;
}

interface Side {
  readonly values: Float64Array;
  /** Of their prior. */
  readonly sd: number;
}

/**
 * Moves all values of one side by c and those of the other by sign x c, in place, where that leaves the likelihood as it is:
 * by the c that their priors like best. Steps by turns would take hundreds of rounds for that.
 */
export function shiftAgainst(one: Side, other: Side, sign: 1 | -1): void {
  const sum = ({ values }: Side): number => values.reduce((total, each) => total + each, 0);
  const pull = sum(one) / one.sd ** 2 + (sign * sum(other)) / other.sd ** 2;
  const weight = one.values.length / one.sd ** 2 + other.values.length / other.sd ** 2;
  const by = weight === 0 ? 0 : -pull / weight;
  for (let k = 0; k < one.values.length; k++) one.values[k] = (one.values[k] as number) + by;
  for (let k = 0; k < other.values.length; k++) other.values[k] = (other.values[k] as number) + sign * by;
}

/** A full Newton step far from the top may leap past it. */
const limited = (step: number): number => Math.max(-1, Math.min(1, step));
