import type { Redis } from "ioredis";
import { ReadModelsUnavailable } from "../../ports/read-models.ts";
import type { RedisServers } from "../engines/redis-servers.ts";

export type Pipeline = ReturnType<Redis["pipeline"]>;

/** One command about one key, or about several that one server has. */
export interface Command {
  readonly key: string;
  /** The others, where there are some. */
  readonly moreKeys?: readonly string[];
  /** Adds exactly one command. Called again for each try. */
  add(pipeline: Pipeline): unknown;
  done(reply: unknown): void;
}

export interface RunOptions {
  /** Nothing is tried again after this moment of performance.now(). */
  readonly until: number;
  /** Waits for servers that are gone, loading or without a master, instead of rejecting: reads have copies to turn to. */
  readonly patient: boolean;
  /** Told, in the same pipeline and channel, after commands: the text is made of their keys. */
  readonly announce?: { readonly channel: string; message(keys: readonly string[]): string };
}

export type RunCommands = (commands: readonly Command[], options: RunOptions) => Promise<void>;

/** What is to be done about a reply that is an error. */
type Remedy = "moved" | "ask" | "again" | "wait" | "refresh" | null;

interface Waiting {
  readonly command: Command;
  /** Where a reply said it has to be sent. */
  address: string | null;
  asking: boolean;
  error: Error | null;
}

/** Keys in a pipeline. */
const pipelineSize = 500;
const pauseMs = 50;
/** Redirections that are followed at once; from then on with a pause, since two servers may disagree for a while. */
const promptRedirections = 3;

/**
 * Runs commands in pipelines, one after the other on each server and side by side on all, wherever their keys are. What a
 * server refuses because the key has moved, or for a while only, is tried again by itself. Rejects when a command cannot
 * be done; others may be done by then.
 */
export function createCommands(servers: RedisServers): RunCommands {
  return async (commands, options) => {
    let left: Waiting[] = commands.map((command) => ({ command, address: null, asking: false, error: null }));
    for (let tries = 0; left.length > 0; tries += 1) {
      left = await tryOnce(servers, left, options);
      const remedies = new Set(left.map(({ error }) => remedyOf(error)));
      if (remedies.has(null) || (!options.patient && (remedies.has("wait") || remedies.has("refresh")))) break;
      if (remedies.has("refresh")) await refresh(servers, left);
      else if (remedies.has("moved")) void refresh(servers, left);
      const prompt = tries < promptRedirections && !remedies.has("wait") && !remedies.has("refresh");
      if (performance.now() + (prompt ? 0 : pauseMs) > options.until) break;
      if (!prompt) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    const error = left.find((one) => remedyOf(one.error) === null)?.error ?? left[0]?.error;
    if (error != null) throw new ReadModelsUnavailable(`Redis: ${error.message}`, { cause: error });
  };
}

/** Gives back what has to be tried again. */
async function tryOnce(servers: RedisServers, all: readonly Waiting[], options: RunOptions): Promise<Waiting[]> {
  const byServer = new Map<Redis | null, Waiting[]>();
  for (const one of all) {
    const server = (one.address === null ? null : servers.at(one.address)) ?? servers.master(one.command.key);
    const some = byServer.get(server);
    if (some === undefined) byServer.set(server, [one]);
    else some.push(one);
  }
  const failed = await Promise.all(Array.from(byServer, ([server, some]) => onServer(server, some, options)));
  return failed.flat();
}

async function onServer(server: Redis | null, all: readonly Waiting[], options: RunOptions): Promise<Waiting[]> {
  const failed: Waiting[] = [];
  for (const some of pipelinesOf(all)) {
    const replies = server === null ? [] : await inPipeline(server, some, options.announce);
    some.forEach((one, at) => {
      const [error, reply] = replies[at] ?? [noServer, null];
      if (error === null) {
        one.command.done(reply);
      } else {
        follow(one, error);
        failed.push(one);
      }
    });
  }
  return failed;
}

function* pipelinesOf(all: readonly Waiting[]): Generator<readonly Waiting[]> {
  let from = 0;
  let keys = 0;
  for (const [at, { command }] of all.entries()) {
    keys += keysOf(command).length;
    if (keys < pipelineSize) continue;
    yield all.slice(from, at + 1);
    from = at + 1;
    keys = 0;
  }
  if (from < all.length) yield all.slice(from);
}

const keysOf = ({ key, moreKeys = [] }: Command): readonly string[] => [key, ...moreKeys];

const noServer = new Error("no server for this key is known");

async function inPipeline(
  server: Redis,
  some: readonly Waiting[],
  announce: RunOptions["announce"],
): Promise<[Error | null, unknown][]> {
  const pipeline = server.pipeline();
  const places = some.map(({ command, address, asking }) => {
    if (asking && address !== null) pipeline.asking();
    command.add(pipeline);
    return pipeline.length - 1;
  });
  if (announce !== undefined)
    pipeline.publish(announce.channel, announce.message(some.flatMap((one) => keysOf(one.command))));
  const replies = (await pipeline.exec()) ?? [];
  return places.map((place) => replies[place] ?? [noServer, null]);
}

function follow(one: Waiting, error: Error): void {
  const remedy = remedyOf(error);
  one.error = error;
  one.asking = remedy === "ask";
  one.address = remedy === "moved" || remedy === "ask" ? (error.message.split(" ")[2] ?? null) : null;
}

async function refresh(servers: RedisServers, failed: readonly Waiting[]): Promise<void> {
  const about = new Map<Redis | null, Error>();
  for (const { command, error } of failed) if (error !== null) about.set(servers.master(command.key), error);
  await Promise.all(Array.from(about, ([server, error]) => servers.refresh(server, error)));
}

const remedies: Record<string, Remedy> = {
  MOVED: "moved",
  ASK: "ask",
  // It has forgotten the script, and is told it with the next try.
  NOSCRIPT: "again",
  // Some keys of the slot are here and some there: only commands on several keys meet this, for a while.
  TRYAGAIN: "wait",
  LOADING: "wait",
  BUSY: "wait",
  NOREPLICAS: "wait",
  MASTERDOWN: "refresh",
  READONLY: "refresh",
  CLUSTERDOWN: "refresh",
};

/** null: trying again does not help. */
function remedyOf(error: Error | null): Remedy {
  // Whatever is not the answer of a server is trouble with the connection to it.
  if (error === null || error.name !== "ReplyError") return "refresh";
  return remedies[error.message.split(" ", 1)[0] ?? ""] ?? null;
}
