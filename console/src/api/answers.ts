// The shapes of the answers are those of the API's own schemas: types only, so nothing of the server gets into the pages.

import type { SkillFields, TrackFields } from "../../../src/domain/events.ts";
import type { Scope } from "../../../src/ports/api-keys.ts";

export type { ConsoleSession } from "../../../src/http/console.ts";
export type { ProblemBody } from "../../../src/http/problem.ts";
export type { ExplanationAnswer } from "../../../src/http/routes/explain.ts";
export type { InteractionsAnswer } from "../../../src/http/routes/interactions.ts";
export type { LagReply as LagAnswer } from "../../../src/http/routes/lag.ts";
export type { HistoryAnswer, ScoresAnswer } from "../../../src/http/routes/learners.ts";
export type {
  InspectionAnswer,
  ParkedAnswer,
  RebuildAnswer,
  RetryAnswer,
} from "../../../src/http/routes/operations.ts";
export type { KeyAnswer, WorkersAnswer } from "../../../src/http/routes/processes.ts";
export type { ReplayAnswerBody } from "../../../src/http/routes/replays.ts";
export type { ScalingAnswer } from "../../../src/http/routes/scaling.ts";
export type { NextAnswer } from "../../../src/http/schemas.ts";
export type { Scope };

/** One page of the catalogue. */
export interface CataloguePage {
  readonly total: number;
  readonly nextCursor: string | null;
}
export type SkillsPage = CataloguePage & { readonly skills: readonly SkillFields[] };
export type TracksPage = CataloguePage & { readonly tracks: readonly TrackFields[] };
