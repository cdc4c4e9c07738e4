/**
 * Replays: what was asked, how far it is, and the files it made, until they expire. It is the only truth about a replay: a
 * queue merely says that there is work, and may say so twice, or forget it.
 *
 * A replay is worked on under a claim. Each claim has a higher number, and what a worker writes is refused with
 * {@link ReplayClaimLost} once its claim is not the last one, or the replay is not running any more: so a worker that was taken
 * for dead, and one whose replay was cancelled, change nothing.
 *
 * Times are milliseconds since 1970 and are given by the caller.
 */
export interface ReplayStore {
  /**
   * Stores a queued replay. With an idempotency key that the same one used before nothing is stored, and the replay of
   * before is the answer. "full": so many wait or run already.
   */
  add(replay: NewReplay, openMax: number): Promise<AddedReplay>;
  get(id: string): Promise<Replay | null>;
  /** Newest first. `before`: the `number` of the last one of the page before. */
  list(options: ReplayListOptions): Promise<Replay[]>;
  /** Ids of those to be worked on now: queued, or running under a claim that has run out. Oldest first. */
  due(now: number, limit: number): Promise<string[]>;
  counts(now: number): Promise<ReplayCounts>;
  /**
   * Takes a replay that is due, until `until`, and cuts its files back to its last checkpoint. Null where it is not due: done,
   * cancelled, gone, or another's.
   */
  claim(id: string, now: number, until: number): Promise<ClaimedReplay | null>;
  /** Keeps the claim until then, and says how far the work is. Rejects with {@link ReplayClaimLost}. */
  keep(claim: ReplayClaim, until: number, progress: ReplayProgress | null): Promise<void>;
  /** Makes a file that is not there. Rejects with {@link ReplayClaimLost}. */
  addFile(claim: ReplayClaim, name: string, mediaType: string): Promise<void>;
  /** `offset` is the length of the file before. Rejects with {@link ReplayClaimLost}. */
  append(claim: ReplayClaim, name: string, offset: number, bytes: Uint8Array): Promise<void>;
  /** The work goes on from here, whoever does it, with the files as they are now. Rejects with {@link ReplayClaimLost}. */
  checkpoint(claim: ReplayClaim, state: unknown): Promise<void>;
  /**
   * Gives the claim up: it is queued again, and due at that time. `excused`: its turn does not count among its {@link
   * ClaimedReplay.tries}. Does nothing where the claim is lost.
   */
  release(claim: ReplayClaim, dueAt: number, excused: boolean): Promise<void>;
  /** Rejects with {@link ReplayClaimLost}. */
  finish(claim: ReplayClaim, outcome: ReplayOutcome, now: number): Promise<void>;
  /** False where it has ended already, or there is none. Its files are gone with it. */
  cancel(id: string, now: number): Promise<boolean>;
  /** With its files, whatever its state; false where there is none. */
  remove(id: string): Promise<boolean>;
  /** Removes those that ended before, some at a time; resolves with how many. */
  removeEndedBefore(time: number, limit: number): Promise<number>;
  /** The bytes from `offset` to the end of what was appended with them; empty at the end of the file. */
  read(id: string, name: string, offset: number): Promise<Buffer>;
}

export const replayStates = ["queued", "running", "done", "failed", "cancelled"] as const;
export type ReplayState = (typeof replayStates)[number];

export interface NewReplay {
  /** UUID. */
  readonly id: string;
  readonly kind: string;
  /** JSON. */
  readonly input: unknown;
  /** Used once by who asks, of all replays that are kept; null for none. */
  readonly idempotencyKey: string | null;
  /** Who asked: the id of an API key; null for the command line. */
  readonly requestedBy: string | null;
  readonly createdAt: number;
}

export type AddedReplay =
  | { readonly status: "added" | "known"; readonly replay: Replay }
  | { readonly status: "full"; readonly open: number };

export interface ReplayProgress {
  readonly done: number;
  /** Null: not known. */
  readonly total: number | null;
}

export interface ReplayFileInfo {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
}

export interface Replay extends NewReplay {
  /** Grows with each replay. */
  readonly number: number;
  readonly state: ReplayState;
  /** Claims so far. */
  readonly attempts: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly progress: ReplayProgress | null;
  /** Of one that is done. */
  readonly summary: unknown;
  /** Of one that failed. */
  readonly error: string | null;
  /** In order of name. */
  readonly files: readonly ReplayFileInfo[];
}

export interface ReplayListOptions {
  readonly limit: number;
  readonly before?: number;
  readonly kind?: string;
  readonly state?: ReplayState;
}

export interface ReplayClaim {
  readonly id: string;
  readonly attempt: number;
}

export interface ClaimedReplay extends ReplayClaim {
  readonly kind: string;
  readonly input: unknown;
  /** What the last checkpoint saved; null where there is none. */
  readonly resumeFrom: unknown;
  /** Turns since the last checkpoint, this one among them, without those that were excused. */
  readonly tries: number;
  readonly files: readonly ReplayFileInfo[];
}

export type ReplayOutcome =
  | { readonly state: "done"; readonly summary: unknown }
  | { readonly state: "failed"; readonly error: string };

export interface ReplayCounts {
  readonly byState: Readonly<Record<ReplayState, number>>;
  /** How long the oldest queued one has waited, milliseconds; null where none waits. */
  readonly oldestQueuedMs: number | null;
  /** Of all files that are kept. */
  readonly fileBytes: number;
}

/** The work is not this worker's any more: it ends, and writes nothing. */
export class ReplayClaimLost extends Error {
  override readonly name = "ReplayClaimLost";
}
