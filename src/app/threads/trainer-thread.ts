import { Worker } from "node:worker_threads";
import type { Log } from "../../ports/log.ts";
import type { Config } from "../config.ts";
import { moduleUrl } from "./run-thread.ts";
import type { TrainerMessage, TrainerOrder } from "./trainer-worker.ts";

export interface TrainerThread {
  /**
   * Until then the thread only makes itself ready. Resolves when it trains, or stands by because another process does;
   * rejects where it could not start.
   */
  train(): Promise<void>;
  /** Another process trains. */
  standsBy(): boolean;
  /** Everything in the log up to here has been learnt; null where it stands by, and where the thread has failed. */
  position(): number | null;
  /** Resolves when its checkpoint is saved and the lease is given up. Idempotent. */
  stop(): Promise<void>;
}

/**
 * The trainer in a thread of its own, on connections of its own: it works on every answer, and would take turns away
 * from requests. All it shares with the others is the log and the blobs.
 */
export function startTrainerThread(config: Config, log: Log): TrainerThread {
  const logFormat = config.logFormat === "auto" && process.stderr.isTTY ? "text" : config.logFormat;
  const worker = new Worker(moduleUrl("trainer-worker"), { workerData: { ...config, logFormat } });
  let told: TrainerMessage | null = null;
  let stopping: Promise<void> | null = null;
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const started = new Promise<void>((resolve, reject) => {
    worker.on("message", (message: TrainerMessage) => {
      told = message;
      resolve();
    });
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("the trainer ended before it began")));
  });
  // Whoever starts the service waits for it; whoever stops it meanwhile does not care any more.
  started.catch(() => {});
  worker.on("error", (err) => {
    told = null;
    log.error({ err }, "the trainer failed: lists go on with the weights published last; restart to train again");
  });
  return {
    train() {
      worker.postMessage("train" satisfies TrainerOrder);
      return started;
    },
    standsBy: () => told !== null && told.position === null,
    position: () => told?.position ?? null,
    stop() {
      if (stopping === null) {
        worker.postMessage("stop" satisfies TrainerOrder);
        stopping = exited;
      }
      return stopping;
    },
  };
}
