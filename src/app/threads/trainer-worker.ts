import { randomUUID } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { learnerModels } from "../../domain/learner-model/models.ts";
import { createSoleOwner } from "../../workers/sole-owner.ts";
import { createTrainer, type Trainer } from "../../workers/trainer.ts";
import { openEngines } from "../compose.ts";
import type { Config } from "../config.ts";
import { createLifecycle } from "../lifecycle.ts";
import { createLogger } from "../observability/logging.ts";

/** What the thread of trainer-thread.ts runs; it says how far it is whenever that changes. Null: another process trains. */
export type TrainerMessage = { readonly position: number | null };
export type TrainerOrder = "train" | "stop";

const tellEveryMs = 50;

if (parentPort === null) throw new Error("trainer-worker.ts runs as a worker thread");
const port = parentPort;
const config = workerData as Config;
const log = createLogger(config, process.stderr);
const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
const { eventStore: store, feed, blobs, lease } = await openEngines(config, life);
const model = learnerModels[config.model];
let trainer: Trainer | null = null;

function begin(): Trainer {
  const begun = createTrainer({ store, feed, blobs, log, clock: { now: Date.now }, model });
  begun.start();
  trainer = begun;
  return begun;
}

// Each model has its own versions and checkpoint, so each has its own owner.
const owner = await life.acquire(
  "trainer",
  () => createSoleOwner({ lease, name: `trainer ${model.name}`, holder: randomUUID(), log, begin }),
  (opened) => opened.stop(),
);

let told: number | null | undefined;
function tell(): void {
  const position = owner.owns() ? (trainer?.position() ?? 0) : null;
  if (position === told) return;
  told = position;
  port.postMessage({ position } satisfies TrainerMessage);
}
let telling: NodeJS.Timeout | undefined;

async function obey(order: TrainerOrder): Promise<void> {
  if (order === "train") {
    await owner.start();
    tell();
    telling = setInterval(tell, tellEveryMs);
    return;
  }
  await life.stop();
  clearInterval(telling);
  port.close();
}
port.on("message", (order: TrainerOrder) => void obey(order));
