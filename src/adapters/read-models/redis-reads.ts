import type { Redis } from "ioredis";
import { ReadModelsUnavailable } from "../../ports/read-models.ts";
import type { Guard } from "../engines/breaker.ts";
import type { RedisServers } from "../engines/redis-servers.ts";
import { afterAnswers } from "./deadline.ts";
import type { RunCommands } from "./redis-commands.ts";
import { type Pipelined, sendRead } from "./redis-hash-get.ts";
import { type Line, lineTo, Read, unavailable } from "./redis-read.ts";
import { createSlowReads } from "./redis-slow-reads.ts";

export interface Reads {
  get(key: string, field: string): Promise<Buffer | null>;
  /** Who is told of each pipeline of reads. */
  observe(observer: (durationMs: number, error: string | null) => void): void;
  /** Later reads are rejected. */
  close(): void;
}

export interface ReadsDeps {
  readonly servers: RedisServers;
  readonly run: RunCommands;
  /** Asked once for each pipeline; refused, all its reads are. */
  readonly guard: Guard;
  /** A read that is not answered by then is rejected. */
  readonly deadlineMs: number;
  /** A read that is not answered by then is asked of a copy too, where there is one. */
  readonly hedgeMs: number;
  /** Reads under way at once; more than this only pile up before a Redis that hangs. */
  readonly underWayMax: number;
}

/**
 * While a master owes an answer what comes in is gathered, as what a busy server is sent in one go costs both sides a
 * fraction of what it costs one by one: until the answer is there, or so many are gathered, or for so long.
 */
const gatheredMax = 64;
const gatheringMs = 5;
/**
 * A master that has nothing to do is not let wait for the end of the turn: it is sent the first so many, and answers them while the
 * other requests of the turn are read. Else all that came in one turn was one pipeline, and process and Redis waited for each other.
 */
const firstMax = 8;

/**
 * The reads of queries: those of one turn of the event loop go to each master together. One that is not answered
 * soon, or refused, is asked of a copy as well, and the first answer counts. A master that lets a read wait is not asked
 * again until it has answered, so that a server that hangs delays a few reads and not each.
 */
