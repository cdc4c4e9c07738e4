import { constants, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { runTask, type SimulationTask, type TaskResult } from "../../queries/simulate/run-task.ts";
import type { Simulation } from "../../queries/simulate/simulation.ts";

/** What a thread of simulate-threads.ts runs: one task after the other, as they are sent. */
export interface SimulateOrder {
  readonly task: SimulationTask;
}
export interface SimulateReply {
  readonly result: TaskResult;
}

if (parentPort === null) throw new Error("simulate-worker.ts runs as a worker thread");
const port = parentPort;
const simulation = workerData as Simulation;
try {
  // Of this thread on Linux; of the whole process elsewhere, which does nothing else.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  // A thread that may not be nice is no reason to stop.
}
port.on("message", ({ task }: SimulateOrder) => {
  port.postMessage({ result: runTask(simulation, task) } satisfies SimulateReply);
});
