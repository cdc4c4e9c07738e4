import { levenbergMarquardt } from "ml-levenberg-marquardt";

/**
 * The universal scalability law: X(n) = lambda n / (1 + sigma (n - 1) + kappa n (n - 1)), for n processes or n clients.
 * Source: Gunther, Guerrilla Capacity Planning (2007), ch. 4-6. sigma: share of the work that only one does at a time
 * (kappa = 0 is Amdahl's law); kappa: cost of each keeping in step with each other.
 */
export interface ScalabilityLaw {
  /** Throughput of one. */
  readonly lambda: number;
  /** Contention, 0..1. */
  readonly sigma: number;
  /** Coherence, >= 0. */
  readonly kappa: number;
}

export interface ThroughputPoint {
  readonly n: number;
  readonly throughput: number;
}

export interface ScalabilityFit extends ScalabilityLaw {
  /** 1 - (sum of squared residuals) / (sum of squares about the mean). */
  readonly r2: number;
  /** Measured / fitted - 1, in the order of the points. */
  readonly residuals: readonly number[];
}

export function throughputAt({ lambda, sigma, kappa }: ScalabilityLaw, n: number): number {
  return (lambda * n) / (1 + sigma * (n - 1) + kappa * n * (n - 1));
}

/** The n of the highest throughput; Infinity where more is always more. */
export function bestN({ sigma, kappa }: ScalabilityLaw): number {
  return kappa <= 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.sqrt(Math.max(0, 1 - sigma) / kappa));
}

/** The highest throughput there is; lambda / sigma where it is only approached; Infinity where scaling is linear. */
export function ceilingOf(law: ScalabilityLaw): number {
  const n = bestN(law);
  if (Number.isFinite(n)) return throughputAt(law, n);
  return law.sigma <= 0 ? Number.POSITIVE_INFINITY : law.lambda / law.sigma;
}

/** The fewest that reach a throughput; null where no number does. */
export function smallestNFor(law: ScalabilityLaw, throughput: number): number | null {
  if (throughput > ceilingOf(law)) return null;
  let [low, high] = [0, 1];
  while (throughputAt(law, high) < throughput) {
    low = high;
    if (high >= Math.floor(bestN(law))) return null;
    high = Math.min(high * 2, Math.floor(bestN(law)), 2 ** 40);
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (throughputAt(law, middle) < throughput) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Nonlinear least squares by Levenberg-Marquardt, on throughput over that of the fewest, from several starts (one of
 * them Gunther's own linear regression), the best of which is kept. lambda > 0, 0 <= sigma <= 1, 0 <= kappa <= 1.
 * Throws on fewer than three different n: three unknowns want three. `near` is a fit of much the same points: the one start.
 */
export function fitScalability(points: readonly ThroughputPoint[], near?: ScalabilityLaw): ScalabilityFit {
  if (points.some(({ n, throughput }) => !(n > 0) || !(throughput > 0)))
    throw new RangeError("n and throughput of every point must be above 0");
  if (new Set(points.map(({ n }) => n)).size < 3)
    throw new RangeError("a fit of three parameters needs three different n");
  const least = points.reduce((first, point) => (point.n < first.n ? point : first));
  const unit = least.throughput / least.n;
  const data = { x: points.map(({ n }) => n), y: points.map(({ throughput }) => throughput / unit) };
  const starts = near === undefined ? startsOf(points, unit) : [{ ...near, lambda: near.lambda / unit }];
  // The library goes on to its last iteration; from near by a few are enough.
  const fits = starts.map((start) => refine(data, start, near === undefined ? 100 : 15));
  const best = fits.reduce((one, other) => (other.error < one.error ? other : one));
  return fitOf(points, { ...best.law, lambda: best.law.lambda * unit });
}

interface Refined {
  readonly law: ScalabilityLaw;
  readonly error: number;
}

function refine(
  data: { readonly x: number[]; readonly y: number[] },
  start: ScalabilityLaw,
  maxIterations: number,
): Refined {
  const lawOf = ([lambda = 0, sigma = 0, kappa = 0]: number[]): ScalabilityLaw => ({ lambda, sigma, kappa });
  const errorOf = (law: ScalabilityLaw): number =>
    data.x.reduce((sum, n, at) => sum + ((data.y[at] ?? 0) - throughputAt(law, n)) ** 2, 0);
  const { parameterValues } = levenbergMarquardt(data, (parameters) => (n) => throughputAt(lawOf(parameters), n), {
    initialValues: [start.lambda, start.sigma, start.kappa],
    minValues: [1e-6, 0, 0],
    maxValues: [1e6, 1, 1],
    jacobianFunction: (parameters) => (n) => gradientAt(lawOf(parameters), n),
    damping: 1e-3,
    maxIterations,
    errorTolerance: 1e-12,
    improvementThreshold: 1e-9,
  });
  const law = lawOf(parameterValues);
  return { law, error: errorOf(law) };
}

function gradientAt({ lambda, sigma, kappa }: ScalabilityLaw, n: number): number[] {
  const below = 1 + sigma * (n - 1) + kappa * n * (n - 1);
  const outer = (-lambda * n) / below ** 2;
  return [n / below, outer * (n - 1), outer * n * (n - 1)];
}

/** Gunther's regression, n / C(n) - 1 = kappa (n - 1)^2 + (sigma + kappa) (n - 1) with C(n) = X(n) / X(1), and two plain guesses. */
function startsOf(points: readonly ThroughputPoint[], unit: number): ScalabilityLaw[] {
  let [s2, s3, s4, t1, t2] = [0, 0, 0, 0, 0];
  for (const { n, throughput } of points) {
    const x = n - 1;
    const y = (n * unit) / throughput - 1;
    s2 += x * x;
    s3 += x ** 3;
    s4 += x ** 4;
    t1 += x * y;
    t2 += x * x * y;
  }
  const determinant = s4 * s2 - s3 * s3;
  const [a, b] = determinant === 0 ? [0, 0] : [(t2 * s2 - t1 * s3) / determinant, (s4 * t1 - s3 * t2) / determinant];
  const inside = (value: number): number => Math.min(1, Math.max(0, value));
  return [
    { lambda: 1, sigma: inside(b - a), kappa: inside(a) },
    { lambda: 1, sigma: 0.1, kappa: 0.001 },
    { lambda: 1, sigma: 0.5, kappa: 0 },
    { lambda: 1, sigma: 0.01, kappa: 0 },
  ];
}

function fitOf(points: readonly ThroughputPoint[], law: ScalabilityLaw): ScalabilityFit {
  const mean = points.reduce((sum, { throughput }) => sum + throughput, 0) / points.length;
  let [unexplained, all] = [0, 0];
  for (const { n, throughput } of points) {
    unexplained += (throughput - throughputAt(law, n)) ** 2;
    all += (throughput - mean) ** 2;
  }
  const residuals = points.map(({ n, throughput }) => throughput / throughputAt(law, n) - 1);
  return { ...law, r2: all === 0 ? 1 : 1 - unexplained / all, residuals };
}
