// A child process of the runner: holds thousands of keep-alive connections to the server, each of which asks now and then.
// In its own process, so that it can be counted apart; from several addresses of 127.0.0.0/8, since one pair of addresses has
// 28,000 ports at the most, and those that closed rest for a minute.

import { createHistogram } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { learnerName } from "../k6/latent.ts";
import { type Connection, openConnection } from "./connection.ts";
import type { ConnectionsResult } from "./result.ts";

export interface ConnectionsOrder {
  readonly url: string;
  readonly key: string;
  readonly connections: number;
  readonly users: number;
  /** Between two questions of one connection; below the server's patience with silent ones (60 s). */
  readonly everyMs: number;
}

export type ConnectionsMessage =
  | { readonly kind: "held"; readonly held: number }
  | { readonly kind: "result"; readonly result: ConnectionsResult };

const sources = 8;
const timeoutMs = 15_000;
/** Connections that are being opened at once. */
const opening = 100;
const failuresMax = 1_000;

async function hold(order: ConnectionsOrder, stopping: AbortSignal, held: (held: number) => void) {
  const { hostname, port } = new URL(order.url);
  const host = hostname === "localhost" ? "127.0.0.1" : hostname.replace(/^\[|\]$/g, "");
  const latency = createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 });
  const count = { requests: 0, failed: 0, reconnects: 0, refused: 0 };
  const all: (Connection | null)[] = new Array(order.connections).fill(null);

  async function open(k: number): Promise<void> {
    const localAddress = host.startsWith("127.") ? `127.0.0.${2 + (k % sources)}` : host;
    const request =
      `GET /v1/learners/${learnerName(k % order.users)}/next?count=10 HTTP/1.1\r\nhost: ${hostname}:${port}\r\n` +
      `authorization: Bearer ${order.key}\r\nconnection: keep-alive\r\n\r\n`;
    all[k] = await openConnection({ host, port: Number(port), localAddress }, request, timeoutMs).catch(() => null);
    if (all[k] === null) count.refused += 1;
  }

  async function ask(k: number): Promise<void> {
    const connection = all[k];
    if (connection === null || connection === undefined || !connection.open) {
      if (count.refused > failuresMax) return;
      count.reconnects += 1;
      await open(k);
      return;
    }
    const began = performance.now();
    const status = await connection.ask();
    if (stopping.aborted) return;
    count.requests += 1;
    if (status !== 200) count.failed += 1;
    else latency.record(Math.max(1, Math.round((performance.now() - began) * 1000)));
  }

  for (let k = 0; k < order.connections && !stopping.aborted; k += opening) {
    const these = Array.from({ length: Math.min(opening, order.connections - k) }, (_, n) => open(k + n));
    await Promise.all(these);
  }
  const isHeld = () => all.filter((connection) => connection?.open === true).length;
  held(isHeld());
  // Each connection has its moment in the interval, so that questions come evenly.
  const startedAt = performance.now();
  let asked = 0;
  while (!stopping.aborted) {
    const due = Math.floor(((performance.now() - startedAt) / order.everyMs) * order.connections);
    // What a stalled generator missed is not made up for in one burst.
    asked = Math.max(asked, due - Math.ceil(order.connections / 10));
    for (; asked < due; asked += 1) void ask(asked % order.connections);
    await sleep(5);
  }
  const heldAtEnd = isHeld();
  for (const connection of all) connection?.close();
  const ms = (percentile: number) => (latency.count === 0 ? null : latency.percentile(percentile) / 1000);
  const result: ConnectionsResult = {
    ...{ wanted: order.connections, held: heldAtEnd, sources: host.startsWith("127.") ? sources : 1 },
    ...{ requests: count.requests, failed: count.failed, reconnects: count.reconnects },
    ...{ p50: ms(50), p95: ms(95), p99: ms(99), max: latency.count === 0 ? null : latency.max / 1000 },
  };
  return result;
}

const say = (message: ConnectionsMessage): void => void process.send?.(message);
const stopping = new AbortController();
process.once("message", (order: ConnectionsOrder) => {
  process.once("message", () => stopping.abort());
  hold(order, stopping.signal, (held) => say({ kind: "held", held })).then(
    (result) => {
      say({ kind: "result", result });
      process.disconnect?.();
    },
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
// A runner that is gone leaves nothing running.
process.once("disconnect", () => process.exit(0));
process.on("SIGINT", () => {});
