import { currentSchemaVersion, type EventOf, type InteractionRecorded, type SessionType } from "../../domain/events.ts";
import type { BankItem, ItemBank } from "../../domain/item-selection/selection.ts";
import { evolveLearner, type LearnerState } from "../../domain/learner/learner-state.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import type { SimulatedAct } from "../../domain/simulated-learners/learner.ts";
import { trackId } from "./course-bank.ts";
import type { OnlineTrainer } from "./online-trainer.ts";

/** What production makes of an interaction. */
export interface Production {
  readonly bank: ItemBank;
  readonly model: LearnerModel;
  readonly trainer: OnlineTrainer;
}

export interface LearnersAct {
  readonly learnerId: string;
  readonly state: LearnerState;
  readonly item: BankItem;
  readonly act: SimulatedAct;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly sessionType: SessionType;
}

/** An act becomes an event; the learner's state and the trainer take it as they do in production. */
export function foldAct({ bank, model, trainer }: Production, act: LearnersAct): void {
  const { learnerId, state, item } = act;
  const occurredAt = new Date(act.at).toISOString();
  const revision = state.revision + 1;
  const data: InteractionRecorded = {
    ...{ interactionId: `i${revision}`, learnerId, itemId: item.itemId, skillIds: [...item.skillIds] },
    ...(item.difficulty === undefined ? {} : { difficulty: item.difficulty }),
    ...act.act,
    ...{ sessionType: act.sessionType, trackId, occurredAt },
  };
  const event: EventOf<"InteractionRecorded"> = {
    ...{ type: "InteractionRecorded", eventId: `e${revision}`, stream: `learner-${learnerId}`, data },
    ...{ revision, position: revision, recordedAt: occurredAt, metadata: { schemaVersion: currentSchemaVersion } },
  };
  evolveLearner(state, event, { model, weights: trainer.weights(), policy: bank.policy });
  trainer.learn(data);
}
