import { parentPort, workerData } from "node:worker_threads";
import { learnerModels } from "../domain/learner-model/models.ts";
import { createTrainer } from "../workers/trainer.ts";
import { openEngines } from "./compose.ts";
import type { Config } from "./config.ts";
import { createLifecycle } from "./lifecycle.ts";
import { createLogger } from "./logging.ts";

/** What the thread of trainer-thread.ts runs; it says how far it is whenever that changes. */
export type TrainerMessage = { readonly position: number };
export type TrainerOrder = "train" | "stop";

const tellEveryMs = 50;

if (parentPort === null) throw new Error("trainer-worker.ts runs as a worker thread");
const port = parentPort;
const config = workerData as Config;
const log = createLogger(config, process.stderr);
const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
const { eventStore: store, feed, blobs } = await openEngines(config, life);
const trainer = await life.acquire(
  "trainer",
  () => createTrainer({ store, feed, blobs, log, clock: { now: Date.now }, model: learnerModels[config.model] }),
  (opened) => opened.stop(),
);

let told = -1;
function tell(): void {
  const position = trainer.position();
  if (position === told) return;
  told = position;
  port.postMessage({ position } satisfies TrainerMessage);
}
let telling: NodeJS.Timeout | undefined;

async function obey(order: TrainerOrder): Promise<void> {
  if (order === "train") {
    trainer.start();
    tell();
    telling = setInterval(tell, tellEveryMs);
    return;
  }
  await life.stop();
  clearInterval(telling);
  port.close();
}
port.on("message", (order: TrainerOrder) => void obey(order));
