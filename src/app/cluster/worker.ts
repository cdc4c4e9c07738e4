import cluster from "node:cluster";
import type { Registry } from "prom-client";
import type { Siblings } from "../../http/server-deps.ts";
import { type FromWorker, fromPrimary } from "./messages.ts";

/** The way from a worker of a cluster to its primary. */
export interface ClusterLink extends Siblings {
  /** Aborts when the primary says stop. */
  readonly stopping: AbortSignal;
  /** Its metrics are part of those of all. */
  register(registry: Registry): void;
  /** `text`: what a process by itself would print now. */
  ready(text: string): void;
}

/** How often workers tell each other what they took of the rate limits. */
const shareMs = 100;
const metricsWithinMs = 5_000;

/** null: this process is by itself. */
export function clusterLink(): ClusterLink | null {
  if (!cluster.isWorker) return null;
  const stopping = new AbortController();
  const asked = new Map<number, (text: string) => void>();
  let registry: Registry | null = null;
  let limits: Parameters<Siblings["shareLimits"]>[0] | null = null;
  let ids = 0;

  const send = (message: FromWorker): void => {
    // Where the primary has gone this process is about to stop as well.
    if (process.connected) process.send?.(message, () => undefined);
  };
  process.on("message", (received: unknown) => {
    const { success, data } = fromPrimary.safeParse(received);
    if (!success) return;
    if (data.proximal === "stop") stopping.abort();
    else if (data.proximal === "taken") limits?.add(data.taken.window, data.taken.taken);
    else if (data.proximal === "all metrics") asked.get(data.id)?.(data.text);
    else void answerMetrics(data.id);
  });

  async function answerMetrics(id: number): Promise<void> {
    const metrics = (await registry?.getMetricsAsJSON().catch(() => [])) ?? [];
    send({ proximal: "my metrics", id, metrics });
  }

  return {
    stopping: stopping.signal,
    register(own) {
      registry = own;
    },
    ready: (text) => send({ proximal: "ready", text }),
    shareLimits(shared) {
      limits = shared;
      setInterval(() => {
        const taken = shared.taken();
        if (taken !== null) send({ proximal: "taken", taken });
      }, shareMs).unref();
    },
    async metrics() {
      ids += 1;
      const id = ids;
      try {
        return await new Promise<string>((resolve, reject) => {
          asked.set(id, resolve);
          setTimeout(() => reject(new Error("the primary does not answer")), metricsWithinMs).unref();
          send({ proximal: "all metrics?", id });
        });
      } finally {
        asked.delete(id);
      }
    },
  };
}
