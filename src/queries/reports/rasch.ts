import { sigmoid } from "../../domain/learner-model/sigmoid.ts";
import { shiftAgainst } from "./afm.ts";

/** First answers as rows, learner and item by number. */
export interface ResponseRows {
  readonly learners: Uint32Array;
  readonly items: Uint32Array;
  readonly correct: Uint8Array;
}

export interface RaschItem {
  readonly answers: number;
  /** Logits, 0 average, positive harder: facility with the level of those who were given the item taken out. */
  readonly difficulty: number;
  readonly difficultyError: number;
  /** Correlation -1..1 of a right answer with the learner's level on all OTHER items; null where one of them does not vary. */
  readonly discrimination: number | null;
}

export interface Rasch {
  readonly items: readonly RaschItem[];
  readonly levels: Float64Array;
  readonly rounds: number;
}

const levelSd = 1.5;
const difficultySd = 2;

/**
 * Rasch model (Rasch 1960): logit P(correct) = level - difficulty. Each learner answers other items, so a sum of right answers
 * says nothing by itself; the model puts all on one scale. Joint maximum of the posterior, by Newton steps on items and learners by turns.
 *
 * Discrimination is the corrected item-rest correlation (point-biserial; Henrysson 1963): the level is that of the other items, by
 * taking the item's own share out of it in one Newton step.
 */
export function fitRasch(rows: ResponseRows, itemCount: number, learnerCount: number, roundsMax = 100): Rasch {
  const difficulties = new Float64Array(itemCount);
  const levels = new Float64Array(learnerCount);
  const items = sides(itemCount);
  const learners = sides(learnerCount);
  let rounds = 0;
  for (let change = 1; rounds < roundsMax && change > 1e-3; rounds += 1) {
    sum(rows, difficulties, levels, rows.items, items);
    const ofItems = step(difficulties, items, -1, difficultySd);
    sum(rows, difficulties, levels, rows.learners, learners);
    change = Math.max(ofItems, step(levels, learners, 1, levelSd));
    shiftAgainst({ values: levels, sd: levelSd }, { values: difficulties, sd: difficultySd }, 1);
  }
  sum(rows, difficulties, levels, rows.items, items);
  sum(rows, difficulties, levels, rows.learners, learners);
  const correlations = restCorrelations(rows, difficulties, levels, learners.curvature);
  return {
    items: Array.from(difficulties, (difficulty, k) => ({
      answers: items.count[k] ?? 0,
      difficulty,
      difficultyError: 1 / Math.sqrt((items.curvature[k] ?? 0) + 1 / difficultySd ** 2),
      discrimination: correlations[k] ?? null,
    })),
    levels,
    rounds,
  };
}

interface Side {
  readonly residual: Float64Array;
  readonly curvature: Float64Array;
  readonly count: Uint32Array;
}

const sides = (count: number): Side => ({
  residual: new Float64Array(count),
  curvature: new Float64Array(count),
  count: new Uint32Array(count),
});

/** Residuals and their variance, summed for each item or each learner. */
function sum(rows: ResponseRows, difficulties: Float64Array, levels: Float64Array, of: Uint32Array, into: Side): void {
  into.residual.fill(0);
  into.curvature.fill(0);
  into.count.fill(0);
  for (let row = 0; row < of.length; row++) {
    const k = of[row] as number;
    const p = sigmoid(
      (levels[rows.learners[row] as number] as number) - (difficulties[rows.items[row] as number] as number),
    );
    into.residual[k] = (into.residual[k] as number) + (rows.correct[row] as number) - p;
    into.curvature[k] = (into.curvature[k] as number) + p * (1 - p);
    into.count[k] = (into.count[k] as number) + 1;
  }
}

function step(values: Float64Array, { residual, curvature }: Side, sign: 1 | -1, sd: number): number {
  let change = 0;
  for (let k = 0; k < values.length; k++) {
    const gradient = sign * (residual[k] as number) - (values[k] as number) / sd ** 2;
    const by = Math.max(-1, Math.min(1, gradient / ((curvature[k] as number) + 1 / sd ** 2)));
    values[k] = (values[k] as number) + by;
    change = Math.max(change, Math.abs(by));
  }
  return change;
}

function restCorrelations(
  rows: ResponseRows,
  difficulties: Float64Array,
  levels: Float64Array,
  curvature: Float64Array,
): (number | null)[] {
  const count = difficulties.length;
  const [n, x, y, yy, xy] = Array.from({ length: 5 }, () => new Float64Array(count)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let row = 0; row < rows.items.length; row++) {
    const item = rows.items[row] as number;
    const learner = rows.learners[row] as number;
    const level = levels[learner] as number;
    const p = sigmoid(level - (difficulties[item] as number));
    const correct = rows.correct[row] as number;
    const information = (curvature[learner] as number) + 1 / levelSd ** 2 - p * (1 - p);
    const rest = level - (correct - p) / information;
    n[item] = (n[item] as number) + 1;
    x[item] = (x[item] as number) + correct;
    y[item] = (y[item] as number) + rest;
    yy[item] = (yy[item] as number) + rest * rest;
    xy[item] = (xy[item] as number) + correct * rest;
  }
  return Array.from(n, (answers, k) => {
    const [sx, sy] = [x[k] as number, y[k] as number];
    const spread = answers * (yy[k] as number) - sy * sy;
    const outcomes = sx * (answers - sx);
    if (outcomes <= 0 || spread <= 1e-9 * answers * answers) return null;
    return (answers * (xy[k] as number) - sx * sy) / Math.sqrt(spread * outcomes);
  });
}
