import type { SelectedItem } from "../domain/item-selection/selection.ts";
import type { LearnerState } from "../domain/learner/learner-state.ts";
import { bankOfLearner, selectForLearner } from "../domain/learner/select-for-learner.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { Clock } from "../ports/clock.ts";
import type { ModelReader } from "../ports/model-reader.ts";
import type { NextRequest } from "./next-request.ts";
import type { NextAnswer } from "./render-next.ts";

export interface SelectNowDeps {
  readonly catalogue: CatalogueReader;
  readonly model: ModelReader;
  readonly clock: Clock;
}

/** Selected from the learner's state as of now, where what was prepared does not serve the request. */
export function selectNow(
  { catalogue, clock, model: { model, current } }: SelectNowDeps,
  learnerId: string,
  state: LearnerState,
  request: NextRequest,
): NextAnswer {
  const { weights, version: modelVersion } = current();
  const { sessionType, skillIds, exclude, count, trackId } = request;
  const bank = bankOfLearner(learnerId, trackId ?? state.lastTrackId, catalogue.bank);
  const selection = selectForLearner({
    ...{ learnerId, state, bank, model, weights, sessionType, now: clock.now() },
    size: count,
    ...(exclude.size === 0 ? {} : { excludedItemIds: exclude }),
    ...(skillIds === null ? {} : { onlySkillIds: skillIds }),
    ...(request.sessionId === undefined ? {} : { sessionId: request.sessionId }),
  });
  const { revision, position, recordedAt: at } = state;
  const items = selection.items.map(shortened);
  return {
    ...{ learnerId, source: "personal", computed: "on_demand", trackId: bank.trackId, sessionType },
    ...{ policyVersion: bank.policyVersion, arm: bank.arm, model: model.name, modelVersion, revision, position, at },
    ...{ holdsUntil: selection.holdsUntil, stop: selection.stop, items: () => items },
    selection: {
      size: count,
      items: () => selection.items,
      cut: exclude.size > 0,
      skillIds,
      sessionId: request.sessionId,
    },
  };
}

/** To the digits that an answer says. */
export function shortened(item: SelectedItem): SelectedItem {
  const short = (value: number): number => Math.round(value * 10_000) / 10_000;
  const reason = "mastery" in item.reason ? { ...item.reason, mastery: short(item.reason.mastery) } : item.reason;
  const propensity = Number(item.propensity.toPrecision(4));
  return { ...item, p: short(item.p), score: short(item.score), propensity, reason };
}
