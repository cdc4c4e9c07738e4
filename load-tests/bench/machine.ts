import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { findProgram, postgresFolders } from "../../test/support/servers.ts";
import type { Machine } from "./result.ts";

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
    load_average: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    commit: git("rev-parse", "HEAD"),
    dirty: (git("status", "--porcelain") ?? "") !== "",
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

/** Null where there is no git, or no clone. */
function git(...args: readonly string[]): string | null {
  try {
    const stdio = ["ignore", "pipe", "ignore"] as const;
    return execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8", stdio: [...stdio] }).trim();
  } catch {
    return null;
  }
}
