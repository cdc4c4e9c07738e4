import { decodeEvent } from "../domain/decode-event.ts";
import { evolveLearner, type LearnerState, newLearnerState, type Transition } from "../domain/learner/learner-state.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { type StoredEvent, UnreadableEvent } from "../domain/stored-event.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Context } from "./context.ts";

const pageSize = 1000;

/** Folds one stored event of a learner's stream, in place. Throws on what cannot be read or folded: the stream is parked. */
export function foldInteraction(
  state: LearnerState,
  stored: StoredEvent,
  model: LearnerModel,
  weights: unknown,
  context: Context,
): Transition {
  const event = decodeEvent(stored);
  if (event.type !== "InteractionRecorded") throw new UnreadableEvent(stored, "not an event of a learner");
  const policy = context.policyAt(event.data.trackId, event.position);
  return evolveLearner(state, event, { model, weights, policy });
}

export interface FoldFailure {
  readonly event: StoredEvent;
  readonly error: unknown;
}

export interface StreamFold {
  readonly stream: string;
  /** Folded on, in place; of no use after a failure. */
  readonly state: LearnerState;
  /** Stop after this revision, and before the first event past this position. */
  readonly toRevision: number;
  readonly toPosition: number;
  onTransition?(transition: Transition, event: StoredEvent): void;
}

export interface LearnerFoldDeps {
  readonly store: Pick<EventStore, "readStream">;
  readonly model: LearnerModel;
  readonly context: Context;
}

/** Folds a learner's stream from where the state stands, each event with the weights of its time. */
export async function foldStream(deps: LearnerFoldDeps, fold: StreamFold): Promise<FoldFailure | null> {
  const { store, model, context } = deps;
  const { stream, state, toRevision, toPosition } = fold;
  for (let from = state.revision + 1; from <= toRevision; ) {
    const events = await store.readStream(stream, { from, limit: pageSize });
    for (const event of events) {
      if (event.revision > toRevision || event.position > toPosition) return null;
      const { weights } = await context.weightsAt(event.position);
      let transition: Transition;
      try {
        transition = foldInteraction(state, event, model, weights, context);
      } catch (error) {
        return { event, error };
      }
      fold.onTransition?.(transition, event);
    }
    if (events.length < pageSize) return null;
    from += events.length;
  }
  return null;
}

/** The state up to a revision, from the first event on. Throws where that cannot be folded: the caller has seen it fold. */
export async function foldFromStart(deps: LearnerFoldDeps, stream: string, toRevision: number): Promise<LearnerState> {
  const state = newLearnerState(deps.model);
  const failure = await foldStream(deps, { stream, state, toRevision, toPosition: Number.POSITIVE_INFINITY });
  if (failure !== null) throw failure.error;
  return state;
}