export function createReads(deps: ReadsDeps): Reads {
  const { servers, guard, deadlineMs, hedgeMs, underWayMax } = deps;
  const lines = new WeakMap<Redis, Line>();
  let last = lineTo(null);
  let underWay = 0;
  let closed = false;
  let observer: Parameters<Reads["observe"]>[0] | null = null;
  const again = createSlowReads(deps);
  const watch = createWatch(
    servers.replicated ? Math.min(hedgeMs, deadlineMs) : deadlineMs,
    deadlineMs,
    (reads) => void (servers.replicated && again.fromCopies(reads, false)),
    flush,
  );

  function lineOf(master: Redis | null): Line {
    if (master === last.master) return last;
    last = (master === null ? undefined : lines.get(master)) ?? lineTo(master);
    if (master !== null) lines.set(master, last);
    return last;
  }

  function get(key: string, field: string): Promise<Buffer | null> {
    if (closed) return Promise.reject(new ReadModelsUnavailable("Redis: closed"));
    if (underWay >= underWayMax) {
      return Promise.reject(new ReadModelsUnavailable(`Redis: ${underWayMax} answers are waited for already`));
    }
    underWay += 1;
    const line = lineOf(servers.master(key));
    const read = new Read(key, field, line);
    line.gathered.push(read);
    if (line.pipelines === 0 && line.gathered.length >= firstMax) flush(line);
    else if (!line.scheduled) {
      line.scheduled = true;
      setImmediate(flush, line);
    }
    watch(read);
    return read.answer;
  }

  function flush(line: Line): void {
    line.scheduled = false;
    const { gathered, master, silentSince } = line;
    if (gathered.length === 0) return;
    const busy = master !== null && silentSince === null && line.pipelines > 0;
    if (busy && gathered.length < gatheredMax && performance.now() - line.sentAt < gatheringMs) return;
    line.gathered = [];
    const refused = (error: unknown): void => {
      for (const read of gathered) read.fail(unavailable(error, deadlineMs));
    };
    void guard(() => readAll(line, gathered))
      .catch(refused)
      .finally(() => {
        underWay -= gathered.length;
      });
  }

  /** Settles when each is settled; rejects where one failed. */
  function readAll(line: Line, reads: readonly Read[]): Promise<void> {
    return new Promise((resolve, reject) => {
      let left = reads.length;
      let failure: ReadModelsUnavailable | null = null;
      const settled = (error: ReadModelsUnavailable | null): void => {
        failure ??= error;
        left -= 1;
        if (left > 0) return;
        observer?.(performance.now() - (reads[0] as Read).startedAt, failure?.name ?? null);
        if (failure === null) resolve();
        else reject(failure);
      };
      for (const read of reads) read.onSettled = settled;
      if (line.master === null || line.silentSince !== null) void again.readAll(line, reads, null);
      else send(line, line.master, reads);
    });
  }

  /** In one pipeline, which asks for no promise and no list of replies: of a read that takes 2 us these would be half. */
  function send(line: Line, master: Redis, reads: readonly Read[]): void {
    let left = reads.length;
    const failed: Read[] = [];
    let why: Error | null = null;
    let text = "";
    const answered = (): void => {
      left -= 1;
      if (left > 0) return;
      line.pipelines -= 1;
      line.silentSince = null;
      if (line.gathered.length > 0) flush(line);
      if (why !== null) void again.readAll(line, failed, unavailable(why, deadlineMs));
    };
    const pipeline: Pipelined = {
      done(read, reply) {
        read.sent = false;
        read.done(reply);
        answered();
      },
      failed(read, error) {
        read.sent = false;
        failed.push(read);
        why = error;
        answered();
      },
      write(part) {
        text += part;
      },
    };
    line.pipelines += 1;
    line.sentAt = performance.now();
    for (const read of reads) {
      read.sent = true;
      sendRead(master, read, pipeline);
    }
    if (text !== "") master.stream.write(text);
  }

  return {
    get,
    observe(told) {
      observer = told;
    },
    close() {
      closed = true;
    },
  };
}

const waitingLeast = 64;

/**
 * One timer for all reads: hedges those that take `hedgeMs` and fails those that take `deadlineMs`. A master that owes the
 * answer to one is silent from then on.
 */
function createWatch(
  hedgeMs: number,
  deadlineMs: number,
  hedge: (reads: readonly Read[]) => void,
  flush: (line: Line) => void,
): (read: Read) => void {
  /** In the order in which they began. */
  let waiting: Read[] = [];
  /** With so many, those that were answered are let go: kept until the timer looks they would grow old, and all that they hold. */
  let fullAt = waitingLeast;
  let looking = false;

  function lookAt(time: number): void {
    looking = true;
    afterAnswers(Math.max(0, time - performance.now()), look);
  }

  function look(): void {
    const now = performance.now();
    waiting = waiting.filter(({ settled }) => !settled);
    const slow = waiting.filter(({ hedged, startedAt }) => !hedged && now - startedAt >= hedgeMs);
    const silent = new Set<Line>();
    for (const read of slow) {
      read.hedged = true;
      const { line, sent } = read;
      if (sent && line.silentSince === null) {
        line.silentSince = now;
        silent.add(line);
      }
    }
    if (slow.length > 0) hedge(slow);
    for (const read of waiting) if (now - read.startedAt >= deadlineMs) read.fail(unavailable(null, deadlineMs));
    // What was gathered behind it has to go another way.
    for (const line of silent) flush(line);
    looking = false;
    let next = Number.POSITIVE_INFINITY;
    for (const { settled, hedged, startedAt } of waiting) {
      if (!settled) next = Math.min(next, startedAt + (hedged ? deadlineMs : hedgeMs));
    }
    if (next < Number.POSITIVE_INFINITY) lookAt(next);
  }

  return (read) => {
    if (waiting.length >= fullAt) {
      waiting = waiting.filter(({ settled }) => !settled);
      fullAt = 2 * waiting.length + waitingLeast;
    }
    waiting.push(read);
    if (!looking) lookAt(read.startedAt + hedgeMs);
  };
}
