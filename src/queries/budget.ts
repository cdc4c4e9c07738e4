import { ReadModelsUnavailable } from "../ports/read-models.ts";

/** The answer of the read models, or {@link ReadModelsUnavailable} after `ms`: no query waits without a bound. */
export function withinBudget<T>(answer: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ReadModelsUnavailable(`no answer within ${ms} ms`)), ms);
    answer.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
