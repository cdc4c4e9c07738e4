import pTimeout from "p-timeout";
import type { RetryResult } from "../projections/parking.ts";

/** For a learner to be tried again, by whatever process, milliseconds. */
export const retryPatienceMs = 10_000;

/** No process did what was asked for in time. */
export class NobodyAnswers extends Error {
  override readonly name = "NobodyAnswers";
}

/**
 * By a projector of this process. While its loop fails it tries nobody: rejects with {@link NobodyAnswers} after `patienceMs`. The
 * learner is tried all the same as soon as it works again.
 */
export function retryHere(
  projector: { retry(learnerId: string): Promise<RetryResult> },
  learnerId: string,
  patienceMs: number,
): Promise<RetryResult> {
  const late = (): never => {
    throw new NobodyAnswers(
      `The projector has not tried ${learnerId} again within ${patienceMs / 1000} s: its log says what it waits for. It will as soon as it works.`,
    );
  };
  return pTimeout(projector.retry(learnerId), { milliseconds: patienceMs, fallback: late });
}
