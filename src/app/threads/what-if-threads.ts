import { availableParallelism } from "node:os";
import type { RangeResult } from "../../queries/what-if/replay-range.ts";
import type { TrainedWeights } from "../../queries/what-if/weights-in-order.ts";
import type { Watch, WhatIfWorkers } from "../../queries/what-if/what-if.ts";
import type { Config } from "../config.ts";
import { runThread } from "./run-thread.ts";
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
      const end = await found({ config, work: { kind: "train", model, to } }, watch);
      return end as TrainedWeights[];
    },
    async range(range, ranges, plan, watch) {
      const end = await found({ config, work: { kind: "range", range, ranges, plan } }, watch);
      return end as RangeResult;
    },
  };
}

/** The log is read in pages that die young: room for them spares most of the collector's work. */
const resourceLimits = { maxYoungGenerationSizeMb: 128 };

/** Resolves with what the thread found; it has ended either way. */
async function found(order: WhatIfOrder, { signal, onProgress }: Watch): Promise<unknown> {
  const last = await runThread<WhatIfMessage>("what-if-worker", {
    ...{ order, signal, resourceLimits },
    onMessage(message) {
      if ("position" in message) onProgress(message.position);
    },
  }).catch((error: unknown) => {
    throw explained(error);
  });
  if (last !== null && "found" in last) return last.found;
  signal.throwIfAborted();
  throw new Error("a thread of the what-if ended early");
}

function explained(error: unknown): unknown {
  if (!(error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY")) return error;
  return new Error("so many learners do not fit into memory: replay fewer events, or a sample of the learners");
}
