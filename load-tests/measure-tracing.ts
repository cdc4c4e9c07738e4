import { once } from "node:events";
import { Agent, request } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { type MessagePort, parentPort, Worker, workerData } from "node:worker_threads";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import { pino } from "pino";
import { createTracing } from "../src/adapters/tracing/opentelemetry.ts";
import { tracedAppends } from "../src/app/observability/traced.ts";
import type { ServerDeps } from "../src/http/server-deps.ts";
import { startTestApi } from "../test/support/api.ts";

/*
 * What traces cost a request, by the share that is traced: `node load-tests/measure-tracing.ts` [--requests 4000] [--rounds 7].
 *
 * A server in memory for each share, asked in turn by a thread beside it: GET next, answered by the fast path, and a POST of
 * one answer. Microseconds of CPU of the server's thread for a request, the median of the rounds. Spans go to an exporter that
 * throws them away: what a collector takes is not in it.
 */

const shares = { off: null, "one in a billion": 1e-9, "1 %": 0.01, all: 1 } as const;

interface Order {
  readonly port: number;
  readonly key: string;
  readonly method: "GET" | "POST";
  readonly requests: number;
}

async function measure(): Promise<void> {
  const { values } = parseArgs({
    options: { requests: { type: "string", default: "4000" }, rounds: { type: "string", default: "7" } },
  });
  const servers = await Promise.all(Object.entries(shares).map(([name, ratio]) => startServer(name, ratio)));
  const found = new Map<string, number[]>();
  // The first round warms up.
  for (let round = 0; round <= Number(values.rounds); round += 1) {
    for (const { name, port, key } of servers) {
      for (const method of ["GET", "POST"] as const) {
        const us = await cpuOf({ port, key, method, requests: Number(values.requests) });
        const what = `${method === "GET" ? "GET next" : "POST"}, ${name}`;
        if (round > 0) found.set(what, [...(found.get(what) ?? []), us]);
      }
    }
  }
  for (const [what, all] of [...found].sort()) {
    const sorted = all.sort((a, b) => a - b);
    console.log(what.padEnd(28), (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(1), "us");
  }
  for (const { stop } of servers) await stop();
}

async function startServer(name: string, ratio: number | null) {
  const exporter: SpanExporter = { export: (_, done) => done({ code: 0 }), shutdown: async () => undefined };
  const tracing = ratio === null ? undefined : createTracing({ ratio, exporter, resource: {} });
  const api = await startTestApi(({ eventStore }) => ({
    // Lines at level debug, as the tests want them, would keep requests from the fast path.
    log: pino({ level: "silent" }) as unknown as ServerDeps["log"],
    ...(tracing && { tracing, eventStore: tracedAppends(eventStore, tracing, "memory") }),
  }));
  await api.call("POST", "/v1/items", { body: { itemId: "a", title: "A", skillIds: [] } });
  await api.call("POST", "/v1/items", { body: { itemId: "b", title: "B", skillIds: [] } });
  const key = await api.key("client");
  await api.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = api.app.server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    await api.stop();
    await tracing?.close();
  };
  return { name, port, key, stop };
}

/** Microseconds of this thread's CPU for a request. */
async function cpuOf(order: Order): Promise<number> {
  const asking = new Worker(new URL(import.meta.url), { workerData: order });
  await once(asking, "message");
  const before = process.threadCpuUsage();
  asking.postMessage("go");
  await once(asking, "message");
  const { user, system } = process.threadCpuUsage(before);
  await asking.terminate();
  return (user + system) / order.requests;
}

async function ask({ port, key, method, requests }: Order, told: MessagePort): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const path = method === "GET" ? "/v1/learners/ada/next" : "/v1/interactions";
  let asked = 0;
  async function caller(): Promise<void> {
    while (asked < requests) {
      asked += 1;
      const sent = request({ port, path, method, agent, headers });
      const answer = { learnerId: "ada", itemId: "a", kind: "answer", correct: true };
      sent.end(method === "POST" ? JSON.stringify(answer) : undefined);
      const [response] = await once(sent, "response");
      response.resume();
      await once(response, "end");
    }
  }
  told.postMessage("ready");
  await once(told, "message");
  await Promise.all(Array.from({ length: 8 }, caller));
  told.postMessage("done");
  agent.destroy();
}

if (parentPort === null) await measure();
else await ask(workerData as Order, parentPort);
