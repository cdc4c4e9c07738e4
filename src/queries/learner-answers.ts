import type { Freshness } from "../domain/freshness-token.ts";
import { type LearnerState, newLearnerState } from "../domain/learner/learner-state.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { Clock } from "../ports/clock.ts";
import type { ModelReader } from "../ports/model-reader.ts";
import { ReadModelsUnavailable } from "../ports/read-models.ts";
import { decodeLearnerState } from "../projections/learner-scores.ts";
import { stateField } from "../projections/rows.ts";
import type { LiveViewReader } from "./live-view.ts";
import { finish, type Json, type Rendered, rendered } from "./rendered.ts";
import { reviewsHoldUntil, reviewsOf } from "./reviews.ts";
import type { RowCache } from "./row-cache.ts";
import type { KeptField } from "./row-memory.ts";
import { scoresOf } from "./scores.ts";
import { waitUntil } from "./wait-until.ts";

export interface LearnerAnswersDeps {
  readonly rows: RowCache;
  readonly liveView: LiveViewReader;
  readonly catalogue: CatalogueReader;
  readonly model: ModelReader;
  readonly clock: Clock;
  /** Longest wait for a freshness token. */
  readonly freshnessWaitMs: number;
}

/** What is asked of one learner's state, as JSON: made once for each change of it, and kept with the row. */
export interface LearnerAnswers {
  /** Rejects with ReadModelsUnavailable where the row cannot be read and was not in memory either. */
  scores(learnerId: string, after: Freshness | null): Promise<Json>;
  reviews(learnerId: string, days: number, after: Freshness | null): Promise<Json>;
}

/** One of the questions. */
interface Question {
  /** What its answers are kept under. */
  readonly name: string;
  facts(state: LearnerState, now: number): object;
  /** Milliseconds since 1970 until which time alone does not change them; null for always. */
  holdsUntil(state: LearnerState, now: number): number | null;
}

export function createLearnerAnswers(deps: LearnerAnswersDeps): LearnerAnswers {
  const { rows, liveView, catalogue, clock, model } = deps;

  function answer(learnerId: string, field: KeptField | null, question: Question, stale = false): Rendered {
    const name = stale ? `stale ${question.name}` : question.name;
    const stamp = `${catalogue.version}.${model.current().version}`;
    const now = clock.now();
    const kept = field?.made(name, stamp);
    if (kept !== undefined && (kept.holdsUntil === null || now < kept.holdsUntil)) return kept;
    const bytes = field?.bytes ?? null;
    const state = (bytes === null ? null : decodeLearnerState(bytes, model.model)) ?? newLearnerState(model.model);
    const { revision, position, recordedAt } = state;
    const facts = { revision, at: revision === 0 ? null : recordedAt, holdsUntil: question.holdsUntil(state, now) };
    const head = JSON.stringify({ learnerId, revision, position, ...(stale ? { stale } : {}) });
    const rest = JSON.stringify(question.facts(state, now));
    const made = rendered({ ...facts, passing: stale }, `${head.slice(0, -1)},"ageMs":`, `,${rest.slice(1, -1)}`);
    return field === null ? made : field.make(name, stamp, made);
  }

  async function once(learnerId: string, question: Question, get: RowCache["get"], least = 0): Promise<Rendered> {
    try {
      const view = await liveView.current();
      const field = view === null ? null : await get(view.namespace, learnerId, stateField, least);
      return answer(learnerId, field, question);
    } catch (error) {
      const last = error instanceof ReadModelsUnavailable ? rows.last(learnerId, stateField) : undefined;
      if (last === undefined) throw error;
      return answer(learnerId, last, question, true);
    }
  }

  async function ask(learnerId: string, question: Question, after: Freshness | null): Promise<Json> {
    if (after === null) return finish(await once(learnerId, question, rows.get), clock.now(), null);
    const isFresh = ({ revision }: Rendered): boolean => revision >= after.revision;
    // What is in memory will do if it is new enough; from then on it is asked what stands in the read models.
    let get: RowCache["get"] = rows.get;
    const look = (): Promise<Rendered> => {
      const found = once(learnerId, question, get, after.revision);
      get = rows.read;
      return found;
    };
    const found = await waitUntil(look, isFresh, deps.freshnessWaitMs, (wake) => rows.onWrite(learnerId, wake));
    return finish(found, clock.now(), isFresh(found));
  }

  const scores: Question = {
    name: "scores",
    facts: (state) => scoresOf({ catalogue, model }, state),
    holdsUntil: () => null,
  };
  const reviews = (days: number): Question => ({
    name: `reviews ${days}`,
    facts: (state, now) => reviewsOf(catalogue, state, now, days),
    holdsUntil: reviewsHoldUntil,
  });
  return {
    scores: (learnerId, after) => ask(learnerId, scores, after),
    reviews: (learnerId, days, after) => ask(learnerId, reviews(days), after),
  };
}
