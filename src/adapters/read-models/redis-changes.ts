import type { Redis } from "ioredis";

type Listener = (keys: readonly string[] | null) => void;

export interface Changes {
  readonly channel: string;
  listen(listener: Listener): () => void;
  close(): void;
}

/**
 * The word of rows that were written, by publish and subscribe. Channels are shared by all databases of a server, so
 * the channel names its own. The subscribing connection is made when somebody first listens.
 */
export function createChanges(redis: Redis, onError: (error: Error) => void): Changes {
  const channel = `proximal:changes:${redis.options.db ?? 0}`;
  const listeners = new Set<Listener>();
  let subscriber: Redis | null = null;

  function tell(keys: readonly string[] | null): void {
    for (const listener of listeners) listener(keys);
  }

  function subscribe(): Redis {
    const connection = redis.duplicate({ lazyConnect: false, enableAutoPipelining: false, maxRetriesPerRequest: null });
    connection.on("error", onError);
    connection.on("message", (_channel, message) => tell(message.split("\n")));
    // What is written between a lost connection and the next is never told.
    connection.on("close", () => tell(null));
    connection.on("ready", () => tell(null));
    connection.subscribe(channel).catch(onError);
    return connection;
  }

  return {
    channel,
    listen(listener) {
      listeners.add(listener);
      subscriber ??= subscribe();
      return () => void listeners.delete(listener);
    },
    close() {
      listeners.clear();
      subscriber?.disconnect();
    },
  };
}
