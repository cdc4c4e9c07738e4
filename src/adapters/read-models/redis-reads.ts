import type { Redis } from "ioredis";
import { ReadModelsUnavailable } from "../../ports/read-models.ts";
import type { RedisServers } from "../engines/redis-servers.ts";
import { afterAnswers } from "./deadline.ts";
import type { Command, Pipeline, RunCommands } from "./redis-commands.ts";

export interface Reads {
  get(key: string, field: string): Promise<Buffer | null>;
  /** Later reads are rejected. */
  close(): void;
}

export interface ReadsDeps {
  readonly servers: RedisServers;
  readonly run: RunCommands;
  /** A read that is not answered by then is rejected. */
  readonly deadlineMs: number;
  /** A read that is not answered by then is asked of a copy too, where there is one. */
  readonly hedgeMs: number;
  /** Reads under way at once; more than this only pile up before a Redis that hangs. */
  readonly underWayMax: number;
}

/** Between two tries of a read that neither the master nor a copy could answer. */
const tryAgainMs = 20;

class Read implements Command {
  readonly key: string;
  readonly field: string;
  readonly answer: Promise<Buffer | null>;
  settled = false;
  #resolve: (bytes: Buffer | null) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(key: string, field: string) {
    this.key = key;
    this.field = field;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  add(pipeline: Pipeline): void {
    pipeline.hgetBuffer(this.key, this.field);
  }

  done(reply: unknown): void {
    this.settled = true;
    this.#resolve(reply as Buffer | null);
  }

  fail(error: ReadModelsUnavailable): void {
    this.settled = true;
    this.#reject(error);
  }
}

/**
 * The reads of queries: those of one turn of the event loop go to each master in one pipeline. One that is not answered
 * soon, or refused, is asked of a copy as well, and the first answer counts. A master that lets a read wait is not asked
 * again until it has answered, so that a server that hangs delays a few reads and not each.
 */
export function createReads({ servers, run, deadlineMs, hedgeMs, underWayMax }: ReadsDeps): Reads {
  let gathered: Read[] = [];
  let underWay = 0;
  let closed = false;
  /** Since when masters let a read wait for too long (performance.now()), until they answer it or the connection ends. */
  const silentSince = new WeakMap<Redis, number>();

  function get(key: string, field: string): Promise<Buffer | null> {
    if (closed) return Promise.reject(new ReadModelsUnavailable("Redis: closed"));
    if (underWay >= underWayMax) {
      return Promise.reject(new ReadModelsUnavailable(`Redis: ${underWayMax} answers are waited for already`));
    }
    underWay += 1;
    const read = new Read(key, field);
    if (gathered.length === 0) setImmediate(send);
    gathered.push(read);
    return read.answer;
  }

  function send(): void {
    const byMaster = new Map<Redis | null, Read[]>();
    for (const read of gathered) {
      const master = servers.master(read.key);
      const some = byMaster.get(master);
      if (some === undefined) byMaster.set(master, [read]);
      else some.push(read);
    }
    gathered = [];
    for (const [master, some] of byMaster) {
      void readAll(master, some).finally(() => {
        underWay -= some.length;
      });
    }
  }

  /** Resolves when each is answered or rejected. */
  async function readAll(master: Redis | null, reads: readonly Read[]): Promise<void> {
    const until = performance.now() + deadlineMs;
    let error: unknown = null;
    let stop = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      stop = afterAnswers(deadlineMs, resolve);
    });
    const tries = async (): Promise<void> => {
      for (;;) {
        const left = reads.filter((read) => !read.settled);
        error = await fromAnyServer(master, left, until);
        if (!servers.replicated || left.every((read) => read.settled) || performance.now() + tryAgainMs > until) return;
        await new Promise((resolve) => setTimeout(resolve, tryAgainMs));
      }
    };
    await Promise.race([tries(), late]);
    stop();
    for (const read of reads) if (!read.settled) read.fail(unavailable(error, deadlineMs));
  }

  /** Resolves with the last error when each is answered, or nobody is left to ask. */
  async function fromAnyServer(master: Redis | null, reads: readonly Read[], until: number): Promise<unknown> {
    const since = master === null ? Number.NEGATIVE_INFINITY : silentSince.get(master);
    if (master === null || since !== undefined) {
      if (!servers.replicated) return new Error("the server has not answered for a while");
      return fromCopies(reads, performance.now() - (since ?? 0) > deadlineMs);
    }
    const stop = afterAnswers(servers.replicated ? hedgeMs : deadlineMs, () => {
      if (!silentSince.has(master)) silentSince.set(master, performance.now());
      if (servers.replicated) void fromCopies(reads, false);
    });
    try {
      await run(reads, { until, patient: false });
      return null;
    } catch (error) {
      return servers.replicated ? ((await fromCopies(reads, isConnectionLost(error))) ?? error) : error;
    } finally {
      stop();
      silentSince.delete(master);
    }
  }

  /**
   * Resolves with the last error. That a copy has no such row counts only where the master is `gone`: while a slot is on
   * its way to another master, the copies of this one miss the rows that have moved already, and cannot say so.
   */
  async function fromCopies(reads: readonly Read[], gone: boolean): Promise<unknown> {
    const byCopy = new Map<Redis, Read[]>();
    for (const read of reads) {
      if (read.settled) continue;
      const copy = servers.replica(read.key);
      if (copy === null) continue;
      const some = byCopy.get(copy);
      if (some === undefined) byCopy.set(copy, [read]);
      else some.push(read);
    }
    const errors = await Promise.all(Array.from(byCopy, ([copy, some]) => fromCopy(copy, some, gone)));
    return errors.find((error) => error !== null) ?? null;
  }

  return {
    get,
    close() {
      closed = true;
    },
  };
}

async function fromCopy(copy: Redis, reads: readonly Read[], gone: boolean): Promise<unknown> {
  const pipeline = copy.pipeline();
  for (const read of reads) read.add(pipeline);
  const replies = (await pipeline.exec()) ?? [];
  let failure: unknown = null;
  reads.forEach((read, at) => {
    const [error, reply] = replies[at] ?? [new Error("no reply"), null];
    if (error !== null) failure = error;
    else if (!read.settled && (reply !== null || gone)) read.done(reply);
  });
  return failure;
}

/** Rather than that the server has answered, with a refusal. */
const isConnectionLost = (error: unknown): boolean =>
  !(error instanceof Error && error.cause instanceof Error && error.cause.name === "ReplyError");

function unavailable(cause: unknown, deadlineMs: number): ReadModelsUnavailable {
  if (cause instanceof ReadModelsUnavailable) return cause;
  const why = cause instanceof Error ? cause.message : `no answer within ${deadlineMs} ms`;
  return new ReadModelsUnavailable(`Redis: ${why}`, { cause });
}
