import type { Policy } from "../../domain/events.ts";
import { isMastered } from "../../domain/item-selection/mastered.ts";
import type { SelectedItem } from "../../domain/item-selection/selection.ts";
import { heldMastery } from "../../domain/learner/held-mastery.ts";
import type { LearnerState } from "../../domain/learner/learner-state.ts";
import { type Cards, dueSeconds } from "../../domain/reviews/cards.ts";
import { newSkillTally, type PartTally, type SkillTally, type Tally } from "./tally.ts";

/** Counts one choice: the list before and the one after. Says whether the first item, and whether anything, differs. */
export function countChoice(
  { choices, reasons }: Tally,
  part: PartTally,
  before: readonly SelectedItem[],
  after: readonly SelectedItem[],
): { readonly firstChanged: boolean; readonly identical: boolean } {
  const [was, is] = [before[0], after[0]];
  const firstChanged = was?.itemId !== is?.itemId;
  let kept = 0;
  let identical = before.length === after.length;
  for (let place = 0; place < before.length; place += 1) {
    const itemId = before[place]?.itemId;
    if (after[place]?.itemId === itemId) kept += 1;
    else {
      identical = false;
      if (after.some((item) => item.itemId === itemId)) kept += 1;
    }
  }
  choices.lists += 1;
  part.lists += 1;
  choices.items += before.length;
  choices.itemsKept += kept;
  if (firstChanged) {
    choices.firstChanged += 1;
    part.firstChanged += 1;
  }
  if (identical) {
    choices.identical += 1;
    part.identical += 1;
  }
  if (was === undefined) choices.emptyBefore += 1;
  else choices.firstSuccessBefore += Math.round(was.p * 10_000);
  if (is === undefined) choices.emptyAfter += 1;
  else choices.firstSuccessAfter += Math.round(is.p * 10_000);
  const pair = `${was?.reason.code ?? "nothing"} ${is?.reason.code ?? "nothing"}`;
  reasons[pair] = (reasons[pair] ?? 0) + 1;
  return { firstChanged, identical };
}

/** Counts the cards that a learner has at the end. Returns how many are due at another time, or are there in one only. */
export function countDue({ due }: Tally, before: LearnerState, after: LearnerState): number {
  let changed = 0;
  for (const kind of ["skills", "items"] as const) {
    const others = dates(after.cards, kind);
    for (const [id, was] of dates(before.cards, kind)) {
      const is = others.get(id);
      others.delete(id);
      due.cards += 1;
      if (is === was) continue;
      changed += 1;
      if (is === undefined) {
        due.onlyBefore += 1;
        continue;
      }
      due.secondsLater += is - was;
      if (is > was) due.later += 1;
      else due.earlier += 1;
    }
    due.cards += others.size;
    due.onlyAfter += others.size;
    changed += others.size;
  }
  due.changed += changed;
  if (changed > 0) due.learners += 1;
  return changed;
}

function dates(cards: Cards, of: "skills" | "items"): Map<string, number> {
  const found = new Map<string, number>();
  cards[of].forEach((card, number) => {
    const id = cards.ids[of].list[number];
    if (card !== null && id !== undefined) found.set(id, dueSeconds(card));
  });
  return found;
}

export interface MasteryChange {
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

/** Counts which skills the two hold for mastered at the end. */
export function countMastery(
  { mastery, skills }: Tally,
  before: { readonly state: LearnerState; readonly policy: Policy },
  after: { readonly state: LearnerState; readonly policy: Policy },
): MasteryChange {
  const gained: string[] = [];
  const lost: string[] = [];
  before.state.ids.skills.list.forEach((skillId, number) => {
    // The same answers: the same skills, by the same numbers.
    if (before.state.mastery[number] === undefined || after.state.mastery[number] === undefined) return;
    const [was, is] = [before, after].map(({ state, policy }) => {
      const mastery = heldMastery(state, skillId, policy);
      return mastery !== null && isMastered(mastery, policy, state.latestAt);
    });
    skills[skillId] ??= newSkillTally();
    for (const tally of [mastery, skills[skillId] as SkillTally]) {
      tally.calls += 1;
      tally.masteredBefore += was ? 1 : 0;
      tally.masteredAfter += is ? 1 : 0;
      tally.gained += is && !was ? 1 : 0;
      tally.lost += was && !is ? 1 : 0;
    }
    if (is && !was) gained.push(skillId);
    if (was && !is) lost.push(skillId);
  });
  if (gained.length + lost.length > 0) mastery.learners += 1;
  return { gained, lost };
}
