import type { Logger } from "pino";
import { createApiKey, revokeApiKeysNamed } from "../commands/api-keys.ts";
import { scopes } from "../ports/api-keys.ts";
import type { Feed } from "../ports/feed.ts";
import { storedPosition } from "../projections/live-view.ts";
import type { CatalogueFollower } from "../workers/catalogue-follower.ts";
import type { Projector } from "../workers/projector.ts";
import { type Engines, openEngines } from "./compose.ts";
import { type OpenReadModels, openReadModels } from "./compose-rows.ts";
import type { Config } from "./config.ts";
import { catalogueHere, projectorElsewhere, projectorHere, trainerHere } from "./followers.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { answersQueries, type Duties, dutiesOf } from "./roles.ts";
import { saveNowAndThen } from "./saving.ts";
import { startHttp } from "./start-http.ts";
import { startCatalogue, startModel, startProjector, startTrainer } from "./start-parts.ts";
import { createPatience, EngineUnavailable, type Patience } from "./wait-for-engine.ts";

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

/**
 * Starts what the role asks for, each part with its undo in `life`: log, read models, trainer, catalogue, model,
 * projector, HTTP; so the first to stop is HTTP, and rows are saved after their last write. It listens early, so that a
 * port that is taken is told at once; `/readyz` says when it has caught up, and so does this promise. Engines that do
 * not answer yet are waited for. Rejects with EngineUnavailable, CannotListen, or Stopped.
 */
export async function startService(config: Config, life: Lifecycle, log: Logger): Promise<Service> {
  const duties = dutiesOf(config);
  const patience = createPatience({ forMs: config.startTimeoutSeconds * 1000, life, log });
  const engines = await openEngines(config, life, patience);
  const { feed } = engines;
  log.info({ engine: engines.runsOn, role: config.role, events: await feed.head() }, "event log open");
  const rows = await openRows(duties, config, engines, { life, log, patience });
  const trainer = duties.trains ? await startTrainer(config, life, log) : null;
  const answering = rows !== null && answersQueries(duties) ? await startAnswering(config, engines, life, log) : null;
  const projector = rows !== null && duties.projects ? await project(config, engines, rows, life, log) : null;

  const followers = [
    ...(projector !== null ? projectorHere(projector) : []),
    ...(projector === null && rows !== null ? projectorElsewhere(rows.readModels, config.partitions) : []),
    ...(answering !== null ? [catalogueHere(answering.catalogue)] : []),
    ...(trainer !== null ? [trainerHere(trainer)] : []),
  ];
  const given = { feed, apiKeys: engines.apiKeys, followers, operations: projector?.operations ?? null };
  const serving =
    answering === null || rows === null
      ? null
      : { eventStore: engines.eventStore, readModels: rows.readModels, ...answering };
  const url = await startHttp(config, given, serving, life, log);

  log.info({ url, role: config.role, behind: await behind(feed, rows) }, "listening");
  if (projector !== null && rows !== null) await catchUp(config, projector, rows, feed, life, log);
  // Catching up comes first: the trainer would take its time from it.
  await trainer?.train();
  return {
    ...{ role: config.role, url, events: await feed.head() },
    runsOn: { log: engines.runsOn, readModels: rows?.runsOn ?? null },
    knows: answering === null ? null : knowledge(answering),
    key: config.role === "all" ? await startKey(config, engines, url) : null,
  };
}

interface Starting {
  readonly life: Lifecycle;
  readonly log: Logger;
  readonly patience: Patience;
}

async function openRows(
  duties: Duties,
  config: Config,
  { feed }: Engines,
  { life, log, patience }: Starting,
): Promise<OpenReadModels | null> {
  if (!answersQueries(duties) && !duties.projects && !duties.runsJobs) return null;
  return openReadModels(config, life, feed, log, patience);
}

async function startAnswering(config: Config, engines: Engines, life: Lifecycle, log: Logger) {
  const catalogue = await startCatalogue(engines, life, log);
  const model = await startModel(config, engines, life, log);
  return { catalogue, model };
}

function knowledge({ catalogue, model }: Awaited<ReturnType<typeof startAnswering>>): Knowledge {
  return { catalogue: catalogue.catalogue, model: { name: model.model.name, version: model.current().version } };
}

/** The rows are acquired before whoever writes them, so that they are saved after the last write. */
async function project(
  config: Config,
  engines: Engines,
  open: OpenReadModels,
  life: Lifecycle,
  log: Logger,
): Promise<Projector> {
  await life.acquire(
    "read models",
    () => open,
    () => open.save(),
  );
  return startProjector(config, { ...engines, readModels: open.readModels }, life, log);
}

async function catchUp(
  config: Config,
  projector: Projector,
  { save }: OpenReadModels,
  feed: Feed,
  life: Lifecycle,
  log: Logger,
): Promise<void> {
  await saveNowAndThen({ save, projector, everyMs: config.snapshotIntervalSeconds * 1000, life, log });
  await projector.caughtUp();
  await mustNotBeAhead(projector, feed);
  await save();
}

/** What is ahead of the log would pass over its next events. */
async function mustNotBeAhead(projector: Projector, feed: Feed): Promise<void> {
  const [position, head] = [projector.position() ?? 0, await feed.head()];
  if (position <= head) return;
  throw new EngineUnavailable(
    `the read models know position ${position}, but the log ends at ${head}: it was put back from a backup; remove read-models.snapshot, or empty this database of Redis`,
  );
}

async function behind(feed: Feed, rows: OpenReadModels | null): Promise<number | null> {
  return rows === null ? null : (await feed.head()) - ((await storedPosition(rows.readModels, 0)) ?? 0);
}

/** Several processes may share one store of keys: a start replaces the key of its own last start only. */
async function startKey(config: Config, { apiKeys }: Engines, url: string): Promise<string> {
  const deps = { apiKeys, clock: { now: Date.now } };
  const name = config.databaseUrl === undefined ? "start" : `start ${url}`;
  await revokeApiKeysNamed(deps, name);
  return (await createApiKey(deps, { name, scopes })).key;
}
