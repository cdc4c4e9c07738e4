import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { postgresUrl } from "./engines.ts";
import type { Command } from "./processes.ts";
import type { Size, State } from "./state.ts";

export const root = fileURLToPath(new URL("../../", import.meta.url));
const launcher = fileURLToPath(new URL("../../bin/proximal.js", import.meta.url));

/** Processes of Proximal, in the order in which they are started; who answers is last, and so is stopped first. */
export const rolesOf = {
  small: ["all"],
  full: ["relay", "projector", "trainer", "jobs", "query", "api"],
} as const;

export type RoleName = (typeof rolesOf)[Size][number];

export const whatRolesDo: Readonly<Record<RoleName, string>> = {
  all: "everything",
  relay: "copies the log into Kafka",
  projector: "folds the stream into read models",
  trainer: "learns the shared weights",
  jobs: "background jobs",
  query: "queries only",
  api: "commands and queries",
};

/** Names of its processes: one of each role, and of those that were scaled `projector-2` and so on. */
export function processNames({ size, workers }: Pick<State, "size" | "workers">): string[] {
  return rolesOf[size].flatMap((role) =>
    Array.from({ length: Math.max(1, workers[role] ?? 1) }, (_, at) => (at === 0 ? role : `${role}-${at + 1}`)),
  );
}

/** Of the process of this name; null for what is none of Proximal's. */
export function roleOf(name: string): RoleName | null {
  const role = name.replace(/-\d+$/, "");
  const all: readonly RoleName[] = [...rolesOf.small, ...rolesOf.full];
  return all.find((one) => one === role) ?? null;
}

/**
 * Processes that share the port of a role. On a machine of few cores the engines and the other roles need them; what the caller's
 * shell says counts first.
 */
export function processesOf(role: RoleName): string {
  if (role !== "api" && role !== "query") return "1";
  return process.env.PROXIMAL_PROCESSES ?? String(Math.max(1, Math.floor(availableParallelism() / 4)));
}

/** Of a role that has no partitions: engines and the other roles need cores as well. */
export const workersMax = (): number =>
  Number(process.env.PROXIMAL_SCALE_WORKERS_MAX ?? Math.max(4, availableParallelism()));

/** Partitions of the learners in the full stack: projectors can be added up to these. */
export const partitions = 4;

/** What a process of this stack is told of its engines; an engine that the caller's shell names is not meant. */
export function environmentOf(size: Size, ports: Readonly<Record<string, number>>, password: string) {
  const direct = postgresUrl(ports.postgres ?? 0, password);
  const none = {
    EVENTSTOREDB_URL: "",
    DATABASE_REPLICA_URL: "",
    DATABASE_DIRECT_URL: "",
    JOBS_REDIS_URL: "",
    KAFKA_BROKERS: "",
  };
  const redis = `redis://127.0.0.1:${ports.redis}`;
  if (size === "small") return { ...none, DATABASE_URL: direct, REDIS_URL: redis };
  return {
    ...none,
    DATABASE_URL: postgresUrl(ports.pgbouncer ?? 0, password),
    DATABASE_DIRECT_URL: direct,
    REDIS_URL: redis,
    JOBS_REDIS_URL: `redis://127.0.0.1:${ports["redis-jobs"]}`,
    KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
    PROXIMAL_PARTITIONS: String(partitions),
    PROXIMAL_SCALE_WORKERS_MAX: String(workersMax()),
  };
}

/** `proximal ARGS` on the engines of this stack. Other settings are the caller's. */
export function proximal(args: readonly string[], env: Readonly<Record<string, string>>): Command {
  return { program: process.execPath, args: [launcher, ...args], env, cwd: root };
}

export async function isReady(port: number): Promise<void> {
  const reply = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(3000) });
  if (!reply.ok) throw new Error((await reply.text()).slice(0, 500));
}
