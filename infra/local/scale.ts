import { isStill, stopProcess } from "./processes.ts";
import { freePortLike } from "./programs.ts";
import { isReady, partitions, processNames, roleOf, rolesOf, workersMax } from "./roles.ts";
import { createStarter, startRole, stopMs, type Tell } from "./stack.ts";
import type { StackFolder, State } from "./state.ts";

/** Adds processes to the roles of a stack that runs, and takes them away in good order. */

/** What may be scaled, and up to how many: more of the others would only stand by. */
function mostOf(): Readonly<Record<string, number>> {
  const most = workersMax();
  return { projector: partitions, api: most, query: most, jobs: most };
}

/** `projector=3 jobs=2` by role. Throws with a line that says what is wrong. */
export function wantedWorkers(args: readonly string[]): Map<string, number> {
  const wanted = new Map<string, number>();
  const most = mostOf();
  for (const arg of args) {
    const [, role = "", count = ""] = /^([a-z]+)=(\d{1,3})$/.exec(arg) ?? [];
    const limit = most[role];
    if (limit === undefined)
      throw new Error(`${arg}: give ROLE=NUMBER, the role one of ${Object.keys(most).join(", ")}`);
    if (Number(count) < 1 || Number(count) > limit) throw new Error(`${arg}: from 1 to ${limit}`);
    wanted.set(role, Number(count));
  }
  if (wanted.size === 0) throw new Error("which role, and how many? npm run scale -- projector=2");
  return wanted;
}

/** Processes of each role that run. */
export function workersOf(state: State): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(rolesOf[state.size].map((role) => [role, 0]));
  for (const piece of state.pieces) {
    const role = roleOf(piece.name);
    if (role !== null && isStill(piece)) counts[role] = (counts[role] ?? 0) + 1;
  }
  return counts;
}

/**
 * Resolves when those that were added are ready and those that are too many have ended. What is wanted is
 * written down: the next `up` starts as many. Names what had to be forced.
 */
export async function scaleWorkers(
  folder: StackFolder,
  before: State,
  wanted: ReadonlyMap<string, number>,
  tell: Tell,
  signal: AbortSignal,
): Promise<string[]> {
  const workers = { ...before.workers, ...Object.fromEntries(wanted) };
  const names = processNames({ size: before.size, workers }).filter((name) => wanted.has(roleOf(name) ?? ""));
  const ports = { ...before.ports };
  for (const name of names) ports[name] ??= await freePortLike(0);
  const starter = createStarter(folder, { ...before, workers, ports }, tell, signal);
  await starter.save(starter.state());

  const isTooMany = (name: string): boolean => wanted.has(roleOf(name) ?? "") && !names.includes(name);
  const forced: string[] = [];
  const surplus = before.pieces.filter(({ name }) => isTooMany(name));
  await Promise.all(
    surplus.map(async (piece) => {
      if (!(await stopProcess(piece, stopMs))) forced.push(piece.name);
      tell(`stopped ${piece.name}`);
    }),
  );
  const left = starter.state().pieces.filter(({ name }) => !isTooMany(name));
  await starter.save({ ...starter.state(), pieces: left });
  for (const name of names) {
    const runs = starter.state().pieces.some((piece) => piece.name === name && isStill(piece));
    if (!runs) ports[name] = await freePortLike(ports[name] ?? 0);
    await starter.save({ ...starter.state(), ports: { ...starter.state().ports, ...ports } });
    await startRole(starter, name);
  }
  const started = names.filter((name) => !before.pieces.some((piece) => piece.name === name && isStill(piece)));
  await Promise.all(started.map((name) => starter.answering(name, () => isReady(starter.state().ports[name] ?? 0))));
  return forced;
}
