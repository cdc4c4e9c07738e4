import { propensitiesAt } from "./exploration.ts";
import type { Draw, SelectedItem } from "./selection.ts";

/** An item that a policy may put at a place. */
export interface Choice {
  readonly itemId: string;
  /** Predicted probability of success. */
  readonly p: number;
  /** With which the policy puts it there, all its draws left open. */
  readonly probability: number;
}

/**
 * All that a policy may put at each place of a list, from one list that it made and the draws on the way. The
 * probabilities of a place add up to 1; an item's own is what the list calls its propensity.
 */
export function choicesOf(items: readonly SelectedItem[], draws: readonly Draw[]): readonly (readonly Choice[])[] {
  const choices: (readonly Choice[])[] = items.map(({ itemId, p }) => [{ itemId, p, probability: 1 }]);
  for (const { places, pool, rate } of draws) {
    places.forEach((place, index) => {
      const propensities = propensitiesAt(index, pool.length, rate);
      choices[place] = pool.map(({ itemId, p }, rank) => ({ itemId, p, probability: propensities[rank] ?? 0 }));
    });
  }
  return choices;
}
