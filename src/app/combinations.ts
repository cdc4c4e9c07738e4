import type { z } from "zod";
import type { Role, SettingKey, settings } from "./settings.ts";

type Checked = { readonly [K in SettingKey]?: z.output<(typeof settings)[K]["schema"]> | undefined };

/** What one process holds in its own memory or folder, no other process sees. */
const needs: Readonly<Record<Exclude<Role, "all">, readonly (keyof typeof names)[]>> = {
  api: ["databaseUrl", "redisUrl"],
  query: ["databaseUrl", "redisUrl"],
  relay: ["databaseUrl", "kafkaBrokers"],
  projector: ["databaseUrl", "redisUrl"],
  trainer: ["databaseUrl"],
  jobs: ["databaseUrl", "redisUrl", "jobsRedisUrl"],
};

const names = {
  databaseUrl: "DATABASE_URL",
  redisUrl: "REDIS_URL",
  kafkaBrokers: "KAFKA_BROKERS",
  jobsRedisUrl: "JOBS_REDIS_URL",
} as const;

const why: Readonly<Record<keyof typeof names, string>> = {
  databaseUrl: "the embedded log belongs to one process, which does everything",
  redisUrl: "read models in memory are seen by their own process only",
  kafkaBrokers: "there is nothing else to relay to",
  jobsRedisUrl: "jobs in a process's own memory are seen by it only",
};

/** One line for each combination of settings that makes no sense; what was not allowed by itself is absent here. */
export function combinationProblems(config: Checked): string[] {
  return [...roleProblems(config), ...engineProblems(config), ...kafkaProblems(config)];
}

function roleProblems(config: Checked): string[] {
  const { role = "all" } = config;
  if (role === "all") return [];
  return needs[role]
    .filter((key) => !isSet(config, key))
    .map((key) => `PROXIMAL_ROLE=${role} needs ${names[key]}: ${why[key]}`);
}

function engineProblems(config: Checked): string[] {
  const problems: string[] = [];
  const needsDatabase = (isThere: boolean, name: string, reason: string): void => {
    if (isThere && !isSet(config, "databaseUrl")) problems.push(`${name} needs DATABASE_URL: ${reason}`);
  };
  needsDatabase(
    config.databaseDirectUrl !== undefined,
    "DATABASE_DIRECT_URL",
    "it is another way to the same database",
  );
  needsDatabase(config.databaseReplicaUrl !== undefined, "DATABASE_REPLICA_URL", "it is a copy of that database");
  needsDatabase(
    config.eventStoreDbUrl !== undefined,
    "EVENTSTOREDB_URL",
    "blobs, API keys and snapshots are kept in PostgreSQL",
  );
  if (isSet(config, "kafkaBrokers")) {
    needsDatabase(true, "KAFKA_BROKERS", "the relay's lease and position are kept in PostgreSQL");
    if (!isSet(config, "redisUrl")) problems.push(`KAFKA_BROKERS needs REDIS_URL: ${why.redisUrl}`);
  }
  if (config.eventStoreDbUrl !== undefined && config.databaseReplicaUrl !== undefined) {
    problems.push("DATABASE_REPLICA_URL has no use with EVENTSTOREDB_URL: the log is not in PostgreSQL there");
  }
  if ((config.archiveAfterDays ?? 0) > 0 && config.archiveFolder === undefined) {
    problems.push("PROXIMAL_ARCHIVE_AFTER_DAYS needs PROXIMAL_ARCHIVE: the folder to move segments to");
  }
  if (config.redisUrl !== undefined && config.redisUrl === config.jobsRedisUrl) {
    problems.push(
      "JOBS_REDIS_URL must not be REDIS_URL: give the jobs a Redis, or at least a database number, of their own",
    );
  }
  if (config.drainMs !== undefined && config.stopTimeoutMs !== undefined && config.drainMs >= config.stopTimeoutMs) {
    problems.push("PROXIMAL_DRAIN_MS must be less than PROXIMAL_STOP_TIMEOUT_MS: it is a part of it");
  }
  return problems;
}

function kafkaProblems(config: Checked): string[] {
  const { kafkaTls, kafkaTlsCa, kafkaTlsCert, kafkaTlsKey } = config;
  const { kafkaSaslMechanism, kafkaSaslUsername, kafkaSaslPassword } = config;
  const problems: string[] = [];
  const file = [kafkaTlsCa, kafkaTlsCert, kafkaTlsKey].find((path) => path !== undefined);
  if (file !== undefined && kafkaTls === false) problems.push("KAFKA_TLS_CA, _CERT and _KEY need KAFKA_TLS=on");
  if ((kafkaTlsCert === undefined) !== (kafkaTlsKey === undefined)) {
    problems.push("KAFKA_TLS_CERT and KAFKA_TLS_KEY go together: a certificate is shown with its key");
  }
  const sasl = [kafkaSaslMechanism, kafkaSaslUsername, kafkaSaslPassword].filter((value) => value !== undefined);
  if (sasl.length % 3 !== 0) {
    problems.push("KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD go together");
  }
  return problems;
}

function isSet(config: Checked, key: keyof typeof names): boolean {
  const value = config[key];
  return value !== undefined && value.length > 0;
}
