import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { RangeResult } from "../queries/what-if/replay-range.ts";
import type { TrainedWeights } from "../queries/what-if/weights-in-order.ts";
import type { Watch, WhatIfWorkers } from "../queries/what-if/what-if.ts";
import type { Config } from "./config.ts";
import type { WhatIfMessage, WhatIfOrder } from "./what-if-worker.ts";

/** More would only wait for the log. */
const threadsMax = 8;

/** As many as the machine has cores. Each opens the log for itself, and gives way to whatever else the machine does. */
export function whatIfThreads(
  config: Config,
  width: number = Math.min(threadsMax, availableParallelism()),
): WhatIfWorkers {
  return {
    width,
    async train(model, to, watch) {
      const end = await runThread({ config, work: { kind: "train", model, to } }, watch);
      return end as TrainedWeights[];
    },
    async range(range, ranges, plan, watch) {
      const end = await runThread({ config, work: { kind: "range", range, ranges, plan } }, watch);
      return end as RangeResult;
    },
  };
}

/** The log is read in pages that die young: room for them spares most of the collector's work. */
const resourceLimits = { maxYoungGenerationSizeMb: 128 };

/** Resolves with what the thread found; it has ended either way. */
async function runThread(order: WhatIfOrder, { signal, onProgress }: Watch): Promise<unknown> {
  signal.throwIfAborted();
  // The sources run as they are, the build has the other ending.
  const file = import.meta.url.endsWith(".ts") ? "./what-if-worker.ts" : "./what-if-worker.js";
  const worker = new Worker(new URL(file, import.meta.url), { workerData: order, resourceLimits });
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const stop = (): void => void worker.terminate();
  signal.addEventListener("abort", stop);
  try {
    return await new Promise((resolve, reject) => {
      let found: { readonly value: unknown } | null = null;
      worker.on("message", (message: WhatIfMessage) => {
        if ("found" in message) found = { value: message.found };
        else onProgress(message.position);
      });
      worker.once("error", (error) => reject(explained(error)));
      worker.once("exit", () => {
        if (found !== null) resolve(found.value);
        else reject(signal.aborted ? signal.reason : new Error("a thread of the what-if ended early"));
      });
    });
  } finally {
    signal.removeEventListener("abort", stop);
    await exited;
  }
}

function explained(error: unknown): unknown {
  if (!(error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY")) return error;
  return new Error("so many learners do not fit into memory: replay fewer events, or a sample of the learners");
}
