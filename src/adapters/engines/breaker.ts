import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  SamplingBreaker,
} from "cockatiel";

export type BreakerState = "closed" | "half_open" | "open";

export interface BreakerOptions {
  /** Said in metrics, in the log and in refusals. */
  readonly engine: string;
  /**
   * When it opens: after so many failures in a row, or, where one engine is many servers, when more than this share of
   * the calls of the last second failed, of ten at least.
   */
  readonly opensAt: { readonly failuresInARow: number } | { readonly failedShare: number };
  /** How long the engine is not asked then; after that one call tries it. Milliseconds. */
  readonly openMs: number;
  /** Whether the engine did not answer, rather than answered with a refusal. */
  isFailure(error: unknown): boolean;
  /** What a caller gets while the engine is not asked. */
  refusal(message: string, cause: NotAsked): Error;
  /** `why`: the failure that opened it. */
  readonly onChange?: ((state: BreakerState, why: unknown) => void) | undefined;
  readonly onRefused?: (() => void) | undefined;
}

/** Does the work, or rejects at once with the refusal. */
export type Guard = <T>(work: () => Promise<T>) => Promise<T>;

/** The engine failed just now and was not asked: nothing was done. */
export class NotAsked extends Error {
  override readonly name = "NotAsked";
}

const states: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: "closed",
  [CircuitState.HalfOpen]: "half_open",
  [CircuitState.Open]: "open",
  [CircuitState.Isolated]: "open",
};

/**
 * A circuit breaker: an engine that keeps failing is not asked for a while, so that nobody waits for it and it has time to
 * come back; then one call tries it. While that call is under way the others are refused, and not kept waiting for it.
 */
export function createBreaker(options: BreakerOptions): Guard {
  const { engine, opensAt, openMs, onRefused } = options;
  const breaker =
    "failuresInARow" in opensAt
      ? new ConsecutiveBreaker(opensAt.failuresInARow)
      : new SamplingBreaker({ threshold: opensAt.failedShare, duration: 1_000, minimumRps: 10 });
  const policy = circuitBreaker(handleWhen(options.isFailure), { halfOpenAfter: openMs, breaker });
  let why: unknown = null;
  policy.onBreak((reason) => {
    why = "error" in reason ? reason.error : null;
  });
  policy.onStateChange((state) => options.onChange?.(states[state], why));

  function refuse(): never {
    onRefused?.();
    const message = `${engine} failed just now and is not asked for a moment`;
    // Why it failed was told when it did: here it would be told again with each refusal.
    throw options.refusal(message, new NotAsked(message));
  }

  return async (work) => {
    // The library would let callers wait for the one that tries.
    if (policy.state === CircuitState.HalfOpen) refuse();
    try {
      return await policy.execute(work);
    } catch (error) {
      if (error instanceof BrokenCircuitError) refuse();
      throw error;
    }
  };
}

/** Names of the methods of T that resolve later. */
type Asking<T> = { [K in keyof T]: T[K] extends (...args: never[]) => Promise<unknown> ? K : never }[keyof T];

/** The same, with these of its methods behind a breaker. */
export function guarded<T extends object>(target: T, guard: Guard, names: readonly Asking<T>[]): T {
  const methods = names.map((name) => {
    const method = target[name] as (...args: unknown[]) => Promise<unknown>;
    return [name, (...args: unknown[]) => guard(() => method.apply(target, args))];
  });
  return { ...target, ...Object.fromEntries(methods) };
}
