import { sigmoid } from "../../domain/learner-model/sigmoid.ts";
import { type Estimate, wilsonInterval } from "../statistics/intervals.ts";
import { fitAfm, type PracticeRows } from "./afm.ts";
import type { Collector, ReportContext } from "./fold-log.ts";
import { LearnerRows } from "./learner-rows.ts";
import type { Observation } from "./report-learner.ts";

/** Opportunities of a curve; later ones are in no curve. */
export const opportunitiesMax = 50;

/** DataShop's categories and its defaults (Koedinger and others 2010; help page "Learning curve"). */
export const curveThresholds = {
  /** A point counts that so many learners reached. */
  learnersMin: 10,
  /** A curve needs so many such points. */
  pointsMin: 3,
  lowError: 0.2,
  highError: 0.4,
  /** Logits an opportunity: below it nothing is learnt. */
  slopeMin: 0.001,
} as const;

export type CurveCategory = "good" | "still_high" | "no_learning" | "low_and_flat" | "too_little_data";

export const curveForms = ["exponential", "power"] as const;
export type CurveForm = (typeof curveForms)[number];

export interface CurvePoint {
  /** From 1. */
  readonly opportunity: number;
  /** Learners who reached it. */
  readonly learners: number;
  /** Share of wrong answers, with its interval (Wilson). */
  readonly error: Estimate;
  /** By the fitted model, for the very learners who reached it; null where none of them is in the fit. */
  readonly fitted: number | null;
}

export interface LearningCurve {
  readonly skillId: string;
  readonly title: string;
  readonly learners: number;
  readonly answers: number;
  readonly points: readonly CurvePoint[];
  /** Of the fitted models, see afm.ts; null where the skill has no answer in the fit. */
  readonly fit: {
    /** Error of an average learner at the first opportunity. */
    readonly startError: number;
    /** The form that is likelier for this skill, and drawn: the odds of an error fall exponentially with practice, or as a power of it. */
    readonly form: CurveForm;
    /** Logits of success an opportunity (exponential form, whichever is drawn), and its 95 % interval. */
    readonly slope: number;
    readonly slopeLow: number;
    readonly slopeHigh: number;
  } | null;
  readonly category: CurveCategory;
}

export interface LearningCurves {
  readonly curves: readonly LearningCurve[];
  /** Share of the learners that the curves were fitted on; the points are of all. */
  readonly fittedShare: number;
}

interface Tally {
  readonly number: number;
  readonly reached: Uint32Array;
  readonly wrong: Uint32Array;
  answers: number;
}

export interface LearningCurvesCollector extends Collector {
  result(context: ReportContext): LearningCurves;
}

export function collectLearningCurves(): LearningCurvesCollector {
  const tallies = new Map<string, Tally>();
  const rows = new LearnerRows();

  function add({ learner, answer }: Observation): void {
    if (answer === null) return;
    for (const { skillId, before } of answer.skills) {
      let tally = tallies.get(skillId);
      if (tally === undefined) {
        const points = () => new Uint32Array(opportunitiesMax);
        tally = { number: tallies.size, reached: points(), wrong: points(), answers: 0 };
        tallies.set(skillId, tally);
      }
      tally.answers += 1;
      if (before >= opportunitiesMax) continue;
      tally.reached[before] = (tally.reached[before] ?? 0) + 1;
      if (!answer.correct) tally.wrong[before] = (tally.wrong[before] ?? 0) + 1;
      rows.add(learner.number, learner.hash, tally.number, before * 2 + (answer.correct ? 1 : 0));
    }
  }

  function result(context: ReportContext): LearningCurves {
    const fits = curveForms.map((form) => fitForm(form, rows, tallies.size, context.learners.length));
    const wanted = [...tallies].filter(([id]) => context.input.skillId === undefined || id === context.input.skillId);
    const curves = wanted.map(([skillId, tally]): LearningCurve => {
      const [exponential, power] = fits.map(({ afm }) => afm.skills[tally.number]);
      const form = (power?.logLikelihood ?? 0) > (exponential?.logLikelihood ?? 0) ? "power" : "exponential";
      const drawn = fits[curveForms.indexOf(form)];
      const points = pointsOf(tally, drawn?.errors ?? new Float64Array());
      const first = drawn?.afm.skills[tally.number];
      const inFit = points.some((point) => point.fitted !== null);
      const fit =
        exponential === undefined || first === undefined || !inFit
          ? null
          : ({
              form,
              startError: 1 - sigmoid(first.intercept),
              slope: exponential.slope,
              slopeLow: exponential.slope - 1.96 * exponential.slopeError,
              slopeHigh: exponential.slope + 1.96 * exponential.slopeError,
            } as const);
      const category = categoryOf(points, fit?.slope ?? null);
      const title = context.catalogue.skills.get(skillId)?.title ?? skillId;
      return {
        skillId,
        title,
        learners: Math.max(0, ...points.map((point) => point.learners)),
        answers: tally.answers,
        points,
        fit,
        category,
      };
    });
    curves.sort((a, b) => b.answers - a.answers || (a.skillId < b.skillId ? -1 : 1));
    return { curves, fittedShare: rows.share };
  }

  return { add, result };
}

