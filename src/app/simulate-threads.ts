import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type SimulationTask, simulationTasks, type TaskResult } from "../queries/simulate/run-task.ts";
import type { Simulation } from "../queries/simulate/simulation.ts";
import type { SimulateOrder, SimulateReply } from "./simulate-worker.ts";

export interface SimulateThreadsOptions {
  readonly threads?: number;
  /** Aborted: what is done up to then is all there is. */
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number) => void;
}

/**
 * Does the tasks of a simulation in as many threads as the machine has cores, at a low priority: whatever else runs here goes
 * first. Resolves with what was done, in the order of the tasks; rejects with the first error of a task.
 */
export async function simulateInThreads(
  simulation: Simulation,
  { threads = availableParallelism(), signal, onProgress }: SimulateThreadsOptions,
): Promise<TaskResult[]> {
  const tasks = simulationTasks(simulation);
  const results = new Array<TaskResult | null>(tasks.length).fill(null);
  let next = 0;
  let done = 0;
  const failed = new AbortController();
  const ending = AbortSignal.any([signal, failed.signal]);
  const take = (): [number, SimulationTask] | null => {
    const task = ending.aborted ? undefined : tasks[next];
    return task === undefined ? null : [next++, task];
  };
  const note = (at: number, result: TaskResult): void => {
    results[at] = result;
    done += 1;
    onProgress?.(done);
  };
  const run = (): Promise<void> =>
    runThread(simulation, take, note, ending).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
  const ends = await Promise.allSettled(Array.from({ length: Math.min(threads, tasks.length) }, run));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return results.flatMap((result) => result ?? []);
}

/** Resolves when there is no task left, or when it is to end; the thread has ended either way. */
async function runThread(
  simulation: Simulation,
  take: () => [number, SimulationTask] | null,
  note: (at: number, result: TaskResult) => void,
  ending: AbortSignal,
): Promise<void> {
  let task = take();
  if (task === null) return;
  // The sources run as they are, the build has the other ending.
  const file = import.meta.url.endsWith(".ts") ? "./simulate-worker.ts" : "./simulate-worker.js";
  const worker = new Worker(new URL(file, import.meta.url), { workerData: simulation });
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const stop = (): void => void worker.terminate();
  ending.addEventListener("abort", stop);
  try {
    await new Promise<void>((resolve, reject) => {
      const send = (): void => {
        if (task === null) stop();
        else worker.postMessage({ task: task[1] } satisfies SimulateOrder);
      };
      worker.on("message", ({ result }: SimulateReply) => {
        if (task !== null) note(task[0], result);
        task = take();
        send();
      });
      worker.once("error", reject);
      worker.once("exit", () => resolve());
      send();
    });
  } finally {
    ending.removeEventListener("abort", stop);
    await exited;
  }
  if (task !== null && !ending.aborted) throw new Error("a thread that simulated ended early");
}
