import { runClass } from "./class-run.ts";
import { runPlacement } from "./placement-run.ts";
import { type ClassTask, classTasks, type PlacementTask, placementTasks, type Simulation } from "./simulation.ts";
import { type ClassResult, type PlacementResult, type SimulationResult, summarise } from "./summary.ts";

/** A piece of a simulation that stands alone: any thread may do any. */
export type SimulationTask =
  | ({ readonly kind: "class" } & ClassTask)
  | ({ readonly kind: "placement" } & PlacementTask);
export type TaskResult =
  | { readonly kind: "class"; readonly result: ClassResult }
  | { readonly kind: "placement"; readonly result: PlacementResult };

/** In the order of their seeds, so that what is done when it is stopped is of use. */
export function simulationTasks(simulation: Simulation): SimulationTask[] {
  const tasks: SimulationTask[] = [
    ...classTasks(simulation).map((task) => ({ kind: "class" as const, ...task })),
    ...placementTasks(simulation).map((task) => ({ kind: "placement" as const, ...task })),
  ];
  return tasks.sort((a, b) => a.seed - b.seed);
}

/** A function of its arguments. */
export function runTask(simulation: Simulation, task: SimulationTask): TaskResult {
  if (task.kind === "placement") {
    const { policy, seed } = task;
    return { kind: "placement", result: { policy, seed, measures: runPlacement(simulation, { policy, seed }) } };
  }
  const { generator, policy, seed } = task;
  const run = runClass(simulation, { generator, policy, seed });
  return { kind: "class", result: { generator, policy, seed, ...run } };
}

export function summariseTasks(simulation: Simulation, results: readonly TaskResult[]): SimulationResult {
  return summarise(
    simulation,
    results.flatMap((each) => (each.kind === "class" ? each.result : [])),
    results.flatMap((each) => (each.kind === "placement" ? each.result : [])),
  );
}
