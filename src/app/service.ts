import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { createApiKey, revokeApiKeysNamed } from "../commands/api-keys.ts";
import { registerScalingMetrics } from "../http/scaling-metrics.ts";
import { scopes } from "../ports/api-keys.ts";
import type { CatalogueFollower } from "../workers/catalogue-follower.ts";
import { type Breakers, createBreakers } from "./breakers.ts";
import type { ClusterLink } from "./cluster/worker.ts";
import { type Engines, openEngines } from "./compose.ts";
import { type OpenReadModels, openReadModels } from "./compose-rows.ts";
import { openStream } from "./compose-stream.ts";
import type { Config } from "./config.ts";
import { catalogueHere, projectorElsewhere, projectorHere, relayHere, trainerHere } from "./followers.ts";
import { startFreshness } from "./freshness.ts";
import { jobsOf } from "./jobs.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Traces } from "./observability/traces.ts";
import { createWatching, type Watching } from "./observability/watching.ts";
import { openConsole } from "./open-console.ts";
import { operationsOf, rowsOfDeployment, takeRequests } from "./operating.ts";
import { reportPresence } from "./presence.ts";
import { catchUp, startProjecting } from "./projecting.ts";
import { openReplayQueue, registerReplayMetrics, replayJobs, replaysOf } from "./replays/compose-replays.ts";
import { replayDeps } from "./replays/replay-deps.ts";
import { replayKinds } from "./replays/replay-kinds.ts";
import { answersQueries, type Duties, dutiesOf } from "./roles.ts";
import { watchScaling } from "./scaling.ts";
import { startHttp } from "./start-http.ts";
import { startJobs } from "./start-jobs.ts";
import { type AnyProjector, startCatalogue, startModel, startRelay, startTrainer } from "./start-parts.ts";
import { createPatience, type Patience } from "./wait-for-engine.ts";
import { watchDeployment } from "./watch-deployment.ts";

/** One process in its role, caught up with the log and listening. */
export interface Service {
  readonly role: Config["role"];
  /** http://host:port, as reached from this machine. */
  readonly url: string;
  readonly runsOn: { readonly log: string; readonly readModels: string | null };
  readonly events: number;
  /** Null in a process that answers no queries. */
  readonly knows: Knowledge | null;
  /** With every scope, made by this start. Null in a process that is one of many. */
  readonly key: string | null;
}

export interface Knowledge {
  readonly catalogue: CatalogueFollower["catalogue"];
  readonly model: { readonly name: string; readonly version: number };
}

/** What the parts of a process are started with. */
interface Starting {
  readonly config: Config;
  readonly duties: Duties;
  readonly life: Lifecycle;
  readonly log: Logger;
  readonly patience: Patience;
  readonly breakers: Breakers;
  readonly watching: Watching;
}

/**
 * Starts what the role asks for, each part with its undo in `life`, so that the first to stop is HTTP and the last are
 * the engines. It listens before it has caught up, so that a port that is taken is told at once; `/readyz` says when it
 * has, and so does this promise. Engines that do not answer yet are waited for. Rejects with EngineUnavailable,
 * CannotListen, or Stopped.
 */
export async function startService(
  config: Config,
  life: Lifecycle,
  log: Logger,
  { link = null, traces }: { readonly link?: ClusterLink | null; readonly traces?: Traces | undefined } = {},
): Promise<Service> {
  const duties = dutiesOf(config);
  traces?.reportTo(log);
  if (traces !== undefined)
    await life.acquire(
      "traces",
      () => traces.tracing,
      ({ close }) => close(),
    );
  const patienceNow = () => createPatience({ forMs: config.startTimeoutSeconds * 1000, life, log });
  const patience = patienceNow();
  const watching = createWatching(config, traces);
  const breakers = createBreakers(config.breakerOpenMs, watching.engines, log);
  const { tracing, engines: metrics } = watching;
  const engines = await openEngines(config, life, { patience, log, metrics, breakers, tracing });
  const { feed } = engines;
  const events = await patience.untilOpen("the event log", () => feed.head());
  log.info({ engine: engines.runsOn, role: config.role, events }, "event log open");
  const starting = { config, duties, life, log, patience, breakers, watching };
  const rows = await openRows(starting, engines);
  const parts = await startParts(starting, engines, rows);

  const operating = { config, engines, rows, projector: parts.projector, life, log };
  const rowsAnywhere = rowsOfDeployment(operating);
  const watched = watchDeployment({ config, engines, rows, rowsAnywhere, ...parts, life, log });
  const scaling = await watchScaling(config, engines, watched, life);
  let own: Registry | null = null;
  const register = (registry: Registry): void => {
    own = registry;
    watching.register(registry);
    // One kind of process tells: others that watched for another time would tell otherwise.
    if (answersQueries(duties)) registerScalingMetrics(registry, scaling);
    link?.register(registry);
    parts.freshness?.register(registry);
    if (parts.jobs !== null) registerReplayMetrics(registry, engines.replays);
  };
  const given = {
    siblings: link ?? undefined,
    tracing,
    ...{ feed, apiKeys: engines.apiKeys, engineMetrics: { register } },
    operations: operationsOf(operating, rowsAnywhere),
    parkedHere: parts.projector === null ? null : parkedIn(parts.projector),
    followers: followersOf(config, parts, rows),
    ...{ watched, scaling },
    presence: engines.presence,
    engines: parts.jobs === null ? [] : [{ name: "the jobs' queue", answers: parts.jobs.counts }],
  };
  const answers = answersOf(starting, engines, rows, parts);
  const url = await startHttp(
    config,
    given,
    answers === null ? null : { ...answers, console: await openConsole(config, life) },
    life,
    log,
  );
  log.info({ url, role: config.role }, "listening");
  const { presence, postgres } = engines;
  const { role } = config;
  await reportPresence({ role, presence, postgres, projector: parts.projector, registry: () => own, log }, life);
  await takeRequests(operating);
  if (parts.projector !== null && rows !== null) {
    await catchUp(config, parts.projector, rows, feed, { life, log, patienceNow });
  }
  // Catching up comes first: the trainer would take its time from it.
  await parts.trainer?.train();
  const afterwards = patienceNow();
  return {
    ...{ role: config.role, url, events: await afterwards.untilOpen("the event log", () => feed.head()) },
    runsOn: { log: engines.runsOn, readModels: rows?.runsOn ?? null },
    knows: knowledge(parts),
    key:
      config.role === "all" ? await afterwards.untilOpen("the API keys", () => startKey(config, engines, url)) : null,
  };
}

