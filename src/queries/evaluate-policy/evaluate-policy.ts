import { decodeEvent } from "../../domain/decode-event.ts";
import type { EventOf, PolicyOverrides } from "../../domain/events.ts";
import { type LearnerState, newLearnerState } from "../../domain/learner/learner-state.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { seededRandom } from "../../domain/random.ts";
import type { StoredEvent } from "../../domain/stored-event.ts";
import { learnerStream } from "../../domain/streams.ts";
import type { Blobs } from "../../ports/blobs.ts";
import type { EventStore } from "../../ports/event-store.ts";
import type { Feed } from "../../ports/feed.ts";
import type { Log } from "../../ports/log.ts";
import { type Context, createContext } from "../../projections/context.ts";
import { foldInteraction } from "../../projections/learner-fold.ts";
import { createTurns } from "../../projections/turns.ts";
import { ReplayRefused } from "../replays/replay-kind.ts";
import { type Decision, estimatesOf, evidenceOf } from "./estimators.ts";
import { type JudgedList, judge } from "./judge.ts";
import { createPastBanks, type PastBanks } from "./past-banks.ts";
import type { PolicyEvaluation } from "./policy-evaluation.ts";
import { type RewardName, rewards } from "./rewards.ts";
import { type ServedList, servedInLog } from "./served-in-log.ts";
import { warningsOf } from "./warnings.ts";

export interface EvaluatePolicyDeps {
  readonly feed: Feed;
  readonly store: Pick<EventStore, "readStream">;
  readonly blobs: Blobs;
  readonly model: LearnerModel;
  readonly log: Log;
}

export interface PolicyQuestion {
  readonly trackId: string;
  /** What the other policy has otherwise than the track's at the time of each list. */
  readonly policy: PolicyOverrides;
  /** Of the log: lists given out after `from` up to `to`. */
  readonly from: number;
  readonly to: number;
  readonly reward: RewardName;
  /** Of the bootstrap. */
  readonly seed?: string;
  readonly resamples?: number;
  readonly signal?: AbortSignal;
  /** Events read so far. */
  onProgress?(events: number): void;
}

/** Learners folded side by side: their events are held in memory. */
const learnersAtOnce = 200;
const pageSize = 1_000;

/**
 * What another policy would have brought, from lists that were given out with known propensities, and the answers that name
 * them. Each list is selected again, by both policies, from the learner, catalogue and weights of its time: learners' streams
 * are folded from their first event, some learners at a time in log order. Throws {@link ReplayRefused} for a track that is not there.
 */
export async function evaluatePolicy(deps: EvaluatePolicyDeps, question: PolicyQuestion): Promise<PolicyEvaluation> {
  const { trackId, policy, from, to, reward } = question;
  const context = createContext(deps);
  await context.moveTo(to);
  if (!context.catalogue.tracks.has(trackId)) throw new ReplayRefused(`there is no track ${trackId}`);
  const run: Run = {
    deps,
    question,
    context,
    banks: await createPastBanks(deps.feed, context, trackId, to),
    ...tallies(),
  };
  const served = await servedInLog(deps.feed, question, (events) => spend(run, events));
  const learners = [...served.lists];
  for (let at = 0; at < learners.length; at += learnersAtOnce) {
    await foldLearners(run, new Map(learners.slice(at, at + learnersAtOnce)));
  }
  const random = seededRandom(question.seed ?? "evaluate policy");
  const { decisions, answered, reproduced } = run;
  const evaluation = {
    ...{ trackId, policy, from, to, reward },
    lists: { served: served.count, passedOver: served.passedOver, answered, reproduced },
    evidence: evidenceOf(decisions),
    unsupported:
      run.unsupported /
      Math.max(
        1,
        decisions.reduce((n, { length }) => n + length, 0),
      ),
    estimates: estimatesOf(decisions, random, question.resamples),
  };
  return { ...evaluation, warnings: warningsOf(evaluation) };
}

