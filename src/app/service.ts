import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { createApiKey, revokeApiKeysNamed } from "../commands/api-keys.ts";
import { learnerModels } from "../domain/learner-model/models.ts";
import { buildServer, type ServerOptions } from "../http/server.ts";
import { scopes } from "../ports/api-keys.ts";
import type { Clock } from "../ports/clock.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { storedPosition } from "../projections/live-view.ts";
import type { Follower } from "../queries/lag.ts";
import { type CatalogueFollower, createCatalogueFollower } from "../workers/catalogue-follower.ts";
import { createModelFollower, type ModelFollower } from "../workers/model-follower.ts";
import { createProjector, type Projector } from "../workers/projector.ts";
import { type Engines, EngineUnavailable, messageOf, openEngines, openReadModels } from "./compose.ts";
import type { Config } from "./config.ts";
import { Explained } from "./explained.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { startTrainerThread, type TrainerThread } from "./trainer-thread.ts";
import { urlOf } from "./url.ts";

/** Everything in one process, caught up with the log and listening. */
export interface Service {
  /** http://host:port, as reached from this machine. */
  readonly url: string;
  /** With every scope, made by this start. */
  readonly key: string;
  readonly runsOn: { readonly log: string; readonly readModels: string };
  readonly events: number;
  readonly catalogue: CatalogueFollower["catalogue"];
  readonly model: { readonly name: string; readonly version: number };
}

/** The address is not to be had: one line that says what to do. */
export class CannotListen extends Explained {
  override readonly name = "CannotListen";
}

const clock: Clock = { now: Date.now };

/**
 * Starts everything, each part with its undo in `life`: log, read models, catalogue, model, projector, trainer, HTTP.
 * It listens early, so that a port that is taken is told at once; `/readyz` says when it has caught up, and so does
 * this promise. Rejects with EngineUnavailable, CannotListen, or Stopped.
 */
export async function startService(config: Config, life: Lifecycle, log: Logger): Promise<Service> {
  const engines = await openEngines(config, life);
  const { feed, apiKeys } = engines;
  log.info({ engine: engines.runsOn, events: await feed.head() }, "event log open");
  const open = await openReadModels(config, life, feed, log);
  const { readModels } = open;
  const trainer = config.trainer
    ? await life.acquire(
        "trainer",
        () => startTrainerThread(config, log),
        (thread) => thread.stop(),
      )
    : null;
  const catalogue = await startCatalogue(engines, life, log);
  const model = await startModel(config, engines, life, log);
  // Acquired before whoever writes them, so that they are saved after the last write.
  await life.acquire(
    "read models",
    () => open,
    () => open.save(),
  );
  const projector = config.projector ? await startProjector(config, { ...engines, readModels }, life, log) : null;
  const app = await life.acquire(
    "HTTP",
    () =>
      buildServer({
        ...{ eventStore: engines.eventStore, feed, readModels, catalogue, model, apiKeys, clock, randomId: randomUUID },
        log: log as unknown as FastifyBaseLogger,
        followers: [
          ...(projector === null ? elsewhere(readModels, config.partitions) : followersOf(projector)),
          ...contextFollowers(catalogue, trainer),
        ],
        operations: projector?.operations ?? null,
        options: serverOptions(config),
      }),
    (server) => server.close(),
  );
  const url = await listen(app, config);
  const behind = (await feed.head()) - ((await storedPosition(readModels, 0)) ?? 0);
  log.info({ url, behind }, "listening; catching up with the log");
  if (projector !== null) {
    await saveNowAndThen(open.save, projector, config, life, log);
    await projector.caughtUp();
    await mustNotBeAhead(projector, feed);
    await open.save();
  }
  // Catching up comes first: the trainer would take its time from it.
  await trainer?.train();
  // Several processes may share one store of keys: a start replaces the key of its own last start only.
  const name = config.databaseUrl === undefined ? "start" : `start ${url}`;
  await revokeApiKeysNamed({ apiKeys, clock }, name);
  const { key } = await createApiKey({ apiKeys, clock }, { name, scopes });
  return {
    ...{ url, key, catalogue: catalogue.catalogue, events: await feed.head() },
    runsOn: { log: engines.runsOn, readModels: open.runsOn },
    model: { name: config.model, version: model.current().version },
  };
}

function startCatalogue({ feed }: Engines, life: Lifecycle, log: Logger): Promise<CatalogueFollower> {
  return life.acquire(
    "catalogue",
    async () => {
      const follower = createCatalogueFollower({ feed, log });
      await follower.start();
      const { items, skills, tracks } = follower.catalogue;
      log.info({ items: items.size, skills: skills.size, tracks: tracks.size }, "catalogue read");
      return follower;
    },
    (follower) => follower.stop(),
  );
}

function startModel(config: Config, engines: Engines, life: Lifecycle, log: Logger): Promise<ModelFollower> {
  const { feed, blobs } = engines;
  return life.acquire(
    "model",
    async () => {
      const follower = createModelFollower({ feed, blobs, model: learnerModels[config.model], log });
      await follower.catchUp();
      return follower;
    },
    (follower) => follower.stop(),
  );
}

