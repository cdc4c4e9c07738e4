import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { createGroupCommit, type GroupCommit } from "../commands/group-commit.ts";
import { createServedRecorder, type ServedRecorder } from "../commands/record-served.ts";
import type { Scope } from "../ports/api-keys.ts";
import { oneAtATime } from "../projections/one-at-a-time.ts";
import type { Freshness } from "../queries/freshness.ts";
import { createHotRows, type HotRows } from "../queries/hot-rows.ts";
import type { ItemStatsDeps } from "../queries/item-stats.ts";
import { readStandings, type Standing } from "../queries/lag.ts";
import { createLagSampler, type LagReading } from "../queries/lag-sampler.ts";
import { createLearnerAnswers, type LearnerAnswers } from "../queries/learner-answers.ts";
import { createLiveViewReader, type LiveViewReader } from "../queries/live-view.ts";
import { createNextItems, type NextItems } from "../queries/next-items.ts";
import { createPopularAnswers, createPopularReader, type PopularAnswers } from "../queries/popular.ts";
import { createQueueWatch, type QueueReading } from "../queries/queue-lag.ts";
import { createRowCache, rowBytesDefault } from "../queries/row-cache.ts";
import { createExplainer, type Explainer } from "../queries/time-travel/explainer.ts";
import type { PastDeps } from "../queries/time-travel/past.ts";
import { createTimeTravel, type TimeTravel } from "../queries/time-travel/time-travel.ts";
import type { ProjectorOperations } from "../workers/projector-operations.ts";
import { type Authenticator, type Caller, createAuthenticator } from "./authentication.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { Problem } from "./problem.ts";
import { createRateLimiter, type RateLimiter } from "./rate-limit.ts";
import type { OperatorDeps, ServerDeps, ServerOptions, Watched } from "./server-deps.ts";
import { createShedding, type LoadOf, type Shedding } from "./shedding.ts";

/** A Fastify instance whose schemas are zod's. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module "fastify" {
  interface FastifyRequest {
    /** Set once the key was verified; null on routes open to all. */
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** Scopes of which the key needs one; a route without this is open to all. */
    scopes?: readonly Scope[];
    /** What its requests are for, where that does not follow from who may ask; see shedding.ts. */
    load?: LoadOf;
  }
}

/** A route's hooks of one kind with another added at the end. */
export function addRouteHook<H>(hooks: H | H[] | undefined, hook: H): H[] {
  if (hooks === undefined) return [hook];
  return Array.isArray(hooks) ? [...hooks, hook] : [hooks, hook];
}

/** For routes that check their input themselves; their schemas still describe it. */
export const acceptsAnything = () => (value: unknown) => ({ value });

export type ResolvedOptions = Required<Omit<ServerOptions, "groupCommit">> & Pick<ServerOptions, "groupCommit">;

/** Throws a problem where nothing leads from this process to the rows. */
export function operationsOf({ operations }: OperatorDeps): ProjectorOperations {
  if (operations !== null) return operations;
  throw new Problem("not_ready", { detail: "This process knows no rows: ask one that has REDIS_URL." });
}

/** What the routes of every server are given: the dependencies, and what is made of them once for each server. */
export interface OperatorServices {
  readonly deps: OperatorDeps;
  readonly options: ResolvedOptions;
  readonly authenticator: Authenticator;
  /** null: no limit. */
  readonly rateLimiter: RateLimiter | null;
  readonly metrics: Metrics;
  readonly shedding: Shedding;
  /** Of what this process stands or falls with. */
  standings(): Promise<Standing[]>;
  /** Of the whole deployment, as far as it can be known from here. */
  lag(): Promise<LagReading>;
  queues(): Promise<QueueReading>;
  /** null: nothing is known of it here. */
  freshness(): Promise<Freshness | null>;
}

/** What the routes of commands and queries are given besides. */
export interface Services extends OperatorServices {
  readonly deps: ServerDeps;
  readonly groupCommit: GroupCommit;
  readonly servedLists: ServedRecorder;
  readonly liveView: LiveViewReader;
  readonly popularAnswers: PopularAnswers;
  readonly nextItems: NextItems;
  readonly learnerAnswers: LearnerAnswers;
  readonly hotRows: HotRows;
  readonly itemStats: ItemStatsDeps;
  /** null where this process has not what it takes. */
  readonly timeTravel: TimeTravel | null;
  readonly explainer: Explainer | null;
  /** Aborted when the server begins to close: streams without an end of their own end then. */
  readonly closing: AbortSignal;
}

