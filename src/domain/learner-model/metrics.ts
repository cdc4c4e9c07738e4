/** One of ten equal-width bins of predicted probability: [0, .1), [.1, .2), ..., [.9, 1]. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly answers: number;
  /** Mean prediction and share of correct answers in the bin; null where it is empty. */
  readonly predicted: number | null;
  readonly observed: number | null;
}

export interface Metrics {
  readonly answers: number;
  /** Share of correct answers. */
  readonly correct: number;
  /** Area under the ROC curve, exact; null where all answers are correct, or none is. */
  readonly auc: number | null;
  /** Share of answers on the predicted side of one half (p >= .5 predicts correct). */
  readonly accuracy: number;
  readonly rmse: number;
  /** Mean of -ln(probability given to what happened), in nats. */
  readonly logLoss: number;
  /** Expected calibration error: mean of |predicted - observed| over the bins, weighted by their answers. */
  readonly ece: number;
  readonly bins: readonly CalibrationBin[];
}

const binCount = 10;

/**
 * Measures predictions (probabilities within (0, 1)) against outcomes (1 correct, 0 not) of the same answers.
 * Throws on none, and on lists of different lengths.
 */
export function measure(predictions: Float64Array, outcomes: Uint8Array): Metrics {
  const answers = predictions.length;
  if (answers === 0) throw new Error("there are no predictions to measure");
  if (outcomes.length !== answers) throw new Error(`${answers} predictions for ${outcomes.length} outcomes`);
  let correct = 0;
  let hits = 0;
  let squares = 0;
  let losses = 0;
  for (let k = 0; k < answers; k++) {
    const p = predictions[k] ?? 0;
    const y = outcomes[k] ?? 0;
    correct += y;
    if (p >= 0.5 === (y === 1)) hits += 1;
    squares += (y - p) * (y - p);
    losses -= Math.log(y === 1 ? p : 1 - p);
  }
  const bins = calibration(predictions, outcomes);
  return {
    answers,
    correct: correct / answers,
    auc: areaUnderRoc(predictions, outcomes),
    accuracy: hits / answers,
    rmse: Math.sqrt(squares / answers),
    logLoss: losses / answers,
    ece: bins.reduce((sum, { answers: n, predicted, observed }) => {
      return predicted === null || observed === null ? sum : sum + (n / answers) * Math.abs(predicted - observed);
    }, 0),
    bins,
  };
}

/** By rank (Mann-Whitney): the share of pairs (correct, wrong) whose correct one has the higher prediction; a tie counts half. */
function areaUnderRoc(predictions: Float64Array, outcomes: Uint8Array): number | null {
  const positives = predictions.filter((_, k) => outcomes[k] === 1).sort();
  const negatives = predictions.filter((_, k) => outcomes[k] !== 1).sort();
  if (positives.length === 0 || negatives.length === 0) return null;
  let below = 0;
  let notAbove = 0;
  let pairs = 0;
  for (const p of positives) {
    while (below < negatives.length && (negatives[below] ?? 0) < p) below += 1;
    while (notAbove < negatives.length && (negatives[notAbove] ?? 0) <= p) notAbove += 1;
    pairs += (below + notAbove) / 2;
  }
  return pairs / positives.length / negatives.length;
}

function calibration(predictions: Float64Array, outcomes: Uint8Array): CalibrationBin[] {
  const counts = new Float64Array(binCount);
  const predicted = new Float64Array(binCount);
  const observed = new Float64Array(binCount);
  for (let k = 0; k < predictions.length; k++) {
    const p = predictions[k] ?? 0;
    const bin = Math.min(binCount - 1, Math.floor(p * binCount));
    counts[bin] = (counts[bin] ?? 0) + 1;
    predicted[bin] = (predicted[bin] ?? 0) + p;
    observed[bin] = (observed[bin] ?? 0) + (outcomes[k] ?? 0);
  }
  const mean = (sums: Float64Array, bin: number): number | null =>
    counts[bin] === 0 ? null : (sums[bin] ?? 0) / (counts[bin] ?? 0);
  return Array.from(counts, (answers, bin) => ({
    from: bin / binCount,
    to: (bin + 1) / binCount,
    answers,
    predicted: mean(predicted, bin),
    observed: mean(observed, bin),
  }));
}
