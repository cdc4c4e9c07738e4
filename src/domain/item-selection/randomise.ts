import type { Candidate, Ranked } from "./candidates.ts";
import { choose, type Draft } from "./draft.ts";
import { explore } from "./exploration.ts";
import { ItemMarks } from "./item-marks.ts";
import type { Group } from "./ranking.ts";
import { withRules } from "./rules.ts";
import type { Reason, Turn } from "./selection.ts";
import type { TopicMix } from "./topic-mix.ts";

/** A place of the list and what the ranking put there. */
export interface Placed {
  readonly place: number;
  readonly ranked: Ranked;
  /** Bits of the rules that kept others from it. */
  readonly bound: number;
}

/**
 * Exploration: over the candidates found for the open skills, at the places that they fill. What is drawn counts the same for
 * the rules that look at the whole list, so that they hold whatever is drawn: it has the same topics and, in a session with a
 * budget of time, takes as long. Among such, propensities are exact.
 */
export function randomise(draft: Draft, placed: readonly Placed[], { groups, mix, reasonFor }: Randomised): void {
  const { selected, taken, scope } = draft;
  const { seed, policy, onDraw } = scope.input;
  const rest = leftOut(groups, draft, placed.at(-1)?.ranked.score ?? 0);
  for (const { key, places, others } of alike(placed, rest, keyOf(draft, mix))) {
    const pool = places.map(({ ranked }) => ranked).concat(others);
    const own = key === "" ? seed : `${seed}:${key}`;
    const turns: Turn[] = [];
    const noted = onDraw === undefined ? undefined : (turn: Turn) => turns.push(turn);
    const draws = explore(pool.length, places.length, policy.explorationRate, own, noted);
    onDraw?.({
      places: places.map(({ place }) => place),
      pool: pool.map(({ candidate }) => ({ itemId: candidate.item.itemId, p: candidate.p })),
      rate: policy.explorationRate,
      ...{ seed: own, turns },
    });
    for (let index = 0; index < places.length; index++) {
      const { place, bound } = places[index] as Placed;
      const rankHere = draws.ranks[index] ?? index;
      const { candidate, score } = pool[rankHere] as Ranked;
      const { skillId } = candidate;
      const reason: Reason =
        rankHere === index ? withRules(reasonFor(candidate), bound) : { code: "exploration", skillId };
      selected[place] = choose(candidate, score, draws.propensities[index] ?? 0, reason).selected;
      taken.add(candidate.item.index);
    }
  }
}

export interface Randomised {
  readonly groups: readonly Group[];
  readonly mix: TopicMix | null;
  readonly reasonFor: (candidate: Candidate) => Reason;
}

interface Alike {
  readonly key: string;
  readonly places: readonly Placed[];
  readonly others: readonly Ranked[];
}

/** What a candidate counts as; null where all count the same. */
function keyOf({ scope }: Draft, mix: TopicMix | null): ((candidate: Candidate) => string) | null {
  const timed = scope.leftMs !== null;
  if (mix === null && !timed) return null;
  return ({ item }) => `${mix?.topicsOf(item) ?? 0}.${timed ? scope.expectedMs(item) : 0}`;
}

function alike(
  placed: readonly Placed[],
  rest: readonly Ranked[],
  keyFor: ((candidate: Candidate) => string) | null,
): Iterable<Alike> {
  if (keyFor === null) return [{ key: "", places: placed, others: rest }];
  const pools = new Map<string, { key: string; places: Placed[]; others: Ranked[] }>();
  for (const one of placed) {
    const key = keyFor(one.ranked.candidate);
    const pool = pools.get(key) ?? { key, places: [], others: [] };
    pool.places.push(one);
    pools.set(key, pool);
  }
  for (const ranked of rest) pools.get(keyFor(ranked.candidate))?.others.push(ranked);
  return pools.values();
}

const seen = new ItemMarks();

/** Candidates the list had no room for. They rank below it, so their scores stay below its last. */
function leftOut(groups: readonly Group[], { scope, taken }: Draft, lastScore: number): Ranked[] {
  const rest: Ranked[] = [];
  seen.begin(scope.input.bank.allItems.length);
  for (const { candidates } of groups) {
    for (const candidate of candidates) {
      const { index } = candidate.item;
      if (candidate.refused || taken.has(index) || seen.has(index)) continue;
      seen.add(index);
      rest.push({ candidate, score: candidate.closeness * lastScore, group: -1 });
    }
  }
  return rest;
}