interface Run {
  readonly deps: EvaluatePolicyDeps;
  readonly question: PolicyQuestion;
  readonly context: Context;
  readonly banks: PastBanks;
  readonly turns: ReturnType<typeof createTurns>;
  /** Of each learner. */
  readonly decisions: Decision[][];
  answered: number;
  reproduced: number;
  unsupported: number;
  events: number;
}

const tallies = () => ({
  ...{ turns: createTurns(), decisions: [] as Decision[][] },
  ...{ answered: 0, reproduced: 0, unsupported: 0, events: 0 },
});

function spend(run: Run, events: number): void {
  run.question.signal?.throwIfAborted();
  run.events += events;
  run.question.onProgress?.(run.events);
}

interface Learner {
  readonly state: LearnerState;
  /** By the revision that they know. */
  readonly lists: ReadonlyMap<number, readonly ServedList[]>;
  /** By selectionId; what is answered is taken off. */
  readonly open: Map<string, { readonly judged: JudgedList; readonly left: Set<string>; counted: boolean }>;
  readonly decisions: Decision[];
}

async function foldLearners(run: Run, lists: ReadonlyMap<string, readonly ServedList[]>): Promise<void> {
  const { deps, question } = run;
  const events: StoredEvent[] = [];
  const learners = new Map<string, Learner>();
  for (const [learnerId, own] of lists) {
    const stream = learnerStream(learnerId);
    events.push(...(await readAll(deps.store, stream, question.to)));
    const byRevision = Map.groupBy(own, ({ revision }) => revision);
    learners.set(stream, { state: newLearnerState(deps.model), lists: byRevision, open: new Map(), decisions: [] });
  }
  spend(run, events.length);
  const named = new Set(events.map(({ data }) => (data as { selectionId?: unknown } | null)?.selectionId));
  events.sort((a, b) => a.position - b.position);
  for (const event of events) {
    const learner = learners.get(event.stream);
    if (learner === undefined) continue;
    settle(run, learner, event);
    const { weights } = await run.context.weightsAt(event.position);
    foldInteraction(learner.state, event, deps.model, weights, run.context);
    for (const list of learner.lists.get(event.revision) ?? []) {
      if (named.has(list.selectionId)) await openList(run, learner, list);
    }
    if (run.turns.due()) await run.turns.take();
  }
  for (const { decisions } of learners.values()) run.decisions.push(decisions);
}

async function readAll(store: EvaluatePolicyDeps["store"], stream: string, to: number): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (let from = 1; ; from += pageSize) {
    const page = await store.readStream(stream, { from, limit: pageSize });
    all.push(...page.filter(({ position }) => position <= to));
    if (page.length < pageSize || (page.at(-1)?.position ?? 0) > to) return all;
  }
}

async function openList(run: Run, learner: Learner, list: ServedList): Promise<void> {
  const { deps, question, context, banks } = run;
  const bank = await banks.at(list.asOf);
  if (bank === null) return;
  const { weights } = await context.weightsAt(list.asOf);
  const { policy, reward } = question;
  const how = { model: deps.model, weights, policy, reward: rewards[reward] };
  const judged = judge({ list, state: learner.state, bank, ...how });
  const left = new Set(list.items.map(({ itemId }) => itemId));
  learner.open.set(list.selectionId, { judged, left, counted: false });
}

/** An answer to an item of an open list is a decision; a second answer to it is not. */
function settle(run: Run, learner: Learner, stored: StoredEvent): void {
  const { data } = decodeEvent(stored) as EventOf<"InteractionRecorded">;
  const list = data.selectionId === undefined ? undefined : learner.open.get(data.selectionId);
  if (list === undefined || data.kind !== "answer" || !list.left.delete(data.itemId)) return;
  const place = list.judged.places.find((one) => one?.itemId === data.itemId);
  if (place === undefined || place === null) return;
  if (!list.counted) {
    run.answered += 1;
    run.reproduced += list.judged.reproduced ? 1 : 0;
    list.counted = true;
  }
  const { logged, other, expected, expectedOfOther, unsupported } = place;
  run.unsupported += unsupported;
  learner.decisions.push({ reward: place.reward(data.correct === true), logged, other, expected, expectedOfOther });
}
