import type { Scope } from "./scope.ts";

/** How many of the last items count when the share of reviews is kept from one list to the next. */
const lookBack = 10;

/**
 * Says at which places of a practice list a review may stand, so that reviews are up to `share` of the list and, for
 * a learner who does the first item and asks again, up to `share` of what is done.
 *
 * The log does not say which of the last items were given as a review, but it need not: an item counts as one when
 * none of its skills is open any more. A review may stand at place k (from 1) when all of these hold:
 * - with it, reviews are at most ceil(share x k) of the first k;
 * - with it, they are at most share of the last ten done and the first k together;
 * - the one before it, in the list or done, is at least floor(1 / share) places away.
 */
export function reviewShare(scope: Scope): { mayStandAt(place: number): boolean; placed(place: number): void } {
  const { reviewShare: share } = scope.input.policy;
  const done = reviewsDone(scope);
  const before = Math.min(lookBack, scope.input.recentItemIds.length);
  const spacing = Math.floor(1 / share);
  let count = 0;
  let last = done.length > 0 ? -(done[0] ?? 0) : Number.NEGATIVE_INFINITY;
  return {
    mayStandAt: (place) =>
      share > 0 &&
      count + 1 <= Math.ceil(share * place) &&
      done.length + count + 1 <= share * (before + place) + 1e-9 &&
      place - last >= spacing,
    placed(place) {
      count += 1;
      last = place;
    },
  };
}

/** How long ago each of the last items was done that counts as a review: 0 for the newest. */
function reviewsDone(scope: Scope): number[] {
  const { bank, recentItemIds } = scope.input;
  const ages: number[] = [];
  for (let age = 0; age < Math.min(lookBack, recentItemIds.length); age++) {
    const item = bank.items.get(recentItemIds[age] ?? "");
    if (item === undefined || item.skillIds.length === 0) continue;
    const open = item.skillIds.some((id) => {
      const skill = bank.skill.get(id);
      return skill !== undefined && scope.status(skill) !== "mastered";
    });
    if (!open) ages.push(age);
  }
  return ages;
}