export function resolveOptions(options: ServerOptions = {}): ResolvedOptions {
  return {
    rateLimitPerMinute: 600_000,
    corsOrigins: [],
    bodyLimit: 1024 * 1024,
    ndjsonLineLimit: 64 * 1024,
    openMetrics: false,
    staleAfterSeconds: 60,
    freshnessWaitMs: 1_000,
    listSize: 30,
    shedDelayMs: 0,
    pastEventsMax: 200_000,
    servedShare: 0,
    rowBytesMax: rowBytesDefault,
    warmUpMs: 0,
    trustProxy: false,
    readOnly: false,
    ...options,
  };
}

const noAppends = { pending: () => 0, waitedMs: () => 0 };

export function createOperatorServices(
  deps: OperatorDeps,
  appends: () => Pick<GroupCommit, "pending" | "waitedMs"> = () => noAppends,
): OperatorServices {
  const options = resolveOptions(deps.options);
  const { clock, feed, followers } = deps;
  const watched: Watched = deps.watched ?? {
    lag: createLagSampler({ feed, clock, followers }),
    queues: createQueueWatch([], clock),
  };
  const standings = (): Promise<Standing[]> => readStandings({ feed, clock, followers });
  const [lag, queues] = [watched.lag.read, watched.queues.read];
  const freshness = oneAtATime(async () => (await watched.freshness?.()) ?? null);
  const metrics = createMetrics({
    ...{ lag, queues, freshness },
    parked: deps.parkedHere,
    pendingAppends: () => appends().pending(),
    appendsWaited: () => appends().waitedMs(),
  });
  deps.engineMetrics?.register(metrics.registry);
  const authenticator = createAuthenticator(deps.apiKeys, clock);
  const rateLimiter = options.rateLimitPerMinute === null ? null : createRateLimiter(options.rateLimitPerMinute);
  if (rateLimiter !== null) deps.siblings?.shareLimits(rateLimiter);
  const shedding = createShedding(options.shedDelayMs, metrics.registry, deps.log);
  return { deps, options, standings, lag, queues, freshness, metrics, shedding, authenticator, rateLimiter };
}

export function createServices(deps: ServerDeps, closing: AbortSignal): Services {
  const operator: OperatorServices = createOperatorServices(deps, () => groupCommit);
  const { options, metrics } = operator;
  const { readModels, catalogue, model, clock } = deps;
  const { freshnessWaitMs } = options;
  const groupCommit = createGroupCommit(deps.eventStore, {
    ...{ ...options.groupCommit, onCommit: metrics.observeCommit, onRefused: metrics.countRefused },
  });
  const liveView = createLiveViewReader(readModels, clock);
  const onLookUp = metrics.observeLookUp;
  const { rowBytesMax } = options;
  const onRefresh = metrics.countRefresh;
  const rows = createRowCache({ readModels, clock, rowBytesMax, onLookUp, refresh: true, onRefresh });
  const popular = createPopularReader({ readModels, liveView, clock, onLookUp }, true);
  const reading = { readModels, liveView, catalogue, model, clock, rows, freshnessWaitMs };
  const servedLists = createServedRecorder({
    ...{ eventStore: groupCommit, clock, log: deps.log, onOutcome: metrics.countServed },
  });
  const nextItems = createNextItems({
    ...reading,
    listSize: options.listSize,
    popular,
    served: options.servedShare === 0 ? undefined : { share: options.servedShare, offer: servedLists.offer },
    onAnswer: metrics.countAnswers,
  });
  closing.addEventListener("abort", () => {
    rows.close();
    popular.close();
  });
  metrics.watchRows(rows.held);
  const hotRows = createHotRows({ ...reading, popular, log: deps.log });
  if (options.warmUpMs > 0) closing.addEventListener("abort", hotRows.noteAgainAndAgain());
  const past = pastDeps(deps, options);
  return {
    ...operator,
    deps,
    groupCommit,
    servedLists,
    liveView,
    popularAnswers: createPopularAnswers(popular, deps),
    nextItems,
    learnerAnswers: createLearnerAnswers(reading),
    hotRows,
    timeTravel: past === null ? null : createTimeTravel({ ...past, clock }),
    explainer: past === null ? null : createExplainer({ ...past, clock, live: { readModels, liveView } }),
    closing,
    itemStats: reading,
  };
}

/** Where analysts read the log. */
export function analystReads({ analysts, eventStore, feed }: ServerDeps) {
  return analysts === undefined ? { store: eventStore, feed } : { store: analysts, feed: analysts };
}

function pastDeps(deps: ServerDeps, { listSize, pastEventsMax: eventsMax }: ResolvedOptions): PastDeps | null {
  const { blobs, model, log } = deps;
  return blobs === undefined ? null : { ...analystReads(deps), blobs, model: model.model, log, listSize, eventsMax };
}
