import type { Redis } from "ioredis";
import type { RedisServers } from "../engines/redis-servers.ts";

type Listener = (keys: readonly string[] | null) => void;

export interface Changes {
  readonly channel: string;
  listen(listener: Listener): () => void;
  close(): void;
}

/** A subscribing connection that is silent for so long is given up: its server hangs. */
const silentMs = 1000;
const pauseMs = 100;

/**
 * The word of rows that were written, by publish and subscribe; in a cluster each node hears what is published on any.
 * The subscribing connection is made when somebody first listens, and made anew, on any server, when it ends.
 */
export function createChanges(servers: RedisServers, channel: string, onError: (error: Error) => void): Changes {
  const listeners = new Set<Listener>();
  let connection: Redis | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function tell(keys: readonly string[] | null): void {
    for (const listener of listeners) listener(keys);
  }

  function subscribe(): void {
    if (closed) return;
    const made = servers.subscriber();
    connection = made;
    made.on("error", onError);
    made.on("message", (_channel, message) => tell(message.split("\n")));
    made.once("end", () => {
      clearInterval(timer);
      // What is written between a lost connection and the next is never told.
      tell(null);
      if (!closed) setTimeout(subscribe, pauseMs).unref();
    });
    made.subscribe(channel).then(
      () => {
        tell(null);
        timer = watch(made);
      },
      () => made.disconnect(),
    );
  }

  return {
    channel,
    listen(listener) {
      listeners.add(listener);
      if (connection === null) subscribe();
      return () => void listeners.delete(listener);
    },
    close() {
      closed = true;
      listeners.clear();
      clearInterval(timer);
      connection?.disconnect();
    },
  };
}

/** Ends a connection whose server does not answer a ping until the next is due. */
function watch(connection: Redis): NodeJS.Timeout {
  let answered = true;
  const look = (): void => {
    if (!answered) connection.disconnect();
    answered = false;
    const heard = (): void => {
      answered = true;
    };
    connection.ping().then(heard, heard);
  };
  const timer = setInterval(look, silentMs);
  timer.unref();
  return timer;
}
