import type { SessionType } from "../domain/events.ts";
import type { ItemBank, SelectedItem, Stop } from "../domain/item-selection/selection.ts";
import { newLearnerState } from "../domain/learner/learner-state.ts";
import { selectForLearner } from "../domain/learner/select-for-learner.ts";
import type { ModelReader } from "../ports/model-reader.ts";
import { popularCount } from "../projections/popular-items.ts";
import type { PopularItem } from "../projections/rows.ts";
import type { NextRequest } from "./next-request.ts";

export interface NewLearnerInput {
  readonly learnerId: string;
  readonly bank: ItemBank;
  readonly model: ModelReader;
  /** Best first. */
  readonly popular: readonly PopularItem[];
  readonly request: NextRequest;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The window of popularity that new learners are given; the caller reads it. */
export const newLearnerWindow = "week";

export interface NewLearnerSelection {
  readonly items: readonly SelectedItem[];
  readonly fromPopular: number;
  readonly stop: Stop | null;
}

/**
 * What to give to a learner nothing is known of: what others do, as far as a beginner may, then what selection says of
 * an empty learner. `fromPopular` counts the former; there are none where the track's policy has rules that they might
 * break, or pins to come first.
 */
export function selectForNewLearner(input: NewLearnerInput): NewLearnerSelection {
  const { bank, model, popular, request, learnerId, now } = input;
  const { weights } = model.current();
  const state = newLearnerState(model.model);
  const open = openSkills(bank);
  const items: SelectedItem[] = [];
  const taken = new Set<string>(request.exclude);
  if (startsWithPopular(request.sessionType, bank)) {
    for (const { itemId, rank, learners } of popular) {
      const item = bank.items.get(itemId);
      if (items.length >= request.count || item === undefined || taken.has(itemId)) continue;
      if (!item.skillIds.every((id) => open.has(id))) continue;
      if (request.skillIds !== null && !item.skillIds.some((id) => request.skillIds?.includes(id))) continue;
      taken.add(itemId);
      const p = model.model.predict(weights, state.local, item);
      const score = short(popularCount(rank, newLearnerWindow, now));
      items.push({ itemId, p: short(p), score, propensity: 1, reason: { code: "popular", learners } });
    }
  }
  const fromPopular = items.length;
  if (fromPopular >= request.count) return { items, fromPopular, stop: null };
  const { sessionType, skillIds } = request;
  const only = skillIds === null ? {} : { onlySkillIds: skillIds };
  const base = { learnerId, state, bank, model: model.model, weights, sessionType, now };
  const rest = { size: request.count - fromPopular, excludedItemIds: taken };
  const selection = selectForLearner({ ...base, ...only, ...rest });
  items.push(...selection.items);
  return { items, fromPopular, stop: fromPopular > 0 ? null : selection.stop };
}

function startsWithPopular(sessionType: SessionType, { policy, pinned }: ItemBank): boolean {
  const { exposure, topics, sessionBudget } = policy;
  const bounded =
    exposure.learnerShareMax < 1 || topics.length > 0 || sessionBudget.minutes !== null || sessionBudget.items !== null;
  return (sessionType === "practice" || sessionType === "review") && pinned.length === 0 && !bounded;
}

/** Skills that a beginner may start with: none before them, or retired, and so not in the bank at all. */
function openSkills(bank: ItemBank): ReadonlySet<string> {
  const open = new Set<string>();
  for (const { items, skillId, prerequisites } of bank.skills) {
    if (prerequisites.length > 0) continue;
    open.add(skillId);
    // A skill the bank does not teach locks nothing.
    for (const item of items) for (const id of item.skillIds) if (!bank.skill.has(id)) open.add(id);
  }
  return open;
}

const short = (value: number): number => Math.round(value * 10_000) / 10_000;