/** All skills with curves of one form, and the mean fitted error at each opportunity of each skill. */
function fitForm(form: CurveForm, rows: LearnerRows, skills: number, learnerCount: number) {
  const { learners, keys, values } = rows.columns();
  const practice: PracticeRows = {
    learners,
    skills: keys,
    before: values.map((value) => value >> 1),
    correct: Uint8Array.from(values, (value) => value & 1),
    practice: Float64Array.from({ length: opportunitiesMax }, (_, k) => (form === "power" ? Math.log(1 + k) : k)),
  };
  const afm = fitAfm(practice, skills, learnerCount);
  const errors = fittedErrors(practice, skills, (row) => {
    const skill = afm.skills[practice.skills[row] as number];
    const level = afm.levels[practice.learners[row] as number] ?? 0;
    const t = practice.practice[practice.before[row] as number] ?? 0;
    return 1 - sigmoid(level + (skill?.intercept ?? 0) + (skill?.slope ?? 0) * t);
  });
  return { afm, errors };
}

/** Mean fitted error at each opportunity of each skill, NaN for none. */
function fittedErrors(rows: PracticeRows, skills: number, errorOf: (row: number) => number): Float64Array {
  const sums = new Float64Array(skills * opportunitiesMax);
  const counts = new Uint32Array(skills * opportunitiesMax);
  for (let row = 0; row < rows.skills.length; row++) {
    const at = (rows.skills[row] as number) * opportunitiesMax + (rows.before[row] as number);
    sums[at] = (sums[at] as number) + errorOf(row);
    counts[at] = (counts[at] as number) + 1;
  }
  return sums.map((sum, at) => sum / (counts[at] as number));
}

function pointsOf({ number, reached, wrong }: Tally, fitted: Float64Array): CurvePoint[] {
  const points: CurvePoint[] = [];
  for (let before = 0; before < opportunitiesMax; before++) {
    const learners = reached[before] ?? 0;
    if (learners === 0) continue;
    const mean = fitted[number * opportunitiesMax + before] ?? Number.NaN;
    points.push({
      opportunity: before + 1,
      learners,
      error: wilsonInterval(wrong[before] ?? 0, learners),
      fitted: Number.isNaN(mean) ? null : mean,
    });
  }
  return points;
}

/**
 * In DataShop's order: too little data; low and flat where no point is above the low threshold; no learning where the
 * slope is next to nothing; still high where the last point is above the high threshold; good else.
 */
export function categoryOf(points: readonly CurvePoint[], slope: number | null): CurveCategory {
  const { learnersMin, pointsMin, lowError, highError, slopeMin } = curveThresholds;
  const firm = points.filter(({ learners }) => learners >= learnersMin);
  if (firm.length < pointsMin || slope === null) return "too_little_data";
  if (firm.every(({ error }) => error.estimate <= lowError)) return "low_and_flat";
  if (slope <= slopeMin) return "no_learning";
  return (firm.at(-1)?.error.estimate ?? 0) >= highError ? "still_high" : "good";
}
