import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import type { LoadOrder, LoadReport, Shot } from "./load-generator.ts";

type Order = Pick<LoadOrder, "url" | "key" | "connections" | "seconds" | "requests" | "shots">;

/** Latencies are counted in tenths of a millisecond, up to a minute. */
const perMs = 10;
const slots = 60_000 * perMs;

/** An answer that does not fit is put together. */
const bytesAtOnce = 64 * 1024;

/**
 * As many requests as go, for a third of what autocannon takes for each, on the cores that the server and its engines work on too: requests
 * are bytes made beforehand, answers are read into one buffer, and of each answer status and length are looked at. Each
 * connection has one request under way.
 */
export async function runLean({ url, key, connections, seconds, requests, shots }: Order): Promise<LoadReport> {
  const { hostname, port } = new URL(url);
  const bytes = shots.map((shot) => bytesOf(shot, hostname, key));
  const latencies = new Uint32Array(slots + 1);
  const buffer = Buffer.allocUnsafe(bytesAtOnce);
  let [answered, failed] = [0, 0];
  const startedAt = performance.now();
  let last = startedAt;
  const over = (): boolean =>
    last - startedAt >= seconds * 1000 || (requests !== undefined && answered + failed >= requests);

  function one(connection: number): Promise<void> {
    const mine = bytes.filter((_, at) => at % connections === connection % connections);
    const turn = mine.length > 0 ? mine : bytes;
    return new Promise((resolve) => {
      let [next, sentAt, ended] = [0, 0, false];
      let rest: Buffer | null = null;
      const send = (now: number): void => {
        sentAt = now;
        socket.write(turn[next++ % turn.length] as Buffer);
      };
      const received = (length: number): boolean => {
        const part = buffer.subarray(0, length);
        const whole: Buffer = rest === null ? part : Buffer.concat([rest, part]);
        const status = statusOfWhole(whole);
        // What is kept is copied: the next answer comes into the same buffer.
        rest = status !== null ? null : whole === part ? Buffer.from(part) : whole;
        if (status === null) return true;
        last = performance.now();
        if (status >= 200 && status < 300) answered += 1;
        else failed += 1;
        const slot = Math.min(slots, Math.floor((last - sentAt) * perMs));
        latencies[slot] = (latencies[slot] as number) + 1;
        ended = over();
        if (ended) socket.destroy();
        else send(last);
        return true;
      };
      const to = { host: hostname, port: Number(port), noDelay: true };
      const socket = connect({ ...to, onread: { buffer, callback: received } });
      socket.once("connect", () => send(performance.now()));
      // What is wrong with it is seen when it closes.
      socket.on("error", () => undefined);
      socket.once("close", () => {
        if (!ended) failed += 1;
        resolve();
      });
    });
  }

  await Promise.all(Array.from({ length: connections }, (_, connection) => one(connection)));
  const took = (last - startedAt) / 1000;
  return {
    requests: answered,
    seconds: took,
    failed,
    p50: quantileOf(latencies, 0.5),
    p99: quantileOf(latencies, 0.99),
  };
}

function bytesOf({ method, path, body = "" }: Shot, host: string, key: string): Buffer {
  const head = [
    `${method} ${path} HTTP/1.1`,
    `host: ${host}`,
    "connection: keep-alive",
    `authorization: Bearer ${key}`,
    "content-type: application/json",
    // As clients do: a question has no body, and does not say so.
    ...(method === "GET" ? [] : [`content-length: ${Buffer.byteLength(body)}`]),
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** The status of an answer that is there to its end; null for one that is not. */
export function statusOfWhole(received: Buffer): number | null {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  if (received.length < headEnd + 4 + contentLength(received, headEnd)) return null;
  return numberAt(received, "HTTP/1.1 ".length);
}

const lengthHeader = "content-length: ";

/** Looked for without making a text of the head, which took as long as the rest of reading an answer. */
function contentLength(received: Buffer, headEnd: number): number {
  for (let at = received.indexOf(10) + 1; at > 0 && at < headEnd; at = received.indexOf(10, at) + 1) {
    if (isLengthHeader(received, at)) return numberAt(received, at + lengthHeader.length);
  }
  throw new Error(`an answer without its length: ${received.toString("latin1", 0, Math.min(headEnd, 200))}`);
}

function isLengthHeader(received: Buffer, at: number): boolean {
  for (let i = 0; i < lengthHeader.length; i++) {
    // Letters of either case: what differs is a bit that "-", ":" and the blank have too.
    if (((received[at + i] as number) | 0x20) !== lengthHeader.charCodeAt(i)) return false;
  }
  return true;
}

function numberAt(received: Buffer, from: number): number {
  let number = 0;
  for (let at = from; ; at++) {
    const digit = (received[at] as number) - 48;
    if (!(digit >= 0 && digit <= 9)) return number;
    number = number * 10 + digit;
  }
}

function quantileOf(counts: Uint32Array, quantile: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  const slot = counts.findIndex((count) => {
    seen += count;
    return seen >= total * quantile;
  });
  return (slot + 1) / perMs;
}
