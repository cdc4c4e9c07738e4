import type { Command, Redis } from "ioredis";
import type { Read } from "./redis-read.ts";

/** Who is told what came of each read of a pipeline. */
export interface Pipelined {
  done(read: Read, reply: Buffer | null): void;
  failed(read: Read, error: Error): void;
  /** Takes what is to be sent. */
  write(text: string): void;
}

/** What ioredis asks of a command that it queues, has written, traces and settles. */
type Queued = Pick<
  Command,
  | ("name" | "args" | "promise" | "inTransaction" | "isTraced" | "isResolved" | "isSettled")
  | ("setReplyContext" | "toWritable" | "resolve" | "reject")
>;

const nobodyWaits = Promise.resolve();

/**
 * HGET of a read. A `Command` of ioredis makes itself a promise, closures and copies of its arguments, which nobody needs here and
 * which take as long as all the rest of sending it.
 */
class HashGet implements Queued {
  readonly name = "hget";
  readonly args: [key: string, field: string];
  readonly promise = nobodyWaits;
  readonly inTransaction = false;
  readonly isResolved = false;
  readonly isSettled = false;
  isTraced = false;
  readonly #read: Read;
  readonly #pipeline: Pipelined;

  constructor(read: Read, pipeline: Pipelined) {
    this.args = [read.key, read.field];
    this.#read = read;
    this.#pipeline = pipeline;
  }

  /** Of which the reply, bytes or null, knows nothing. */
  setReplyContext(): void {}

  toWritable(): string {
    const [key, field] = this.args;
    return `*3\r\n$4\r\nhget\r\n$${Buffer.byteLength(key)}\r\n${key}\r\n$${Buffer.byteLength(field)}\r\n${field}\r\n`;
  }

  resolve(reply: Buffer | null): void {
    this.#pipeline.done(this.#read, reply);
  }

  reject(error: Error): void {
    this.#pipeline.failed(this.#read, error);
  }
}

/** Puts it into the queue of those that wait for a reply; what is to be sent goes into the pipeline. */
export function sendRead(redis: Redis, read: Read, pipeline: Pipelined): void {
  void redis.sendCommand(new HashGet(read, pipeline) as Queued as Command, pipeline as never);
}
