import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { isPublicationDue } from "../domain/learner-model/publication.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/clock.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Feed, FeedPage } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";
import { type RunningProjection, runProjection } from "../projections/run-projection.ts";
import { type Published, publishWeights, readPublished } from "./publish-weights.ts";
import { loadCheckpoint, saveCheckpoint } from "./trainer-checkpoint.ts";
import { newTrainerState, type TrainerState, train } from "./trainer-state.ts";

export interface TrainerDeps {
  readonly store: EventStore;
  readonly feed: Feed;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly log: Log;
  readonly model: LearnerModel;
  /** Events read at once. */
  readonly batchSize?: number;
  /** At least so long between two checkpoints, milliseconds. */
  readonly checkpointEveryMs?: number;
  /** First pause after an error, milliseconds. */
  readonly retryMs?: number;
}

export interface TrainerStatus {
  readonly running: boolean;
  readonly position: number;
  readonly answers: number;
  /** Events that could not be learnt from. */
  readonly skipped: number;
  readonly learners: number;
  /** Last version in the log. */
  readonly version: number;
  readonly errors: number;
  readonly lastError: string | null;
}

export interface Trainer {
  /** Idempotent. */
  start(): void;
  /** Waits for the batch in hand, then saves a checkpoint. Idempotent. */
  stop(): Promise<void>;
  /** Everything in the log up to here has been learnt. */
  position(): number;
  /** Resolves once everything that stood in the log at the call has been learnt, and what was due then is published. */
  caughtUp(): Promise<void>;
  status(): TrainerStatus;
}

/** Losing so many races in a row is not a race. */
const attemptsToPublish = 10;

/**
 * The one sequential owner of the shared weights: learns from each answer in log order and publishes the weights by the
 * rule of publication.ts, so that the versions are a function of the log. A second trainer (a rolling upgrade, a
 * mistake) comes to the same weights, and each version is published once: who comes second finds it there.
 */
export function createTrainer(deps: TrainerDeps): Trainer {
  const { store, feed, blobs, clock, log, model } = deps;
  let state: TrainerState | null = null;
  let published: Published = { version: 0, answers: 0 };
  let savedPosition = 0;
  let savedAt = clock.now();
  let loop: RunningProjection | null = null;
  let stopped: Promise<void> | null = null;

  /** An error of an engine leaves the state in memory as it was: only what the log says must be read again. */
  async function load(): Promise<number> {
    published = await readPublished(store, model.name);
    if (state === null) {
      state = (await loadCheckpoint(blobs, model, log)) ?? newTrainerState(model);
      savedPosition = state.position;
      savedAt = clock.now();
      log.info({ model: model.name, position: state.position, answers: state.answers }, "trainer starts");
    }
    // Left over from before an error or a restart: the weights are published as they were then, before they go on.
    if (isDue(state)) await publish(state);
    return state.position;
  }

  async function handle(page: FeedPage, signal: AbortSignal): Promise<number> {
    if (state === null) throw new Error("the trainer handles a page before it has loaded its state");
    const current = state;
    for (const stored of page.events) {
      if (signal.aborted) return current.position;
      train(model, current, stored, (err) =>
        log.error({ err, position: stored.position, stream: stored.stream }, "event skipped by the trainer"),
      );
      if (isDue(current)) await publish(current);
    }
    current.position = Math.max(current.position, page.position);
    return current.position;
  }

  const isDue = (current: TrainerState): boolean => isPublicationDue(current.answers, published.answers);

  async function publish(current: TrainerState): Promise<void> {
    for (let attempt = 1; isDue(current); attempt++) {
      const result = await publishWeights({ store, blobs, clock, model }, current, published);
      if (result.status !== "conflict") {
        published = { version: published.version + 1, answers: current.answers };
        const { version, answers } = published;
        if (result.status === "appended") log.info({ model: model.name, version, answers }, "model published");
      } else if (attempt === attemptsToPublish) {
        throw new Error(`model version ${published.version + 1} cannot be published: ${result.why}`);
      } else {
        published = await readPublished(store, model.name);
      }
    }
  }

  async function save(): Promise<void> {
    savedAt = clock.now();
    if (state === null || state.position === savedPosition) return;
    const { position } = state;
    try {
      await saveCheckpoint(blobs, model, state);
      savedPosition = position;
    } catch (err) {
      // Nothing is lost but time at the next start.
      log.warn({ err, position }, "trainer checkpoint not saved");
    }
  }

  async function between(): Promise<void> {
    if (clock.now() - savedAt >= (deps.checkpointEveryMs ?? 5 * 60_000)) await save();
  }

  function start(): void {
    if (loop !== null || stopped !== null) return;
    loop = runProjection({
      name: "trainer",
      feed,
      filter: { categories: ["learner"], types: ["InteractionRecorded"] },
      batchSize: deps.batchSize ?? 500,
      load,
      handle,
      between,
      log,
      ...(deps.retryMs === undefined ? {} : { retryMs: deps.retryMs }),
    });
  }

  async function stop(): Promise<void> {
    await loop?.stop();
    await save();
  }

  return {
    start,
    stop: () => (stopped ??= stop()),
    position: () => state?.position ?? 0,
    caughtUp: () => loop?.caughtUp() ?? Promise.reject(new Error("the trainer is not running")),
    status: () => ({
      running: loop !== null && stopped === null,
      position: state?.position ?? 0,
      answers: state?.answers ?? 0,
      skipped: state?.skipped ?? 0,
      learners: state?.locals.size ?? 0,
      version: published.version,
      errors: loop?.status.errors ?? 0,
      lastError: loop?.status.lastError ?? null,
    }),
  };
}
