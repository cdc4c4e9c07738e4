import { readdirSync } from "node:fs";
import { cpus } from "node:os";
import { statOf } from "../../infra/local/processes.ts";

/** Clock ticks of Linux, as /proc counts CPU time. */
const ticksPerSecond = 100;

/**
 * CPU seconds so far by session: each part of the stack has a session of its own, and what it starts (PostgreSQL's backends,
 * worker processes) is in it. What ended meanwhile counts with its parent. Null where there is no /proc.
 */
export function cpuBySession(): ReadonlyMap<number, number> | null {
  const bySession = new Map<number, number>();
  let pids: string[];
  try {
    pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return null;
  }
  for (const pid of pids) {
    const fields = statOf(Number(pid));
    if (fields === null) continue;
    const session = Number(fields[3]);
    // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), counted from the state.
    const ticks = [11, 12, 13, 14].reduce((sum, k) => sum + Number(fields[k]), 0);
    bySession.set(session, (bySession.get(session) ?? 0) + ticks / ticksPerSecond);
  }
  return bySession;
}

/** CPU seconds of one process; null once it has ended. */
export function cpuOf(pid: number): number | null {
  const fields = statOf(pid);
  return fields === null ? null : (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** CPU seconds of the whole machine since its start: busy, and in all. */
export function machineCpu(): { readonly busy: number; readonly all: number } {
  let busy = 0;
  let all = 0;
  for (const { times } of cpus()) {
    const sum = times.user + times.nice + times.sys + times.irq + times.idle;
    all += sum / 1000;
    busy += (sum - times.idle) / 1000;
  }
  return { busy, all };
}
