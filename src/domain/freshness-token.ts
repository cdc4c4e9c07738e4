/** Where a learner's stream and the log stood right after an interaction was stored. */
export interface Freshness {
  readonly revision: number;
  readonly position: number;
}

/** Opaque to clients: "r12.p345". A query given it can tell whether its answer includes that interaction. */
export function freshnessToken({ revision, position }: Freshness): string {
  return `r${revision}.p${position}`;
}

/** null for anything {@link freshnessToken} does not write. */
export function parseFreshnessToken(token: string): Freshness | null {
  const match = /^r(\d{1,15})\.p(\d{1,15})$/.exec(token);
  return match === null ? null : { revision: Number(match[1]), position: Number(match[2]) };
}
