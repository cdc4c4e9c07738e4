/** Where in a file something stands. `line` is 1-based; in a package `file` is the path within it. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** An element that cannot be read: nothing of it is imported. */
export interface RefusedElement {
  readonly kind: "refused";
  readonly at: Place;
  readonly id: string | null;
  readonly problem: string;
}

/** An element that is well formed and that Proximal has no use for. */
export interface LeftOut {
  readonly kind: "leftOut";
  readonly at: Place;
  readonly id: string | null;
  readonly reason: string;
}

export const refused = (at: Place, id: string | null, problem: string): RefusedElement => ({
  kind: "refused",
  at,
  id,
  problem,
});

export const leftOut = (at: Place, id: string | null, reason: string): LeftOut => ({ kind: "leftOut", at, id, reason });

/** A file that cannot be read at all; the message names it and what to do. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
}
