import { constants, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { learnerModels } from "../../domain/learner-model/models.ts";
import { createReadAhead } from "../../projections/read-ahead.ts";
import { type WorkPlan, workersHere } from "../../queries/what-if/what-if.ts";
import { openEngines } from "../compose.ts";
import type { Config } from "../config.ts";
import { createLifecycle } from "../lifecycle.ts";
import { createLogger } from "../observability/logging.ts";

/** What a thread of what-if-threads.ts is given. */
export interface WhatIfOrder {
  readonly config: Config;
  readonly work:
    | { readonly kind: "train"; readonly model: string; readonly to: number }
    | { readonly kind: "range"; readonly range: number; readonly ranges: number; readonly plan: WorkPlan };
}

/** How far the log is gone through, and at the end what was found. */
export type WhatIfMessage = { readonly position: number } | { readonly found: unknown };

if (parentPort === null) throw new Error("what-if-worker.ts runs as a worker thread");
const port = parentPort;
const tell = (message: WhatIfMessage): void => port.postMessage(message);

// Of this thread only: on Linux a nice value belongs to a thread. Live queries come first.
setPriority(constants.priority.PRIORITY_LOW);

const { config, work } = workerData as WhatIfOrder;
const log = createLogger(config, process.stderr);
const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
try {
  const { analysts, blobs } = await openEngines(config, life);
  const here = workersHere({ feed: createReadAhead(analysts), blobs, model: learnerModels[config.model], log });
  const watch = { signal: new AbortController().signal, onProgress: (position: number) => tell({ position }) };
  const found =
    work.kind === "train"
      ? await here.train(work.model, work.to, watch)
      : await here.range(work.range, work.ranges, work.plan, watch);
  tell({ found });
} finally {
  await life.stop();
}