function startProjector(
  config: Config,
  { feed, eventStore, blobs, readModels }: Engines & { readonly readModels: ReadModels },
  life: Lifecycle,
  log: Logger,
): Promise<Projector> {
  return life.acquire(
    "projector",
    async () => {
      const model = learnerModels[config.model];
      const deps = { feed, store: eventStore, blobs, readModels, model, clock, log };
      const projector = createProjector(deps, { partitions: config.partitions });
      await projector.start();
      return projector;
    },
    (projector) => projector.stop(),
  );
}

/** What is ahead of the log would pass over its next events. */
async function mustNotBeAhead(projector: Projector, feed: Engines["feed"]): Promise<void> {
  const [position, head] = [projector.position() ?? 0, await feed.head()];
  if (position <= head) return;
  throw new EngineUnavailable(
    `the read models know position ${position}, but the log ends at ${head}: it was put back from a backup; remove read-models.snapshot, or empty this database of Redis`,
  );
}

const learning = { categories: ["learner"], types: ["InteractionRecorded"] };

function followersOf(projector: Projector): Follower[] {
  return projector.status().map(({ partition }) => ({
    name: "learners",
    partition,
    position: async () => projector.status().find((status) => status.partition === partition)?.position ?? null,
  }));
}

/** A projector in another process: how far it is stands beside the rows it writes. */
function elsewhere(readModels: ReadModels, partitions: number): Follower[] {
  const position = (partition: number) => () => storedPosition(readModels, partition);
  return Array.from({ length: partitions }, (_, partition) => ({
    ...{ name: "learners", partition, filter: learning, position: position(partition) },
  }));
}

function contextFollowers(catalogue: CatalogueFollower, trainer: TrainerThread | null): Follower[] {
  const filter = { categories: ["item", "skill", "track"] };
  return [
    { name: "catalogue", filter, position: async () => catalogue.position() },
    ...(trainer === null ? [] : [{ name: "trainer", filter: learning, position: async () => trainer.position() }]),
  ];
}

function serverOptions(config: Config): ServerOptions {
  return {
    rateLimitPerMinute: config.rateLimitPerMinute === 0 ? null : config.rateLimitPerMinute,
    corsOrigins: config.corsOrigins,
    bodyLimit: config.bodyLimitBytes,
    ndjsonLineLimit: config.lineLimitBytes,
    openMetrics: config.openMetrics,
    staleAfterSeconds: config.staleAfterSeconds,
    freshnessWaitMs: config.afterWaitMs,
    readModelsBudgetMs: config.readModelsWaitMs,
    trustProxy: config.trustProxy,
    groupCommit: { delayMs: config.groupCommitDelayMs, maxBatch: config.groupCommitEvents },
  };
}

/** Resolves with the address as reached from this machine. */
async function listen(app: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      throw new CannotListen(`port ${port} on ${host} is in use: stop what runs there, or start with --port (PORT)`);
    }
    throw new CannotListen(`cannot listen on ${host}:${port} (HOST, PORT): ${messageOf(error)}`, { cause: error });
  }
  const address = app.server.address() as AddressInfo;
  return urlOf({ host, port: address.port });
}

/** A start after a crash folds some so many events again: a few seconds' work. */
const eventsBetweenSaves = 20_000;
/** When nothing comes in, fewer are reason enough. */
const eventsWhenQuiet = 1000;
/** Between two saves there is at least this share of what the last one took: where rows are many, saving is not all it does. */
const restAfterSave = 0.5;
const lookEveryMs = 500;

/** Saves every few minutes and every so many events, so that a start after a crash is short. */
function saveNowAndThen(
  save: () => Promise<void>,
  projector: Projector,
  config: Config,
  life: Lifecycle,
  log: Logger,
): Promise<unknown> {
  let savedAt = performance.now();
  let savedPosition = projector.position() ?? 0;
  let lastSaveMs = 0;
  let lastLook = 0;
  let saving = false;
  async function look(): Promise<void> {
    const position = projector.position() ?? 0;
    const startedAt = performance.now();
    const since = startedAt - savedAt;
    const done = position - savedPosition;
    const quiet = position === lastLook && done >= eventsWhenQuiet;
    const many = (quiet || done >= eventsBetweenSaves) && since >= restAfterSave * lastSaveMs;
    lastLook = position;
    if (saving || done === 0 || !(many || since >= config.snapshotIntervalSeconds * 1000)) return;
    saving = true;
    try {
      await save();
      savedAt = performance.now();
      lastSaveMs = savedAt - startedAt;
      savedPosition = position;
    } catch (err) {
      log.warn({ err }, "read models not saved; a start after a crash would take longer");
    } finally {
      saving = false;
    }
  }
  return life.acquire("saving", () => setInterval(() => void look(), lookEveryMs), clearInterval);
}
