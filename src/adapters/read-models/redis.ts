import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import {
  type GuardedWrite,
  type ReadModels,
  ReadModelsUnavailable,
  type Row,
  type WriteOutcome,
} from "../../ports/read-models.ts";
import { createDeadline } from "./deadline.ts";
import { guardedWrite, versionField } from "./guarded-write.lua.ts";
import { createChanges } from "./redis-changes.ts";
import { createLosses, type ServerSeen } from "./redis-losses.ts";

export interface RedisReadModelsOptions {
  /** `redis://[user:password@]host:port[/database]`, or `rediss:` for TLS. */
  readonly url: string;
  /** Longest wait for the answer to a read of a query, milliseconds. */
  readonly commandTimeoutMs?: number;
  /** Longest wait for the answers to one pipelined batch of a worker, milliseconds. */
  readonly batchTimeoutMs?: number;
  /** How often it is looked whether rows were lost, milliseconds. */
  readonly lossCheckMs?: number;
  /** Told of trouble with the connection; it heals by itself. */
  onConnectionError?(error: Error): void;
}

export interface RedisReadModels extends ReadModels {
  /** Idempotent. */
  close(): Promise<void>;
}

/** Commands in one pipeline. */
const batchSize = 500;
const scanCount = 1000;
const connectTimeoutMs = 500;
/** Reads under way; more than this only pile up before a Redis that hangs. */
const readsMax = 10_000;

/** The tag in braces keeps whatever belongs to a row in one slot of a cluster. */
const keyStart = "proximal:{";
const toKey = (key: string): string => `${keyStart}${key}}`;
const fromKey = (key: string): string => key.slice(keyStart.length, -1);

type Pipeline = ReturnType<Redis["pipeline"]>;
type KeyOf<T> = (input: T) => string;

/** In a pipeline a script is queued, as any command is; its reply comes with the others. */
type Script = (key: string, ...args: (string | Buffer)[]) => unknown;

