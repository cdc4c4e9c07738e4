// A child process: puts load on a server, with autocannon at a rate and with lean-load.ts as much as goes, and reports. In its own process so that measuring does not
// take time from what is measured. Several orders at once are carried out at once.

import autocannon from "autocannon";
import { runLean } from "./lean-load.ts";

export interface Shot {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
}

export interface LoadOrder {
  readonly url: string;
  readonly key: string;
  readonly connections: number;
  readonly seconds: number;
  /** Ends with so many requests, or after `seconds` with fewer; not at a rate. */
  readonly requests?: number;
  /** Requests a second over all connections; as many as go when left out. */
  readonly rate?: number;
  /** Each connection goes round its own part of these. */
  readonly shots: readonly Shot[];
}

/** What the child process is sent, and what it answers with. */
export interface NumberedOrder {
  readonly number: number;
  readonly order: LoadOrder;
}
export interface NumberedReport {
  readonly number: number;
  readonly report: LoadReport;
}

export interface LoadReport {
  readonly requests: number;
  readonly seconds: number;
  readonly failed: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

function runAtRate(order: LoadOrder, rate: number): Promise<LoadReport> {
  const headers = { authorization: `Bearer ${order.key}`, "content-type": "application/json" };
  const requests = order.shots.map((shot) => ({ ...shot, headers }));
  let client = 0;
  return new Promise((resolve, reject) => {
    const options: autocannon.Options = {
      url: order.url,
      connections: order.connections,
      duration: order.seconds,
      overallRate: rate,
      requests: requests.slice(0, 1),
      setupClient(made) {
        const mine = requests.filter((_, i) => i % order.connections === client % order.connections);
        client += 1;
        made.setRequests(mine.length > 0 ? mine : requests);
      },
    };
    autocannon(options, (error, result) => {
      if (error) return reject(error);
      resolve({
        requests: result["2xx"],
        seconds: result.duration,
        failed: result.non2xx + result.errors + result.timeouts,
        p50: result.latency.p50,
        p99: result.latency.p99,
      });
    });
  });
}

process.on("message", ({ number, order }: NumberedOrder) => {
  const load = order.rate === undefined ? runLean(order) : runAtRate(order, order.rate);
  load.then(
    (report) => process.send?.({ number, report } satisfies NumberedReport),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
