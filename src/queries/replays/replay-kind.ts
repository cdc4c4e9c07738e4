import type { z } from "zod";

/**
 * A question to the log that takes minutes, not milliseconds: asked once, worked on beside the requests, its answer kept for a
 * while. src/app/replays/replay-kinds.ts lists the kinds of a deployment.
 */
export interface ReplayKind<Input> {
  /** "export", "what-if", "report": part of the API. */
  readonly kind: string;
  /** One schema for API, command line, and what is stored. Its output must be JSON and parse again to itself. */
  readonly input: z.ZodType<Input>;
  /** Inputs that only an operator may ask for; left out: none. */
  readonly operatorsOnly?: (input: Input) => boolean;
  /**
   * Resolves with a summary, a little JSON that is kept with the replay. What it writes and says must depend on the input, the
   * log and `resumeFrom` only: a run that was cut off goes on from its last checkpoint, in another process.
   * Throws {@link ReplayRefused} where trying again makes no sense.
   */
  run(input: Input, run: ReplayRun): Promise<unknown>;
}

export interface ReplayRun {
  readonly replayId: string;
  /** Cancelled, or the worker has to go: save a checkpoint where that is cheap, and throw `signal.reason`. */
  readonly signal: AbortSignal;
  /** What the last checkpoint() of this replay saved; null at first. */
  readonly resumeFrom: unknown;
  /** Cheap: told further a few times a second at the most. Same unit for both; `total` null where it is not known. */
  progress(done: number, total: number | null): void;
  /** JSON. With it every file is saved as it stands now, and cut back to that when the run is resumed. */
  checkpoint(state: unknown): Promise<void>;
  /**
   * An output kept with the result, fetched at /v1/replays/{id}/files/{name}. A resumed run opens it again and writes
   * on where the checkpoint left it.
   */
  openFile(name: string, mediaType: string): Promise<ReplayFile>;
}

export interface ReplayFile {
  /** Of this file so far, those of before a resume among them. */
  readonly bytes: number;
  /** Resolves when there is room for more: await it. */
  write(chunk: string | Uint8Array): Promise<void>;
  /** No more is written. */
  close(): Promise<void>;
}

/** The replay cannot be done as it was asked for: the message says why, and it is not tried again. */
export class ReplayRefused extends Error {
  override readonly name = "ReplayRefused";
}