const parkedIn = (projector: AnyProjector) => (): number => projector.parked().length;

/** Null for a role that has nothing to do with rows. */
async function openRows(starting: Starting, { feed }: Engines): Promise<OpenReadModels | null> {
  const { config, duties, life, log, patience, breakers, watching } = starting;
  if (!answersQueries(duties) && !duties.projects && !duties.runsJobs) return null;
  return watching.rows(await openReadModels(config, life, feed, log, patience, breakers));
}

type Parts = Awaited<ReturnType<typeof startParts>>;

/** In the order in which one needs another; each is null where it is not this process's. */
async function startParts(starting: Starting, engines: Engines, rows: OpenReadModels | null) {
  const { config, duties, life, log, patience, breakers, watching } = starting;
  const trainer = duties.trains ? await startTrainer(config, life, log) : null;
  const answering = answersQueries(duties)
    ? { catalogue: await startCatalogue(engines, life, log), model: await startModel(config, engines, life, log) }
    : null;
  const streams = config.kafkaBrokers.length > 0 && (duties.relays || duties.projects);
  const stream = streams ? watching.stream(await openStream(config, life, log, patience, breakers)) : null;
  const relay = duties.relays && stream !== null ? await startRelay(engines, stream, life, log) : null;
  const freshness = duties.projects
    ? await life.acquire(
        "freshness",
        () => startFreshness(config, engines.blobs, log),
        (opened) => opened.stop(),
      )
    : null;
  const onVisible = freshness?.onVisible;
  const projector =
    duties.projects && rows !== null
      ? await startProjecting(config, { ...engines, batches: watching.batches, onVisible }, rows, stream, starting)
      : null;
  const replayQueue =
    duties.runsJobs || answering !== null
      ? await openReplayQueue(config, duties.runsJobs, life, log, patience, breakers)
      : null;
  const replaying = replayQueue === null ? [] : replayJobs(config, engines.replays, replayQueue.announce, log);
  const all = [...jobsOf(config, engines, rows, log), ...replaying].map(watching.job);
  const jobs = duties.runsJobs ? await startJobs(config, all, life, log, patience, breakers) : null;
  return { trainer, answering, relay, freshness, projector, replayQueue, jobs };
}

function followersOf(config: Config, parts: Parts, rows: OpenReadModels | null) {
  const { projector, answering, relay, trainer } = parts;
  const { partitions } = config;
  // Who answers is not ready while anybody's partition is stale; who only projects looks at its own.
  const others = answering !== null && rows !== null && (projector === null || config.kafkaBrokers.length > 0);
  return [
    ...(others ? projectorElsewhere(rows.readModels, partitions) : []),
    ...(projector !== null && !others ? projectorHere(projector, partitions) : []),
    ...(answering !== null ? [catalogueHere(answering.catalogue)] : []),
    ...(relay !== null ? [relayHere(relay)] : []),
    ...(trainer !== null ? [trainerHere(trainer)] : []),
  ];
}

function answersOf(starting: Starting, engines: Engines, rows: OpenReadModels | null, parts: Parts) {
  const { config, life, log, watching } = starting;
  const { answering, replayQueue } = parts;
  if (answering === null || rows === null) return null;
  const { analysts, blobs } = engines;
  const eventStore = watching.appends(engines);
  const kinds = replayKinds(replayDeps(config, engines, life, log));
  const replays = replaysOf(config, engines, kinds, replayQueue?.announce ?? null, log);
  return { eventStore, analysts, blobs, readModels: rows.readModels, replays, ...answering };
}

function knowledge({ answering }: Parts): Knowledge | null {
  if (answering === null) return null;
  const { catalogue, model } = answering;
  return { catalogue: catalogue.catalogue, model: { name: model.model.name, version: model.current().version } };
}

/** Several processes may share one store of keys: a start replaces the key of its own last start only. */
async function startKey(config: Config, { apiKeys }: Engines, url: string): Promise<string> {
  const deps = { apiKeys, clock: { now: Date.now } };
  const name = config.databaseUrl === undefined ? "start" : `start ${url}`;
  await revokeApiKeysNamed(deps, name);
  return (await createApiKey(deps, { name, scopes })).key;
}
