import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Size } from "./state.ts";

const file = fileURLToPath(new URL("../compose/docker-compose.yml", import.meta.url));
const profiles: Readonly<Record<Size, string>> = { small: "embedded", full: "single" };

/** The Docker Compose of this machine as the start of a command line; null where there is none, or no Docker answers. */
export function composeCommand(): readonly string[] | null {
  if (!works(["docker", "info"])) return null;
  return [["docker", "compose"], ["docker-compose"]].find((command) => works([...command, "version"])) ?? null;
}

export async function composeUp(compose: readonly string[], size: Size): Promise<void> {
  runShown([...compose, "-f", file, "--profile", profiles[size], "up", "--build", "--detach"]);
}

export async function composeDown(compose: readonly string[], size: Size, clean: boolean): Promise<void> {
  runShown([...compose, "-f", file, "--profile", profiles[size], "down", ...(clean ? ["--volumes"] : [])]);
}

function works([program = "", ...args]: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore", timeout: 10_000 }).status === 0;
}

function runShown([program = "", ...args]: readonly string[]): void {
  const { status } = spawnSync(program, args, { stdio: "inherit" });
  if (status !== 0) throw new Error(`${[program, ...args].join(" ")} failed`);
}
