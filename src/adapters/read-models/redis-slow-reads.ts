import type { Redis } from "ioredis";
import type { ReadModelsUnavailable } from "../../ports/read-models.ts";
import type { RedisServers } from "../engines/redis-servers.ts";
import type { RunCommands } from "./redis-commands.ts";
import type { Line, Read } from "./redis-read.ts";
import { unavailable } from "./redis-read.ts";

/** Between two tries of a read that neither the master nor a copy could answer. */
const tryAgainMs = 20;

interface SlowReadsDeps {
  readonly servers: RedisServers;
  readonly run: RunCommands;
  readonly deadlineMs: number;
}

export interface SlowReads {
  /** Each is answered or rejected in the end; `error`: what came of asking the master. */
  readAll(line: Line, reads: readonly Read[], error: ReadModelsUnavailable | null): Promise<void>;
  /**
   * Resolves with the last error. That a copy has no such row counts only where the master is `gone`: while a slot is on
   * its way to another master, the copies of this one miss the rows that have moved already, and cannot say so.
   */
  fromCopies(reads: readonly Read[], gone: boolean): Promise<unknown>;
}

/** What a master could not answer, or is not asked. */
export function createSlowReads({ servers, run, deadlineMs }: SlowReadsDeps): SlowReads {
  async function readAll(line: Line, reads: readonly Read[], error: ReadModelsUnavailable | null): Promise<void> {
    const until = (reads[0]?.startedAt ?? performance.now()) + deadlineMs;
    let found = await fromAnyServer(line, reads, until, error);
    let left = reads.filter(({ settled }) => !settled);
    while (servers.replicated && left.length > 0 && performance.now() + tryAgainMs <= until) {
      await new Promise((resolve) => setTimeout(resolve, tryAgainMs));
      left = left.filter(({ settled }) => !settled);
      found = await fromAnyServer(line, left, until, null);
      left = left.filter(({ settled }) => !settled);
    }
    for (const read of left) read.fail(unavailable(found, deadlineMs));
  }

  /** Resolves with the last error when each is answered, or nobody is left to ask. */
  async function fromAnyServer(
    { master, silentSince }: Line,
    reads: readonly Read[],
    until: number,
    error: ReadModelsUnavailable | null,
  ): Promise<unknown> {
    if (master === null || silentSince !== null) {
      if (!servers.replicated) return new Error("the server has not answered for a while");
      return fromCopies(reads, silentSince === null || performance.now() - silentSince > deadlineMs);
    }
    try {
      // What a server refuses is asked again, there or where it says.
      if (error !== null && isConnectionLost(error)) throw error;
      await run(reads, { until, patient: false });
      return null;
    } catch (trouble) {
      return servers.replicated ? ((await fromCopies(reads, isConnectionLost(trouble))) ?? trouble) : trouble;
    }
  }

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

  return { readAll, fromCopies };
}

async function fromCopy(copy: Redis, reads: readonly Read[], gone: boolean): Promise<unknown> {
  const pipeline = copy.pipeline();
  for (const read of reads) read.add(pipeline);
  const replies = (await pipeline.exec()) ?? [];
  let failure: unknown = null;
  reads.forEach((read, at) => {
    const [error, reply] = replies[at] ?? [new Error("no reply"), null];
    if (error !== null) failure = error;
    else if (reply !== null || gone) read.done(reply);
  });
  return failure;
}

/** Rather than that the server has answered, with a refusal. */
const isConnectionLost = (error: unknown): boolean =>
  !(error instanceof Error && error.cause instanceof Error && error.cause.name === "ReplyError");
