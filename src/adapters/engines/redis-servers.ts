import type { Redis, RedisOptions } from "ioredis";

/** The servers of a Redis that hold its keys, whichever way they are set up, as connections of ioredis. */
export interface RedisServers {
  /** To the server that takes writes of the key; null while none is known. */
  master(key: string): Redis | null;
  /** To a copy of it, which may be behind by some milliseconds; null where there is none, or none is known. */
  replica(key: string): Redis | null;
  /** Whether a command may name several keys: in a cluster only such as are in one slot. */
  readonly manyKeys: boolean;
  /** Whether there are meant to be copies. */
  readonly replicated: boolean;
  masters(): Redis[];
  /** All connections that are made and kept, for who looks whether they still answer. */
  connections(): Redis[];
  /** How many of them there are in each state, as ioredis names states. */
  states(): Readonly<Record<string, number>>;
  /** To the server that a key was said to be at; null where it is not known (yet). */
  at(address: string): Redis | null;
  /** Keys, one for each part of the key space that has an owner of its own; all of them in one where keys do not move. */
  readonly canaries: readonly string[];
  /** After trouble with this server: finds out who owns what now. Does not reject. */
  refresh(about: Redis | null, error: Error): Promise<void>;
  /** Tells that keys may (or surely do) have another owner now than a moment ago, which may know less. */
  onOwnerChange(listener: (surely: boolean) => void): void;
  /** Which server says that it owns which keys, and whether some are on their way; null where keys do not move. */
  layout(): Promise<{ readonly slots: string; readonly moving: boolean } | null>;
  /** A new connection that hears what is published on any of the servers. It is not made again when it ends. */
  subscriber(): Redis;
  /** Resolves when all connections are closed. */
  close(): Promise<void>;
}

/** `ready` is there also where none is. */
export function statesOf(connections: readonly Pick<Redis, "status">[]): Readonly<Record<string, number>> {
  const states: Record<string, number> = { ready: 0 };
  for (const { status } of connections) states[status] = (states[status] ?? 0) + 1;
  return states;
}

/** What connections of all set-ups have in common. */
export type ConnectionOptions = Pick<
  RedisOptions,
  | ("connectTimeout" | "socketTimeout" | "disconnectTimeout" | "maxLoadingRetryTime" | "retryStrategy")
  | ("maxRetriesPerRequest" | "autoResendUnfulfilledCommands" | "username" | "password" | "tls" | "db")
>;

export interface RedisServersOptions {
  onError(error: Error): void;
}
