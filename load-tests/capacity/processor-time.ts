import { readdirSync, readFileSync } from "node:fs";
import { cpuSeconds } from "../bench/processes.ts";

/** Fields of /proc/PID/stat from the state on. */
function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

export const parentOf = (pid: number): number => Number(statOf(pid)?.[1] ?? 0);

/** CPU seconds of a process, its children, and those of its children that have ended: what PostgreSQL has used in all. */
export function familyCpuSeconds(pid: number): number {
  const own = statOf(pid);
  let sum = cpuSeconds(pid) + (Number(own?.[13] ?? 0) + Number(own?.[14] ?? 0)) / 100;
  for (const name of readdirSync("/proc")) {
    if (/^\d+$/.test(name) && parentOf(Number(name)) === pid) sum += cpuSeconds(Number(name));
  }
  return sum;
}

/** Bytes of memory that a process holds. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}
