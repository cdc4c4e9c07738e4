import { setTimeout as sleep } from "node:timers/promises";
import { ErrorType, EventStoreDBClient } from "@eventstore/db-client";
import pTimeout from "p-timeout";
import { LogUnavailable } from "../../../ports/event-store.ts";
import type { ServerEvent } from "./events.ts";

/**
 * Throws where the connection string could not do what it seems to say. The client leaves credentials out over a plain
 * connection without a word, and answers throwOnAppendFailure=false with a revision that is always 1.
 */
export function checkUrl(url: string): void {
  const match = /^esdb(?:\+discover)?:\/\/([^/?]+)\/?(?:\?(.*))?$/.exec(url.trim());
  if (match === null) throw new Error("not the URL of an EventStoreDB: esdb://host:port or esdb+discover://name");
  const [, authority = "", query = ""] = match;
  const options = query.split("&").map((pair) => pair.split("=", 2));
  const option = (name: string) =>
    options.find(([key = ""]) => key.replaceAll(/[_-]/g, "").toLowerCase() === name.toLowerCase())?.[1];
  if (authority.includes("@") && option("tls") === "false") {
    throw new Error("credentials are sent over TLS only: leave tls=false out of the URL, or the credentials");
  }
  if (option("throwOnAppendFailure") === "false") {
    throw new Error("throwOnAppendFailure=false hides what an append came to: leave it out of the URL");
  }
}

interface Stream {
  listeners(event: "data"): ((reply: unknown) => void)[];
  removeListener(event: "data", listener: (reply: unknown) => void): void;
  on(event: "data", listener: (reply: unknown) => void): void;
  write(chunk: unknown): boolean;
}

/** What has to be reached inside of the client, which its types hide. The client is pinned to one version for it. */
interface Internals {
  GRPCStreamCreator(type: unknown, name: string, creator: (grpc: unknown) => unknown, cache?: unknown): () => unknown;
  getChannel(): Promise<{ close(): void }>;
}

/**
 * A client whose batch appends cannot end the process. As it comes, a reply that nobody waits for any more is a
 * TypeError in an event listener, and an append that waits behind a full connection when that fails is a rejection that
 * nobody can catch. (Fixed in the successor, @kurrent/kurrentdb-client, pull request 523.)
 */
export function connect(url: string, onLateReply: () => void): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(url);
  const internals = client as unknown as Internals;
  const create = internals.GRPCStreamCreator;
  internals.GRPCStreamCreator = (type, name, creator, cache) => {
    if (name !== "appendToStream") return create(type, name, creator, cache);
    return create(type, name, (grpc) => guard(creator(grpc) as Stream, onLateReply), cache);
  };
  return client;
}

function guard(stream: Stream, onLateReply: () => void): Stream {
  for (const listener of stream.listeners("data")) {
    stream.removeListener("data", listener);
    stream.on("data", (reply) => {
      try {
        listener(reply);
      } catch {
        onLateReply();
      }
    });
  }
  // Nothing ever waits in the client's own queue: how much is under way is bounded by who calls it.
  const write = stream.write.bind(stream);
  stream.write = (chunk) => {
    write(chunk);
    return true;
  };
  return stream;
}

const disconnected = new WeakSet<EventStoreDBClient>();

/** Ends all streams of the client and closes its connection. Never rejects. */
export async function disconnect(client: EventStoreDBClient): Promise<void> {
  disconnected.add(client);
  const ended = client.dispose().catch(() => {});
  await Promise.race([ended, sleep(1_000, undefined, { ref: false })]);
  // Without a connection asking for it makes one, which closes as well as any.
  const closed = (client as unknown as Internals).getChannel().then(
    (channel) => channel.close(),
    () => {},
  );
  await Promise.race([closed, sleep(1_000, undefined, { ref: false })]);
}

/** No answer in time. Whether the request took effect is not known. */
export class NoAnswer extends LogUnavailable {}

/** Settles as the work does, but rejects with {@link NoAnswer} after so long; the work's end is then nobody's business. */
export function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const late = (): never => {
    throw new NoAnswer(`EventStoreDB gave no answer to ${what} in ${ms} ms`);
  };
  return pTimeout(work, { milliseconds: ms, fallback: late });
}

/** What a read of the client is, as far as it is used here. */
interface ResolvedEvents extends Pick<NodeJS.EventEmitter, "on"> {
  cancel(): Promise<void>;
}

/**
 * All that a read gives. The client has no deadline for reads: this one cancels what takes longer. And it ends a read
 * that its own disconnecting cuts off as if that had been all there is, which would look like a shorter log.
 */
export function collect(
  client: EventStoreDBClient,
  ms: number,
  what: string,
  start: (client: EventStoreDBClient) => ResolvedEvents,
): Promise<ServerEvent[]> {
  return new Promise((resolve, reject) => {
    const stream = start(client);
    const events: ServerEvent[] = [];
    const fail = (error: unknown) => {
      clearTimeout(timer);
      stream.cancel().catch(() => {});
      reject(error);
    };
    const timer = setTimeout(() => fail(new NoAnswer(`EventStoreDB gave no answer to ${what} in ${ms} ms`)), ms);
    stream.on("data", ({ event }: { event?: ServerEvent }) => {
      if (event !== undefined) events.push(event);
    });
    // It stays on: an error after the end is nobody's.
    stream.on("error", fail);
    stream.on("end", () => {
      if (disconnected.has(client)) return fail(new LogUnavailable(`EventStoreDB: ${what}: disconnected`));
      clearTimeout(timer);
      resolve(events);
    });
  });
}

/** The type of a client's error ("unavailable", "wrong-expected-version", ...), undefined for any other error. */
export function errorType(error: unknown): ErrorType | undefined {
  return error instanceof Error && "type" in error && typeof error.type === "string"
    ? (error.type as ErrorType)
    : undefined;
}

/** Answers that asking again will not change; all else may be the network, a server that starts, an election. */
const final: ReadonlySet<ErrorType | undefined> = new Set([
  ErrorType.WRONG_EXPECTED_VERSION,
  ErrorType.STREAM_NOT_FOUND,
  ErrorType.STREAM_DELETED,
  ErrorType.ACCESS_DENIED,
  ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED,
  ErrorType.INVALID_ARGUMENT,
]);

/** {@link LogUnavailable} for whatever may pass by itself, else the error itself. */
export function asLogError(error: unknown): unknown {
  if (error instanceof LogUnavailable || error instanceof RangeError || final.has(errorType(error))) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new LogUnavailable(`EventStoreDB: ${why}`, { cause: error });
}

/**
 * Tries until it works, an answer is final, or the time is up; then rejects with what {@link asLogError} makes of it.
 * `work` is told how long it may take, and must be safe to repeat.
 */
export async function trying<T>(ms: number, what: string, work: (ms: number) => Promise<T>): Promise<T> {
  const end = performance.now() + ms;
  for (let pause = 20; ; pause = Math.min(pause * 2, 500)) {
    const left = Math.max(1, end - performance.now());
    try {
      return await within(left, what, work(left));
    } catch (error) {
      const isFinal = final.has(errorType(error)) || error instanceof NoAnswer || error instanceof RangeError;
      if (isFinal || end - performance.now() < pause) throw asLogError(error);
    }
    await sleep(pause);
  }
}
