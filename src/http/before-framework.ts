import type { IncomingMessage, ServerResponse } from "node:http";
import type { App } from "./services.ts";

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Puts a listener before whoever takes requests now, once the app is ready; what it does not answer itself it hands to `next`. Of
 * several the one that was put there last is asked first.
 */
export function beforeFramework(app: App, before: (next: RequestListener) => RequestListener): void {
  app.addHook("onReady", (done) => {
    const [next] = app.server.listeners("request") as [RequestListener];
    app.server.off("request", next);
    app.server.on("request", before(next));
    done();
  });
}

/**
 * Sends a text of so many bytes in UTF-8. `headers` are names and values in turn, as node:http takes them, and the last is the length: it
 * is written into them, and read while they are handed over, so that one array serves all answers of a kind.
 */
export function sendText(response: ServerResponse, status: number, headers: string[], text: string, bytes: number) {
  headers[headers.length - 1] = String(bytes);
  response.writeHead(status, headers);
  // Pure ASCII is the same in both, and is copied faster so.
  response.end(text, bytes === text.length ? "latin1" : "utf8");
}

/** Headers for {@link sendText}. */
export const jsonHeaders = (others: Readonly<Record<string, string>>): string[] =>
  Object.entries({ "content-type": "application/json; charset=utf-8", ...others, "content-length": "" }).flat();
