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

/** What node:http has made of the headers, and whether it has sent them. */
type WithHeader = ServerResponse & { readonly _header: string; _headerSent: boolean };

const sentAtOnceMax = 16 * 1024;
/** Where a reply is put together. */
let reply = Buffer.allocUnsafeSlow(sentAtOnceMax);

/**
 * The same of texts, one after the other, each in one piece: copied once, to where the system takes them from. node:http would put them
 * into one string with the headers, and that into a buffer.
 */
export function sendPieces(
  response: ServerResponse,
  status: number,
  headers: string[],
  texts: readonly string[],
  bytes: number,
) {
  headers[headers.length - 1] = String(bytes);
  response.writeHead(status, headers);
  const { socket, _header: header } = response as WithHeader;
  let length = 0;
  for (const text of texts) length += text.length;
  const encoding = bytes === length ? "latin1" : "utf8";
  // Behind others of its connection, or long: node:http keeps it.
  if (socket === null || header.length + bytes > sentAtOnceMax) {
    response.end(texts.join(""), encoding);
    return;
  }
  let at = reply.write(header, 0, "latin1");
  for (const text of texts) at += reply.write(text, at, encoding);
  (response as WithHeader)._headerSent = true;
  response.end(reply.subarray(0, at));
  // Not taken whole by the system: its rest stays where it is until then.
  if (socket.writableLength > 0) reply = Buffer.allocUnsafeSlow(sentAtOnceMax);
}

/** Headers for {@link sendText} and {@link sendPieces}. */
export const jsonHeaders = (others: Readonly<Record<string, string>>): string[] =>
  Object.entries({ "content-type": "application/json; charset=utf-8", ...others, "content-length": "" }).flat();
