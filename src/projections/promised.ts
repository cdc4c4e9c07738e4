import type { Waiter } from "../ports/waiter.ts";

/** What a waiter would be told, as a promise. */
export const promised = <T>(ask: (waiter: Waiter<T>) => void): Promise<T> =>
  new Promise((found, failed) => ask({ found, failed }));

/** Tells what comes of a promise. */
export function tell<T>(waiter: Waiter<T>, promise: Promise<T>): void {
  promise.then(
    (value) => waiter.found(value),
    (error: unknown) => waiter.failed(error),
  );
}
