import { availableParallelism } from "node:os";
import { type SimulationTask, simulationTasks, type TaskResult } from "../../queries/simulate/run-task.ts";
import type { Simulation } from "../../queries/simulate/simulation.ts";
import { runThread, type Thread } from "./run-thread.ts";
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
    takeTasks(simulation, take, note, ending).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
  const ends = await Promise.allSettled(Array.from({ length: Math.min(threads, tasks.length) }, run));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return results.flatMap((result) => result ?? []);
}

/** Resolves when there is no task left, or when it is to end; the thread has ended either way. */
async function takeTasks(
  simulation: Simulation,
  take: () => [number, SimulationTask] | null,
  note: (at: number, result: TaskResult) => void,
  ending: AbortSignal,
): Promise<void> {
  let task = take();
  if (task === null) return;
  const next = (thread: Thread): void => {
    if (task === null) thread.end();
    else thread.send({ task: task[1] } satisfies SimulateOrder);
  };
  await runThread<SimulateReply>("simulate-worker", {
    ...{ order: simulation, signal: ending, onStart: next },
    onMessage({ result }, thread) {
      if (task !== null) note(task[0], result);
      task = take();
      next(thread);
    },
  });
  if (task !== null && !ending.aborted) throw new Error("a thread that simulated ended early");
}
