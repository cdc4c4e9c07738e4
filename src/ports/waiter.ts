/**
 * Who waits for one thing, and is told once, by one of the two, at once or later. A call takes a part of what a promise takes, which
 * counts where each question waits several times over (docs/performance.md); others make it a promise, see projections/promised.ts.
 */
export interface Waiter<T> {
  found(value: T): void;
  failed(error: unknown): void;
}
