import type { Redis } from "ioredis";
import { ReadModelsUnavailable } from "../../ports/read-models.ts";
import type { Command, Pipeline } from "./redis-commands.ts";

/** A master and what is on its way to it; null: those whose keys have no master that is known. */
export interface Line {
  readonly master: Redis | null;
  gathered: Read[];
  scheduled: boolean;
  pipelines: number;
  /** When the last pipeline was sent, performance.now(). */
  sentAt: number;
  /** Since when it has let a read wait for too long, until it answers that or the connection ends; null: it has not. */
  silentSince: number | null;
}

/** One read of a query, from whoever answers it first. */
export class Read implements Command {
  readonly key: string;
  readonly field: string;
  readonly line: Line;
  readonly startedAt = performance.now();
  readonly answer: Promise<Buffer | null>;
  settled = false;
  hedged = false;
  /** Sent to the master, which has not answered. */
  sent = false;
  onSettled: ((error: ReadModelsUnavailable | null) => void) | null = null;
  #resolve: (bytes: Buffer | null) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(key: string, field: string, line: Line) {
    this.key = key;
    this.field = field;
    this.line = line;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  add(pipeline: Pipeline): void {
    pipeline.hgetBuffer(this.key, this.field);
  }

  /** What comes first counts. */
  done(reply: unknown): void {
    if (this.settled) return;
    this.settled = true;
    this.#resolve(reply as Buffer | null);
    this.onSettled?.(null);
  }

  fail(error: ReadModelsUnavailable): void {
    if (this.settled) return;
    this.settled = true;
    this.#reject(error);
    this.onSettled?.(error);
  }
}

export const lineTo = (master: Redis | null): Line => ({
  ...{ master, gathered: [], scheduled: false, pipelines: 0 },
  ...{ sentAt: 0, silentSince: null },
});

export function unavailable(cause: unknown, deadlineMs: number): ReadModelsUnavailable {
  if (cause instanceof ReadModelsUnavailable) return cause;
  const why = cause instanceof Error ? cause.message : `no answer within ${deadlineMs} ms`;
  return new ReadModelsUnavailable(`Redis: ${why}`, { cause });
}
