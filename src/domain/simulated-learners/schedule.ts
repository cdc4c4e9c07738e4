import type { Random } from "../random.ts";

export interface Sitting {
  /** 0 for the learner's first session. */
  readonly session: number;
  /** Milliseconds since 1970 of each item put in it. */
  readonly at: readonly number[];
}

const dayMs = 86_400_000;

/**
 * When one learner sits down between two instants: some two to four sessions a week, in the afternoon (UTC), of some
 * eight to eighteen items each, one or two minutes apart. `diligence` 0..1 takes sessions away. An absent learner misses half
 * of them, and all for a week or two in every four.
 */
export function sittings(
  random: Random,
  fromMs: number,
  toMs: number,
  { diligence = 1, absent = false }: { readonly diligence?: number; readonly absent?: boolean } = {},
): Sitting[] {
  const chanceOfADay = (0.3 + 0.3 * random()) * (absent ? 0.5 : 1);
  const away = absent ? { from: Math.floor(14 * random()), days: 7 + Math.floor(7 * random()) } : { from: 0, days: 0 };
  const isAway = (day: number): boolean => {
    const since = (Math.floor((day - fromMs) / dayMs) % 28) - away.from;
    return since >= 0 && since < away.days;
  };
  const found: Sitting[] = [];
  for (let day = Math.floor(fromMs / dayMs) * dayMs; day < toMs; day += dayMs) {
    const comes = random() < chanceOfADay * diligence;
    const start = day + Math.round((13 + 6 * random()) * 3_600_000);
    const length = 8 + Math.floor(11 * random());
    if (!comes || start < fromMs || isAway(day)) continue;
    const at: number[] = [];
    for (let i = 0, t = start; i < length && t < toMs; i += 1, t += Math.round(40_000 + 80_000 * random())) at.push(t);
    if (at.length > 0) found.push({ session: found.length, at });
  }
  return found;
}
