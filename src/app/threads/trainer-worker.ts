import { randomUUID } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { learnerModels } from "../../domain/learner-model/models.ts";
import { createSoleOwner, type SoleOwner } from "../../workers/sole-owner.ts";
import { createTrainer, type Trainer } from "../../workers/trainer.ts";
import { openEngines } from "../compose.ts";
import type { Config } from "../config.ts";
import { createLifecycle, Stopped } from "../lifecycle.ts";
import { createLogger } from "../observability/logging.ts";
import { createPatience } from "../wait-for-engine.ts";

/** What the thread of trainer-thread.ts runs; it says how far it is whenever that changes. Null: another process trains. */
export type TrainerMessage = { readonly position: number | null };
export type TrainerOrder = "train" | "stop";

const tellEveryMs = 50;

if (parentPort === null) throw new Error("trainer-worker.ts runs as a worker thread");
const port = parentPort;
const config = workerData as Config;
const log = createLogger(config, process.stderr);
const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
let trainer: Trainer | null = null;

/** Its connections are its own, and so is its wait for an engine that is not there (any more). */
async function open(): Promise<SoleOwner> {
  const patience = createPatience({ forMs: config.startTimeoutSeconds * 1000, life, log });
  const { eventStore: store, feed, blobs, lease } = await openEngines(config, life, { patience });
  const model = learnerModels[config.model];
  const begin = (): Trainer => {
    const begun = createTrainer({ store, feed, blobs, log, clock: { now: Date.now }, model });
    begun.start();
    trainer = begun;
    return begun;
  };
  // Each model has its own versions and checkpoint, so each has its own owner.
  return life.acquire(
    "trainer",
    () => createSoleOwner({ lease, name: `trainer ${model.name}`, holder: randomUUID(), log, begin }),
    (opened) => opened.stop(),
  );
}
const opening = open();

let told: number | null | undefined;
function tell(owner: SoleOwner): void {
  const position = owner.owns() ? (trainer?.position() ?? 0) : null;
  if (position === told) return;
  told = position;
  port.postMessage({ position } satisfies TrainerMessage);
}
let telling: NodeJS.Timeout | undefined;

async function obey(order: TrainerOrder): Promise<void> {
  if (order === "train") {
    const owner = await opening;
    await owner.start();
    tell(owner);
    telling = setInterval(() => tell(owner), tellEveryMs);
    return;
  }
  await life.stop();
  clearInterval(telling);
  port.close();
}
port.on("message", (order: TrainerOrder) => {
  obey(order).catch((error: unknown) => {
    // Told to stop while it waited for an engine: there is nothing to train with.
    if (!(error instanceof Stopped)) throw error;
  });
});
// What cannot be opened ends the thread, whether it was told to train by then or not.
await opening.catch((error: unknown) => {
  if (!(error instanceof Stopped)) throw error;
});
