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

/** In a pipeline a script is queued, as any command is; its reply comes with the others. */
type Script = (key: string, ...args: (string | Buffer)[]) => unknown;

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
  async function batch<T>(
    inputs: readonly T[],
    keyOf: (input: T) => string,
    add: (pipeline: Pipeline, key: string, input: T) => unknown,
    options: Partial<RunOptions> = {},
  ): Promise<unknown[]> {
    const replies: unknown[] = [];
    const commands = inputs.map((input, at): Command => {
      const key = toKey(keyOf(input));
      const done = (reply: unknown): void => {
        replies[at] = reply;
      };
      return { key, add: (pipeline) => add(pipeline, key, input), done };
    });
    const until = performance.now() + batchTimeoutMs;
    await batching(run(commands, { until, patient: true, ...options }));
    return replies;
  }

  const itself = (key: string): string => key;
  let closed: Promise<void> | null = null;
  return {
    get: (key, field) => reads.get(toKey(key), field),
    getMany: (keys, field) => Promise.all(keys.map((key) => reads.get(toKey(key), field))),
    async read(keys, fields) {
      if (fields === undefined) {
        const replies = await batch(keys, itself, (pipeline, key) => pipeline.hgetallBuffer(key));
        return replies.map((reply) => wholeRow(reply as Record<string, Buffer>));
      }
      const replies = await batch(keys, itself, (pipeline, key) => pipeline.hmgetBuffer(key, versionField, ...fields));
      return replies.map((reply): Row => namedRow(reply as (Buffer | null)[], fields));
    },
    async write(writes) {
      const add = (pipeline: Pipeline, key: string, one: GuardedWrite): unknown =>
        (pipeline as unknown as { guardedWrite: Script }).guardedWrite(key, ...scriptArguments(one));
      const replies = await batch(writes, ({ key }) => key, add, { announce });
      return replies.map(outcome);
    },
    keys: (prefix) => listKeys(servers, prefix, batching),
    async remove(keys) {
      await batch(keys, itself, (pipeline, key) => pipeline.unlink(key), { announce });
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

async function open(url: string, onError: (error: Error) => void): Promise<RedisServers> {
  try {
    return await openRedisServers(url, { scripts: { guardedWrite: { lua: guardedWrite, numberOfKeys: 1 } }, onError });
  } catch (error) {
    throw new ReadModelsUnavailable(`Redis cannot be reached: ${(error as Error).message}`, { cause: error });
  }
}