/** Rows as hashes of one Redis. Rejects with {@link ReadModelsUnavailable} where it cannot be reached. */
export async function openRedisReadModels(options: RedisReadModelsOptions): Promise<RedisReadModels> {
  const { commandTimeoutMs = 250, batchTimeoutMs = 5000, lossCheckMs = 1000 } = options;
  const redis = new Redis(options.url, {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    // Every call has its own deadline here: ioredis has none that is right after a busy turn of the event loop.
    maxRetriesPerRequest: 1,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 2000),
    enableAutoPipelining: true,
    scripts: { guardedWrite: { lua: guardedWrite, numberOfKeys: 1 } },
  });
  const onError = (error: Error): void => options.onConnectionError?.(error);
  redis.on("error", onError);
  await connect(redis);

  const reading = createDeadline(commandTimeoutMs, readsMax);
  const batching = createDeadline(batchTimeoutMs, readsMax);
  const changes = createChanges(redis, onError);
  const losses = createLosses({ ask: async () => [await batching(seen(redis))], everyMs: lossCheckMs, onError });
  await losses.look();
  redis.on("ready", () => losses.look().catch(onError));

  /**
   * Runs commands in pipelines of bounded size, one after the other; replies are in order. Where `keyOf` is given, each
   * pipeline ends with the word of which rows it wrote.
   */
  async function batch<T>(inputs: readonly T[], add: (pipeline: Pipeline, input: T) => void, keyOf?: KeyOf<T>) {
    const replies: unknown[] = [];
    for (let from = 0; from < inputs.length; from += batchSize) {
      const pipeline = redis.pipeline();
      const some = inputs.slice(from, from + batchSize);
      for (const input of some) add(pipeline, input);
      if (keyOf !== undefined) pipeline.publish(changes.channel, some.map(keyOf).join("\n"));
      for (const [error, reply] of ((await batching(pipeline.exec())) ?? []).slice(0, some.length)) {
        if (error !== null) throw new ReadModelsUnavailable(`Redis: ${error.message}`, { cause: error });
        replies.push(reply);
      }
    }
    return replies;
  }

  async function read(keys: readonly string[], fields?: readonly string[]): Promise<Row[]> {
    if (fields === undefined) {
      const replies = await batch(keys, (pipeline, key) => pipeline.hgetallBuffer(toKey(key)));
      return replies.map((reply) => wholeRow(reply as Record<string, Buffer>));
    }
    const replies = await batch(keys, (pipeline, key) => pipeline.hmgetBuffer(toKey(key), versionField, ...fields));
    return replies.map((reply) => namedRow(reply as (Buffer | null)[], fields));
  }

  async function write(writes: readonly GuardedWrite[]): Promise<WriteOutcome[]> {
    const add = (pipeline: Pipeline, one: GuardedWrite): void => {
      (pipeline as unknown as { guardedWrite: Script }).guardedWrite(toKey(one.key), ...scriptArguments(one));
    };
    const replies = await batch(writes, add, ({ key }) => key);
    return replies.map((reply) =>
      reply === null ? { status: "written" } : { status: "refused", version: Number(reply) },
    );
  }

  async function* keys(prefix: string): AsyncGenerator<string[]> {
    const match = `${escapeGlob(keyStart + prefix)}*`;
    const seen = new Set<string>();
    let cursor = "0";
    do {
      const [next, found] = await batching(redis.scan(cursor, "MATCH", match, "COUNT", scanCount));
      cursor = next;
      // A scan may show a key twice.
      const page = found.filter((key) => !seen.has(key));
      for (const key of page) seen.add(key);
      if (page.length > 0) yield page.map(fromKey);
    } while (cursor !== "0");
  }

  let closed: Promise<void> | null = null;
  return {
    get: (key, field) => reading(redis.hgetBuffer(toKey(key), field)),
    async getMany(all, field) {
      const replies = await Promise.all(all.map((key) => reading(redis.hgetBuffer(toKey(key), field))));
      return replies;
    },
    read,
    write,
    keys,
    async remove(all) {
      await batch(
        all,
        (pipeline, key) => pipeline.unlink(toKey(key)),
        (key) => key,
      );
    },
    onChange: changes.listen,
    onLoss: losses.listen,
    close() {
      changes.close();
      losses.close();
      closed ??= batching(redis.quit()).then(
        () => undefined,
        () => redis.disconnect(),
      );
      return closed;
    },
  };
}

async function connect(redis: Redis): Promise<void> {
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw new ReadModelsUnavailable(`Redis cannot be reached: ${(error as Error).message}`, { cause: error });
  }
}

const canary = "proximal:canary";

async function seen(redis: Redis): Promise<ServerSeen> {
  const replies = await redis.pipeline().info("server").setnx(canary, randomUUID()).get(canary).exec();
  const [info, , epoch] = (replies ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return String(reply);
  });
  return { run: /^run_id:(\w+)/m.exec(info ?? "")?.[1] ?? "", epochs: new Map([[canary, epoch ?? ""]]) };
}

function scriptArguments({ from, to, set, remove = [] }: GuardedWrite): (string | Buffer)[] {
  const args: (string | Buffer)[] = [String(from), String(to), String(set.size + 1), versionField, String(to)];
  for (const [field, value] of set) args.push(field, value);
  for (const field of remove) args.push(field);
  return args;
}

function wholeRow(reply: Record<string, Buffer>): Row {
  const fields = new Map(Object.entries(reply));
  const version = fields.get(versionField);
  fields.delete(versionField);
  return { version: version === undefined ? 0 : Number(version.toString()), fields };
}

function namedRow([version, ...values]: readonly (Buffer | null)[], names: readonly string[]): Row {
  const fields = new Map<string, Buffer>();
  names.forEach((name, at) => {
    const value = values[at] ?? null;
    if (value !== null) fields.set(name, value);
  });
  return { version: version == null ? 0 : Number(version.toString()), fields };
}

/** `*`, `?`, `[`, `]` and `\` mean themselves. */
function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\^]/g, "\\$&");
}
