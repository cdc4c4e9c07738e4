import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import type { LoadOrder, LoadReport, Shot } from "./load-generator.ts";

type Order = Pick<LoadOrder, "url" | "key" | "connections" | "seconds" | "requests" | "shots">;

/** Latencies are counted in tenths of a millisecond, up to a minute. */
const perMs = 10;
const slots = 60_000 * perMs;

/**
 * As many requests as go, for less than half of what autocannon takes for each (a third of what a single POST takes in all, on the cores that
 * the server and PostgreSQL work on too): requests are bytes made beforehand, and of an answer status and length are looked at, as
 * Node writes them. Each connection has one request under way.
 */
export async function runLean({ url, key, connections, seconds, requests, shots }: Order): Promise<LoadReport> {
  const { hostname, port } = new URL(url);
  const bytes = shots.map((shot) => bytesOf(shot, hostname, key));
  const latencies = new Uint32Array(slots + 1);
  let [answered, failed, last] = [0, 0, 0];
  const startedAt = performance.now();
  const over = (): boolean =>
    performance.now() - startedAt >= seconds * 1000 || (requests !== undefined && answered + failed >= requests);

  function one(connection: number): Promise<void> {
    const mine = bytes.filter((_, at) => at % connections === connection % connections);
    const turn = mine.length > 0 ? mine : bytes;
    return new Promise((resolve) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      let [next, sentAt, ended] = [0, 0, false];
      let rest: Buffer | null = null;
      const send = (): void => {
        sentAt = performance.now();
        socket.write(turn[next++ % turn.length] as Buffer);
      };
      socket.once("connect", send);
      socket.on("data", (part) => {
        const received: Buffer = rest === null ? part : Buffer.concat([rest, part]);
        const status = statusOfWhole(received);
        rest = status === null ? received : null;
        if (status === null) return;
        last = performance.now();
        if (status >= 200 && status < 300) answered += 1;
        else failed += 1;
        const slot = Math.min(slots, Math.floor((last - sentAt) * perMs));
        latencies[slot] = (latencies[slot] as number) + 1;
        ended = over();
        if (ended) socket.destroy();
        else send();
      });
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
  const bodyAt = received.indexOf("\r\n\r\n") + 4;
  if (bodyAt < 4) return null;
  const head = received.toString("latin1", 0, bodyAt);
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer without its length: ${head.slice(0, 200)}`);
  return received.length < bodyAt + Number(length) ? null : Number(head.slice(9, 12));
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
