import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem, sendRawProblem } from "./problem.ts";
import type { App } from "./services.ts";

/** No new connection for so long is a quiet moment; longer than the other time nobody waits for one. */
const quietMs = 50;
const quietWithinMs = 500;
/** For a body to arrive that nobody will read. */
const bodyWithinMs = 1000;

/**
 * A server stops in two steps, and neither costs a request anything before. Leaving: it answers as ever, but each reply
 * ends its connection, so that nobody sends the next request into one that is about to be closed. Closing: what still
 * comes is told to try again, elsewhere; what is under way is answered.
 *
 * Gives what has to be awaited right before the server stops listening. Connections that the system has accepted and
 * this process has not yet are reset then: to their clients that is a failure. So it stops in a quiet moment, and until
 * then keeps waiting whom it will refuse, who would otherwise come again at once.
 */
export function addDrain(app: App, leaving: AbortSignal, closing: AbortController): () => Promise<void> {
  const { server } = app;
  const held: (() => void)[] = [];
  const connections = new Set<Socket>();
  server.on("connection", (connection: Socket) => {
    connections.add(connection);
    connection.once("close", () => connections.delete(connection));
  });
  let stopped = false;
  let cameAt = 0;

  const leave = (): void => {
    server.prependListener("request", (_request: IncomingMessage, response: ServerResponse) => {
      if (!response.headersSent) response.setHeader("connection", "close");
    });
  };
  if (leaving.aborted) leave();
  else leaving.addEventListener("abort", leave, { once: true });

  async function refuse(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!stopped) await new Promise<void>((resolve) => held.push(resolve));
    await bodyRead(request);
    answer(response);
  }

  function letGo(): void {
    if (server.listening) return void setImmediate(letGo);
    stopped = true;
    for (const resolve of held.splice(0)) resolve();
  }

  return async () => {
    closing.abort();
    server.removeAllListeners("request");
    server.on("request", (request, response) => void refuse(request, response));
    server.on("connection", () => {
      cameAt = performance.now();
    });
    closeWhatFallsIdle(server, connections);
    if (!server.listening) return;
    const startedAt = performance.now();
    cameAt = startedAt;
    while (performance.now() - cameAt < quietMs && performance.now() - startedAt < quietWithinMs) await sleep(1);
    // The answers go out once it does not listen any more, which is the very next thing.
    setImmediate(letGo);
  };
}

/** A connection that has not sent a byte so long after the server stopped listening will not. */
const silentMs = 250;

/**
 * A closing server ends the connections that are idle at that moment. It keeps those whose answer was on its way, and
 * those that never sent anything (clients open some in advance): their clients may hold them for a minute.
 */
function closeWhatFallsIdle(server: App["server"], connections: ReadonlySet<Socket>): void {
  let stoppedAt = Number.POSITIVE_INFINITY;
  const sweep = setInterval(() => {
    if (server.listening) return;
    server.closeIdleConnections();
    stoppedAt = Math.min(stoppedAt, performance.now());
    if (performance.now() - stoppedAt < silentMs) return;
    for (const connection of connections) if (connection.bytesRead === 0) connection.destroy();
  }, 50);
  server.once("close", () => clearInterval(sweep));
}

/** A connection that is closed before its request was read is reset, and the answer with it: the body is let in first. */
function bodyRead(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(resolve, bodyWithinMs);
    const done = (): void => {
      clearTimeout(patience);
      resolve();
    };
    request.resume().once("end", done).once("close", done);
    if (request.readableEnded) done();
  });
}

const detail = "This server is stopping. Nothing of the request was done; send it again, it reaches another one.";

function answer(response: ServerResponse): void {
  if (response.headersSent || response.destroyed) return;
  sendRawProblem(response, new Problem("not_ready", { detail, retryAfterSeconds: 1 }), { connection: "close" });
}
