import type { ItemsServed, SessionType } from "../../domain/events.ts";
import { rulesOf } from "../../domain/item-selection/rules.ts";
import { scopeOf } from "../../domain/item-selection/scope.ts";
import { selectItems } from "../../domain/item-selection/select.ts";
import type { Considered, Draw, ItemBank, SelectionInput } from "../../domain/item-selection/selection.ts";
import { abilityOf, type LearnerState, lastItemIds, newLearnerState } from "../../domain/learner/learner-state.ts";
import { bankOfLearner, selectionInput } from "../../domain/learner/select-for-learner.ts";
import { learnerStream } from "../../domain/streams.ts";
import { foldFromStart, foldStream } from "../../projections/learner-fold.ts";
import { decodeNext, learnerKey, nextField } from "../../projections/rows.ts";
import { comparedWith, type Served } from "./compare-served.ts";
import type { Past } from "./past.ts";

export interface ExplainRequest {
  readonly learnerId: string;
  /** undefined: the track that the learner is in. */
  readonly track?: string | undefined;
  /** undefined: the session that the learner is in. */
  readonly session?: SessionType | undefined;
  readonly count: number;
  /** A list that was served, to be explained as it was. */
  readonly served: Served | null;
}

/** Nothing of what was asked about is known: the message says what. */
export class NothingToExplain extends Error {
  override readonly name = "NothingToExplain";
}

export type Explained = Awaited<ReturnType<typeof explainNext>>;

/**
 * Why a list is as it is: made again by the code that makes it, which tells what it looks at, with all that went in. Rejects
 * with {@link NothingToExplain}.
 */
export async function explainNext(past: Past, listSize: number, request: ExplainRequest) {
  const { learnerId, served } = request;
  const state = await stateAt(past, learnerId, served?.list ?? null);
  if (state.revision === 0) throw new NothingToExplain(`nothing is known of a learner ${learnerId} there`);
  const asked = await askedFor(past, state, listSize, request);
  const { bank, weights, computed, now, size } = asked;
  const considered: Considered[] = [];
  const draws: Draw[] = [];
  const { model } = past.model;
  const input: SelectionInput = {
    ...selectionInput({
      ...{ learnerId, state, bank, model, weights: weights.weights, now, size, sessionType: asked.sessionType },
      ...(served?.list.skillIds === undefined ? {} : { onlySkillIds: served.list.skillIds }),
      ...(served?.list.sessionId === undefined ? {} : { sessionId: served.list.sessionId }),
      onDraw: (draw) => void draws.push(draw),
    }),
    onConsidered: (one) => void considered.push(one),
  };
  const selection = selectItems(input);
  const shown = selection.items.slice(0, served === null ? request.count : undefined);
  const list = {
    ...{ computed, sessionType: asked.sessionType, trackId: bank.trackId, policyVersion: bank.policyVersion },
    ...{ arm: bank.arm, model: model.name, modelVersion: weights.version },
    ...{ revision: state.revision, position: state.position, madeAt: new Date(now).toISOString(), size },
    ...{ seed: input.seed, holdsUntil: isoOrNull(selection.holdsUntil), stop: selection.stop },
  };
  return {
    learnerId,
    list,
    reproduced: comparedWith(served, { ...list, items: selection.items }),
    items: shown.map((item) => ({
      ...{ ...item, title: past.catalogue.catalogue.items.get(item.itemId)?.title ?? null },
      prediction: model.explain(weights.weights, state.local, questionOf(bank, item.itemId, now)),
    })),
    draws: draws.map((draw) => ({ ...draw, places: draw.places.map((place) => place + 1) })),
    considered: considered.map(({ skillId, target, candidates }) => ({
      ...{ skillId, target },
      candidates: candidates.map(({ item, p, closeness, refused, rules }) => {
        return { itemId: item.itemId, p, closeness, refused, rules: rulesOf(rules) };
      }),
    })),
    learner: learnerOf(past, state, weights.weights, input),
    policy: bank.policy,
  };
}

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

const questionOf = (bank: ItemBank, itemId: string, at: number) => ({
  ...(bank.items.get(itemId) ?? { itemId, skillIds: [] }),
  at,
});

async function stateAt(past: Past, learnerId: string, list: ItemsServed | null): Promise<LearnerState> {
  const deps = { store: past.store, model: past.model.model, context: past.context };
  const stream = learnerStream(learnerId);
  const state = newLearnerState(deps.model);
  const toRevision = list?.revision ?? Number.POSITIVE_INFINITY;
  const failure = await foldStream(deps, { stream, state, toRevision, toPosition: past.place.position });
  return failure === null ? state : foldFromStart(deps, stream, failure.event.revision - 1);
}

/** As a live query would decide: the list kept ready, where it serves the question and still holds; else one made for it. */
async function askedFor(past: Past, state: LearnerState, listSize: number, request: ExplainRequest) {
  const { learnerId, served, track, count } = request;
  const sessionType = served?.list.sessionType ?? request.session ?? state.lastSessionType;
  const trackId = served === null ? (track ?? state.lastTrackId) : served.list.trackId;
  const ready = {
    bank: bankOfLearner(learnerId, state.lastTrackId, await past.context.banksAt(state.position)),
    weights: await past.context.weightsAt(state.position),
  };
  const kept = sessionType === "practice" || sessionType === state.lastSessionType;
  const serves = kept && (track === undefined || track === ready.bank.trackId);
  const precomputed =
    served === null
      ? serves && (await keptHolds(past, learnerId, sessionType))
      : served.list.computed === "precomputed";
  if (precomputed) {
    const size = served?.list.size ?? listSize;
    return { ...ready, sessionType, computed: "precomputed" as const, now: state.recordedAt, size };
  }
  const bank = bankOfLearner(learnerId, trackId, past.catalogue.bank);
  const now = served?.servedAt ?? past.place.time;
  const made = { bank, weights: past.model.current(), computed: "on_demand" as const };
  return { ...made, sessionType, now, size: served?.list.size ?? count };
}

async function keptHolds(past: Past, learnerId: string, sessionType: SessionType): Promise<boolean> {
  const bytes = await past.readModels.get(learnerKey("past", learnerId), nextField(sessionType));
  if (bytes === null) return false;
  const { holdsUntil } = decodeNext(bytes);
  return holdsUntil === null || holdsUntil > past.place.time;
}

/** What is known of the learner, as far as the choice looks at it. */
function learnerOf(past: Past, state: LearnerState, weights: unknown, input: SelectionInput) {
  const scope = scopeOf(input);
  const { skills } = past.catalogue.catalogue;
  return {
    ability: abilityOf(past.model.model, weights, state.local),
    ...{ interactions: state.interactions, answers: state.answers, correct: state.correct, streak: state.streak },
    lastItems: lastItemIds(state, input.policy.doNotRepeat),
    session: input.session ?? null,
    due: input.due.map((card) => ({ ...card, dueAt: new Date(card.dueAt).toISOString() })),
    nextDueAt: isoOrNull(input.nextDueAt),
    skills: scope.skills.map((skill) => {
      const { skillId, prerequisites } = skill;
      const { p: mastery, sd, n: answers } = input.mastery(skillId);
      const title = skills.get(skillId)?.title ?? skillId;
      const unproven = scope.unproven(skill);
      return { skillId, title, status: scope.status(skill), mastery, sd, answers, unproven, prerequisites };
    }),
  };
}
