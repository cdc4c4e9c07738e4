import type { IncomingMessage, ServerResponse } from "node:http";
import { problemBody, problemContentType } from "./problem.ts";
import type { App } from "./services.ts";

/**
 * A server stops in two steps, and neither costs a request anything before. Leaving: it answers as ever, but each reply
 * ends its connection, so that nobody sends the next request into one that is about to be closed. Closing: what still comes
 * is told to try again, elsewhere; what is under way is answered.
 */
export function addDrain(app: App, leaving: AbortSignal, closing: AbortSignal): void {
  const { server } = app;
  const endConnection = (_request: IncomingMessage, response: ServerResponse): void => {
    if (!response.headersSent) response.setHeader("connection", "close");
  };
  const onAbort = (signal: AbortSignal, does: () => void): void => {
    if (signal.aborted) does();
    else signal.addEventListener("abort", does, { once: true });
  };
  onAbort(leaving, () => server.prependListener("request", endConnection));
  onAbort(closing, () => {
    server.removeAllListeners("request");
    server.on("request", refuse);
  });
}

const detail = "This server is stopping. Nothing of the request was done; send it again, it reaches another one.";

function refuse(_request: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify(problemBody("not_ready", detail));
  const head = { "content-type": problemContentType, "retry-after": "1", connection: "close" };
  response.writeHead(503, { ...head, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
