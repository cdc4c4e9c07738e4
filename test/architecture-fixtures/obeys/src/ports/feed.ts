import type { fold } from "../domain/fold.ts";

export type { fold };
export const pageSizes = [100, 1_000] as const;
export const defaults = { page: 100, retries: -1 } as const;
export interface Feed {
  head(): Promise<number>;
}
export class FeedUnavailable extends Error {
  override readonly name = "FeedUnavailable";
  readonly position: number;
  constructor(position: number) {
    super(`at ${position}`);
    this.position = position;
  }
}
