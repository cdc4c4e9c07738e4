import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { AnswerHead, WithHead } from "./answer-head.ts";
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

/** Sends a text of so many bytes in UTF-8, with the `tag` that it has. */
export function sendText(response: ServerResponse, head: AnswerHead, text: string, bytes: number, tag?: string): void {
  // Pure ASCII is the same in both, and is copied faster so.
  const encoding = bytes === text.length ? "latin1" : "utf8";
  const header = head.give(response as WithHead, bytes, tag);
  const socket = openSocket(response);
  if (socket === null) response.end(text, encoding);
  else sendWhole(response, socket, header + text, encoding);
}

const sentAtOnceMax = 16 * 1024;
/** Where a reply is put together. */
let reply = Buffer.allocUnsafeSlow(sentAtOnceMax);

/**
 * The same of texts, one after the other, each in one piece: copied once, to where the system takes them from. node:http would put them
 * into one string with the headers, and that into a buffer.
 */
export function sendPieces(
  response: ServerResponse,
  head: AnswerHead,
  texts: readonly string[],
  bytes: number,
  tag?: string,
): void {
  const header = head.give(response as WithHead, bytes, tag);
  let length = 0;
  for (const text of texts) length += text.length;
  const encoding = bytes === length ? "latin1" : "utf8";
  const socket = openSocket(response);
  if (socket === null || header.length + bytes > sentAtOnceMax) {
    response.end(texts.join(""), encoding);
    return;
  }
  let at = reply.write(header, 0, "latin1");
  for (const text of texts) at += reply.write(text, at, encoding);
  sendWhole(response, socket, reply.subarray(0, at));
  // Not taken whole by the system: its rest stays where it is until then.
  if (socket.writableLength > 0) reply = Buffer.allocUnsafeSlow(sentAtOnceMax);
}

/** null where an answer stands behind others of its connection, or nobody hears it: node:http keeps it, or drops it. */
function openSocket({ socket }: ServerResponse): Socket | null {
  return socket?.writable ? socket : null;
}

/** Head and body in one go: node:http would hold the socket's writes back, and let them go again. */
function sendWhole(response: ServerResponse, socket: Socket, whole: string | Buffer, encoding?: BufferEncoding): void {
  (response as WithHead)._headerSent = true;
  socket.write(whole, encoding);
  response.end();
}
