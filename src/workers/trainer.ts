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
  return new SequentialTrainer(deps);
}

class SequentialTrainer implements Trainer {
  readonly #deps: TrainerDeps;
  #state: TrainerState | null = null;
  #published: Published = { version: 0, answers: 0 };
  #savedPosition = 0;
  #savedAt: number;
  #loop: RunningProjection | null = null;
  #stopped: Promise<void> | null = null;

  constructor(deps: TrainerDeps) {
    this.#deps = deps;
    this.#savedAt = deps.clock.now();
  }

  start(): void {
    if (this.#loop !== null || this.#stopped !== null) return;
    const { feed, log, batchSize = 500, retryMs } = this.#deps;
    this.#loop = runProjection({
      name: "trainer",
      feed,
      filter: { categories: ["learner"], types: ["InteractionRecorded"] },
      batchSize,
      load: () => this.#load(),
      handle: (page, signal) => this.#handle(page, signal),
      between: () => this.#saveOnceInAWhile(),
      log,
      ...(retryMs === undefined ? {} : { retryMs }),
    });
  }

  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      await this.#loop?.stop();
      await this.#save();
    })();
    return this.#stopped;
  }

  position(): number {
    return this.#state?.position ?? 0;
  }

  caughtUp(): Promise<void> {
    return this.#loop?.caughtUp() ?? Promise.reject(new Error("the trainer is not running"));
  }

  status(): TrainerStatus {
    return {
      running: this.#loop !== null && this.#stopped === null,
      position: this.position(),
      answers: this.#state?.answers ?? 0,
      skipped: this.#state?.skipped ?? 0,
      learners: this.#state?.locals.size ?? 0,
      version: this.#published.version,
      errors: this.#loop?.status.errors ?? 0,
      lastError: this.#loop?.status.lastError ?? null,
    };
  }

  /** An error of an engine leaves the state in memory as it was: only what the log says must be read again. */
  async #load(): Promise<number> {
    const { store, blobs, clock, log, model } = this.#deps;
    this.#published = await readPublished(store, model.name);
    if (this.#state === null) {
      this.#state = (await this.#resumable(await loadCheckpoint(blobs, model, log))) ?? newTrainerState(model);
      this.#savedPosition = this.#state.position;
      this.#savedAt = clock.now();
      const { position, answers } = this.#state;
      log.info({ model: model.name, position, answers }, "trainer starts");
    }
    // Left over from before an error or a restart: the weights are published as they were then, before they go on.
    await this.#publishWhileDue(this.#state);
    return this.#state.position;
  }

  /** A checkpoint ahead of the log is of a log that was put back from a backup: its answers are not this log's. */
  async #resumable(checkpoint: TrainerState | null): Promise<TrainerState | null> {
    const head = await this.#deps.feed.head();
    if (checkpoint === null || checkpoint.position <= head) return checkpoint;
    this.#deps.log.warn(
      { position: checkpoint.position, head },
      "trainer checkpoint is ahead of the log, training anew",
    );
    return null;
  }

  async #handle(page: FeedPage, signal: AbortSignal): Promise<number> {
    const { log, model } = this.#deps;
    const state = this.#state;
    if (state === null) throw new Error("the trainer handles a page before it has loaded its state");
    for (const stored of page.events) {
      if (signal.aborted) return state.position;
      train(model, state, stored, (err) =>
        log.error({ err, position: stored.position, stream: stored.stream }, "event skipped by the trainer"),
      );
      if (this.#isDue(state)) await this.#publishWhileDue(state);
    }
    state.position = Math.max(state.position, page.position);
    return state.position;
  }

  #isDue(state: TrainerState): boolean {
    return isPublicationDue(state.answers, this.#published.answers);
  }

  /** A conflict means that another published: what the log says then is asked again whether it is due. */
  async #publishWhileDue(state: TrainerState): Promise<void> {
    const { store, log, model } = this.#deps;
    for (let attempt = 1; this.#isDue(state); attempt++) {
      const result = await publishWeights(this.#deps, state, this.#published);
      if (result.status !== "conflict") {
        this.#published = { version: this.#published.version + 1, answers: state.answers };
        if (result.status === "appended") log.debug({ model: model.name, ...this.#published }, "model published");
      } else if (attempt === attemptsToPublish) {
        throw new Error(`model version ${this.#published.version + 1} cannot be published: ${result.why}`);
      } else {
        this.#published = await readPublished(store, model.name);
      }
    }
  }

  async #saveOnceInAWhile(): Promise<void> {
    const { clock, checkpointEveryMs = 5 * 60_000 } = this.#deps;
    // A clock that is set back must not stop it.
    if (Math.abs(clock.now() - this.#savedAt) >= checkpointEveryMs) await this.#save();
  }

  async #save(): Promise<void> {
    const { blobs, clock, log, model } = this.#deps;
    this.#savedAt = clock.now();
    if (this.#state === null || this.#state.position === this.#savedPosition) return;
    const { position } = this.#state;
    try {
      await saveCheckpoint(blobs, model, this.#state);
      this.#savedPosition = position;
    } catch (err) {
      // Nothing is lost but time at the next start.
      log.warn({ err, position }, "trainer checkpoint not saved");
    }
  }
}
