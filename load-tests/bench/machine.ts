import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { findProgram, postgresFolders } from "../../test/support/servers.ts";

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memory_gb: number;
  readonly system: string;
  readonly node: string;
  readonly postgres: string;
  readonly redis: string;
}

/** What a result needs beside it to mean anything. */
export function describeMachine(): Machine {
  return {
    cores: cpus().length,
    cpu: cpuModel(),
    memory_gb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    postgres: versionOf(findProgram("postgres", postgresFolders())),
    redis: versionOf(findProgram("redis-server")),
  };
}

function cpuModel(): string {
  const model = cpus()[0]?.model;
  if (model !== undefined && model !== "unknown") return model;
  try {
    return /^model name\s*:\s*(.+)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "unknown";
  } catch {
    return "unknown";
  }
}

function versionOf(program: string | null): string {
  if (program === null) return "not installed";
  const said = execFileSync(program, ["--version"], { encoding: "utf8" });
  return /\d+(\.\d+)+/.exec(said)?.[0] ?? said.trim();
}
