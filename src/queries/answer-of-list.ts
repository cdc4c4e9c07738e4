import type { SelectedItem } from "../domain/item-selection/selection.ts";
import type { StoredList } from "../projections/next-items.ts";
import { isStart } from "./cut-list.ts";
import type { NextAnswer } from "./render-next.ts";

/**
 * The items at these places of a stored list as an answer. `stored`: all of them, read where somebody asks; `size`: items in a full list.
 * Each property by itself: of two groups that are spread into one object the second is copied name by name, and this is made for
 * each question that Redis answers.
 */
export function answerOfList(
  learnerId: string,
  source: "personal" | "stale",
  list: StoredList,
  places: readonly number[],
  size: number,
  stored: () => readonly SelectedItem[],
): NextAnswer {
  return {
    learnerId,
    source,
    computed: "precomputed",
    trackId: list.trackId,
    sessionType: list.sessionType,
    policyVersion: list.policyVersion,
    arm: list.arm,
    model: list.model,
    modelVersion: list.modelVersion,
    revision: list.revision,
    position: list.position,
    at: list.at,
    holdsUntil: list.holdsUntil,
    stop: list.stop,
    selection: { size, items: stored, cut: !isStart(places), skillIds: null },
    items: () => {
      const all = stored();
      return places.map((place) => all[place] as SelectedItem);
    },
  };
}
