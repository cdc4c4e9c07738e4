import type { SessionType } from "../../domain/events.ts";
import { findModel } from "../../domain/learner-model/models.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ReadModels } from "../../ports/read-models.ts";
import { readNext } from "../../projections/rows.ts";
import type { LiveViewReader } from "../live-view.ts";
import { lastServed, type Served } from "./compare-served.ts";
import { type Explained, explainNext, NothingToExplain } from "./explain.ts";
import type { Past, PastDeps } from "./past.ts";
import { type At, createTimeTravel, type TimeTravel } from "./time-travel.ts";

export interface ExplanationRequest {
  readonly learnerId: string;
  /** A time or a position; null: now. */
  readonly at: string | null;
  /** A list that was recorded as served; null: the one of that time. */
  readonly selectionId: string | null;
  readonly track?: string | undefined;
  readonly session?: SessionType | undefined;
  /** Items explained. */
  readonly count: number;
}

export interface ExplainerDeps extends PastDeps {
  readonly clock: Clock;
  /** The rows that queries read now; null where they are in another process. */
  readonly live: { readonly readModels: ReadModels; readonly liveView: LiveViewReader } | null;
}

/** The list that stands ready now, beside the one made again from the log; null where that is not there to be read. */
export type BesideLive = "the same" | "differs" | "another revision" | null;

export type Explanation = Explained & { readonly liveRow: BesideLive; readonly at: At };

export interface Explainer {
  /** Rejects with NothingToExplain, NoSuchPlace, PastBusy. */
  explain(request: ExplanationRequest): Promise<Explanation>;
}

export function createExplainer(deps: ExplainerDeps): Explainer {
  const travels = new Map<string, TimeTravel>();

  /** A list that another model made is made again with that one. */
  function travelWith(name: string): TimeTravel {
    const model = findModel(name);
    if (model === null)
      throw new NothingToExplain(`it was made by the model ${name}, which this version does not have`);
    const known = travels.get(name) ?? createTimeTravel({ ...deps, model });
    travels.set(name, known);
    return known;
  }

  async function beside(explained: Explained): Promise<BesideLive> {
    const view = (await deps.live?.liveView.current()) ?? null;
    if (deps.live === null || view === null || explained.list.computed !== "precomputed") return null;
    const { learnerId, list, items } = explained;
    const row = await readNext(deps.live.readModels, view, learnerId, list.sessionType);
    if (row === null || row.revision !== list.revision) return "another revision";
    const words = (all: readonly { itemId: string; p: number; propensity: number; reason: { code: string } }[]) =>
      all.slice(0, items.length).map((one) => `${one.itemId} ${one.reason.code} ${one.p.toFixed(4)}`);
    return words(row.items).join() === words(items).join() ? "the same" : "differs";
  }

  async function explainServed(served: Served, request: ExplanationRequest): Promise<Explained & { at: At }> {
    const { list, servedAt } = served;
    const at = list.computed === "precomputed" ? String(list.position) : new Date(servedAt).toISOString();
    return travelWith(list.model).ask(at, (past) => explainNext(past, deps.listSize, { ...request, served }));
  }

  /** The newest list that was recorded as given at that time, or after it from what was known then. */
  function servedThen(request: ExplanationRequest, past: Past, revision: number): Promise<Served | null> {
    const { learnerId, track, session } = request;
    return lastServed(deps.store, learnerId, ({ list, servedAt, position }) => {
      const then = request.at === null || position <= past.place.position || servedAt <= past.place.time;
      const asked = (session ?? list.sessionType) === list.sessionType && (track ?? list.trackId) === list.trackId;
      return then && asked && list.source === "personal" && list.revision === revision;
    });
  }

  async function explain(request: ExplanationRequest): Promise<Explained & { at: At }> {
    const { learnerId, selectionId } = request;
    if (selectionId !== null) {
      const served = await lastServed(deps.store, learnerId, ({ list }) => list.selectionId === selectionId);
      if (served === null) {
        throw new NothingToExplain(`no list ${selectionId} was recorded for the learner ${learnerId}`);
      }
      if (served.list.source === "personal") return explainServed(served, request);
      throw new NothingToExplain(`${selectionId} was no list of the learner's own: it was ${served.list.source}`);
    }
    const travel = travelWith(deps.model.name);
    const found = await travel.ask(request.at, async (past) => {
      const explained = await explainNext(past, deps.listSize, { ...request, served: null });
      return { explained, served: await servedThen(request, past, explained.list.revision) };
    });
    return found.served === null ? { ...found.explained, at: found.at } : explainServed(found.served, request);
  }

  return {
    async explain(request) {
      const explained = await explain(request);
      return { ...explained, liveRow: await beside(explained) };
    },
  };
}
