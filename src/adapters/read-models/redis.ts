import { type GuardedWrite, type ReadModels, ReadModelsUnavailable, type Row } from "../../ports/read-models.ts";
import type { Guard } from "../engines/breaker.ts";
import { openRedisServers } from "../engines/open-redis.ts";
import type { RedisServers } from "../engines/redis-servers.ts";
import { parseRedisUrl } from "../engines/redis-url.ts";
import { createDeadline } from "./deadline.ts";
import { guardedWrite, versionField } from "./guarded-write.lua.ts";
import { askServers } from "./redis-canaries.ts";
import { createChanges } from "./redis-changes.ts";
import { type Command, createCommands, type Pipeline, type RunOptions } from "./redis-commands.ts";
import { listKeys } from "./redis-keys.ts";
import { createLosses } from "./redis-losses.ts";
import { createReads } from "./redis-reads.ts";
import { fromKey, namedRow, outcome, scriptArguments, toKey, wholeRow } from "./redis-rows.ts";
import { createScript, type ScriptRun } from "./redis-script.ts";

export interface RedisReadModelsOptions {
  /** One server, Sentinel or Cluster: see src/adapters/engines/redis-url.ts for the forms. */
  readonly url: string;
  /** Longest wait for the answer to a read of a query, milliseconds. */
  readonly commandTimeoutMs?: number;
  /** A read of a query that takes longer is asked of a replica too, milliseconds. */
  readonly hedgeMs?: number;
  /** Longest wait for the answers to one batch of a worker, milliseconds. */
  readonly batchTimeoutMs?: number;
  /** How often it is looked whether rows were lost, milliseconds. */
  readonly lossCheckMs?: number;
  /** Asked before the reads of queries, once for each pipeline of them. Left out: nobody is asked. */
  readonly guardReads?: Guard;
  /** Told of trouble with a connection; it heals by itself. */
  onConnectionError?(error: Error): void;
}

export interface RedisReadModels extends ReadModels {
  /** Connections to servers, by state. */
  connections(): Readonly<Record<string, number>>;
  /** From now on this is told of each pipeline of queries' reads: what it took, and the name of its error. */
  observeReads(observe: (durationMs: number, error: string | null) => void): void;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Reads or batches under way; more than this only pile up before a Redis that hangs. */
const underWayMax = 10_000;

/**
 * Rows written by one run of the script, where a command may name several: a command of its own for each costs 7 us more
 * here, and 3 in Redis. Whoever else asks Redis waits meanwhile, about .4 ms.
 */
const rowsTogether = 50;

type Asked = Omit<Command, "done">;

/** A pipeline queues what it is given; the reply comes with the others. */
interface Queue {
  sendCommand(command: ReturnType<ScriptRun>): unknown;
}

/**
 * Rows as hashes of Redis: of one server, of a master with copies, or of a cluster. Writes, and what writers read, go to
 * the master of a row; queries may be answered by a copy of it. Rejects with {@link ReadModelsUnavailable} where Redis
 * cannot be reached.
 */
export async function openRedisReadModels(options: RedisReadModelsOptions): Promise<RedisReadModels> {
  const { commandTimeoutMs = 100, hedgeMs = 20, batchTimeoutMs = 5000, lossCheckMs = 1000 } = options;
  const onError = (error: Error): void => options.onConnectionError?.(error);
  const servers = await open(options.url, onError);
  const run = createCommands(servers);
  const batching = createDeadline(batchTimeoutMs, underWayMax);
  const reads = createReads({
    ...{ servers, run, guard: options.guardReads ?? ((work) => work()) },
    ...{ deadlineMs: commandTimeoutMs, hedgeMs, underWayMax },
  });
  // Channels are shared by all databases of a server.
  const channel = `proximal:changes:${parseRedisUrl(options.url).database}`;
  const announce = { channel, message: (keys: readonly string[]) => keys.map(fromKey).join("\n") };
  const changes = createChanges(servers, channel, onError);
  const losses = createLosses({ ask: () => askServers(servers, lossCheckMs), everyMs: lossCheckMs, onError });
  servers.onOwnerChange(losses.ownerChanged);
  await losses.look().catch(onError);

  /** Replies are in order. */
  async function batch(asked: readonly Asked[], options: Partial<RunOptions> = {}): Promise<unknown[]> {
    const replies: unknown[] = [];
    const commands = asked.map((one, at): Command => {
      const done = (reply: unknown): void => {
        replies[at] = reply;
      };
      return { ...one, done };
    });
    const until = performance.now() + batchTimeoutMs;
    await batching(run(commands, { until, patient: true, ...options }));
    return replies;
  }

  const forEach = (keys: readonly string[], add: (pipeline: Pipeline, key: string) => unknown) =>
    keys.map(toKey).map((key) => ({ key, add: (pipeline: Pipeline) => add(pipeline, key) }));
  const together = servers.manyKeys ? rowsTogether : 1;
  let closed: Promise<void> | null = null;
  return {
    get: (key, field) => reads.get(toKey(key), field),
    getMany: (keys, field) => Promise.all(keys.map((key) => reads.get(toKey(key), field))),
    async read(keys, fields) {
      if (fields === undefined) {
        const replies = await batch(forEach(keys, (pipeline, key) => pipeline.hgetallBuffer(key)));
        return replies.map((reply) => wholeRow(reply as Record<string, Buffer>));
      }
      const replies = await batch(forEach(keys, (pipeline, key) => pipeline.hmgetBuffer(key, versionField, ...fields)));
      return replies.map((reply): Row => namedRow(reply as (Buffer | null)[], fields));
    },
    async write(writes) {
      const commands: Asked[] = [];
      for (let from = 0; from < writes.length; from += together) {
        commands.push(writeTogether(writes.slice(from, from + together)));
      }
      const replies = await batch(commands, { announce });
      return (replies as (string | null)[][]).flat().map(outcome);
    },
    keys: (prefix) => listKeys(servers, prefix, batching),
    async remove(keys) {
      await batch(
        forEach(keys, (pipeline, key) => pipeline.unlink(key)),
        { announce },
      );
    },
    onChange: changes.listen,
    onLoss: losses.listen,
    connections: servers.states,
    observeReads: reads.observe,
    close() {
      changes.close();
      losses.close();
      reads.close();
      closed ??= servers.close();
      return closed;
    },
  };
}

const writing = createScript(guardedWrite);

function writeTogether(writes: readonly GuardedWrite[]): Asked {
  const [key = "", ...moreKeys] = writes.map((one) => toKey(one.key));
  const add = (pipeline: Pipeline): unknown =>
    (pipeline as unknown as Queue).sendCommand(writing([key, ...moreKeys], scriptArguments(writes)));
  return { key, moreKeys, add };
}

async function open(url: string, onError: (error: Error) => void): Promise<RedisServers> {
  try {
    return await openRedisServers(url, { onError });
  } catch (error) {
    throw new ReadModelsUnavailable(`Redis cannot be reached: ${(error as Error).message}`, { cause: error });
  }
}
