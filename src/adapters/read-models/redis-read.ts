import type { Redis } from "ioredis";
import { ReadModelsUnavailable } from "../../ports/read-models.ts";
import type { Waiter } from "../../ports/waiter.ts";
import type { Command, Pipeline } from "./redis-commands.ts";

/** A master and what is on its way to it; null: those whose keys have no master that is known. */
export interface Line {
  readonly master: Redis | null;
  gathered: Read[];
  /** Of which it is known what came of them, and who asked is not told yet. */
  settled: Read[];
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
  settled = false;
  hedged = false;
  /** Sent to the master, which has not answered. */
  sent = false;
  onSettled: ((error: ReadModelsUnavailable | null) => void) | null = null;
  readonly #waiter: Waiter<Buffer | null>;
  #bytes: Buffer | null = null;
  #error: ReadModelsUnavailable | null = null;

  constructor(key: string, field: string, line: Line, waiter: Waiter<Buffer | null>) {
    this.key = key;
    this.field = field;
    this.line = line;
    this.#waiter = waiter;
  }

  add(pipeline: Pipeline): void {
    pipeline.hgetBuffer(this.key, this.field);
  }

  /** What comes first counts. */
  done(reply: unknown): void {
    if (this.settled) return;
    this.#bytes = reply as Buffer | null;
    this.#settle();
  }

  fail(error: ReadModelsUnavailable): void {
    if (this.settled) return;
    this.#error = error;
    this.#settle();
  }

  #settle(): void {
    this.settled = true;
    if (this.line.settled.push(this) === 1) process.nextTick(tellAll, this.line);
    this.onSettled?.(this.#error);
  }

  tell(): void {
    if (this.#error === null) this.#waiter.found(this.#bytes);
    else this.#waiter.failed(this.#error);
  }
}

/** After all replies that came together are read: Redis has its next pipeline before these are made answers. */
function tellAll(line: Line): void {
  const { settled } = line;
  line.settled = [];
  for (const read of settled) read.tell();
}

export const lineTo = (master: Redis | null): Line => ({
  ...{ master, gathered: [], settled: [], scheduled: false, pipelines: 0 },
  ...{ sentAt: 0, silentSince: null },
});

export function unavailable(cause: unknown, deadlineMs: number): ReadModelsUnavailable {
  if (cause instanceof ReadModelsUnavailable) return cause;
  const why = cause instanceof Error ? cause.message : `no answer within ${deadlineMs} ms`;
  return new ReadModelsUnavailable(`Redis: ${why}`, { cause });
}
