import { redisInfo } from "../../adapters/engines/open-redis.ts";
import { createPostgres } from "../../adapters/engines/postgres.ts";
import { kafkaSecurity } from "../compose-stream.ts";
import { type Config, maskedUrl } from "../config.ts";
import { silentLogger } from "../observability/logging.ts";
import { reasonOf } from "../wait-for-engine.ts";
import { type Check, fail, ok, warn } from "./check.ts";

const withinMs = 3000;

/** Engines that only deployments of several processes have: each is asked, and nothing is changed. */
export async function inspectOthers(config: Config): Promise<Check[]> {
  const checks = await Promise.all([
    config.databaseUrl === undefined ? [] : inspectDirect(config.databaseUrl, config.databaseDirectUrl),
    config.databaseReplicaUrl === undefined ? [] : inspectReplica(config.databaseReplicaUrl),
    config.eventStoreDbUrl === undefined ? [] : inspectEventStoreDb(config.eventStoreDbUrl),
    config.jobsRedisUrl === undefined ? [] : inspectJobs(config.jobsRedisUrl),
    ...config.kafkaBrokers.map((broker) => inspectBroker(config, broker)),
  ]);
  return checks.flat();
}

/** LISTEN and migrations need a connection that is theirs alone. */
async function inspectDirect(url: string, directUrl: string | undefined): Promise<Check[]> {
  const advice =
    "set DATABASE_DIRECT_URL to the server itself: migrations are refused through a pooler, news come late";
  const sql = createPostgres({ url, directUrl, connections: 1, connectTimeoutMs: withinMs });
  try {
    const keepsState = await sql.session(async (session) => session.keepsState);
    if (!keepsState) return [warn("direct", `a pooler stands before ${maskedUrl(directUrl ?? url)}`, advice)];
    return directUrl === undefined ? [] : [ok("direct", `PostgreSQL at ${maskedUrl(directUrl)}`)];
  } catch (error) {
    // Without a URL of its own it is the event log's, whose check says so.
    if (directUrl === undefined) return [];
    const found = `PostgreSQL at ${maskedUrl(directUrl)}: ${reasonOf(error)}`;
    return [fail("direct", found, "start it, or correct DATABASE_DIRECT_URL")];
  } finally {
    await sql.close();
  }
}

/** No replica is no failure: the primary answers then. */
async function inspectReplica(url: string): Promise<Check[]> {
  const where = `PostgreSQL at ${maskedUrl(url)}`;
  const sql = createPostgres({ url, connections: 1, connectTimeoutMs: withinMs });
  try {
    const [row] = await sql.query("SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()");
    if (row?.[0] === "t") return [ok("replica", `${where}, replayed to ${row[1]}`)];
    return [
      warn("replica", `${where} is no replica`, "correct DATABASE_REPLICA_URL: the primary answers analysts now"),
    ];
  } catch (error) {
    return [warn("replica", `${where}: ${reasonOf(error)}`, "start it: the primary answers analysts meanwhile")];
  } finally {
    await sql.close();
  }
}

async function inspectEventStoreDb(url: string): Promise<Check[]> {
  const where = `EventStoreDB at ${maskedUrl(url)}`;
  try {
    const { openEventStoreDbLog } = await import("../../adapters/event-store/eventstoredb/log.ts");
    const log = await openEventStoreDbLog({ url, deadlineMs: withinMs });
    try {
      return [ok("event log", `${where}, up to position ${await log.head()}`)];
    } finally {
      await log.close();
    }
  } catch (error) {
    return [fail("event log", `${where}: ${reasonOf(error)}`, "start it, or correct EVENTSTOREDB_URL")];
  }
}

async function inspectJobs(url: string): Promise<Check[]> {
  const where = `Redis at ${maskedUrl(url)}`;
  try {
    const [info = ""] = await redisInfo(url);
    const policy = /^maxmemory_policy:(.*)$/m.exec(info)?.[1]?.trim();
    if (policy === "noeviction") return [ok("jobs", where)];
    return [
      warn("jobs", `${where}, maxmemory-policy ${policy}`, "set maxmemory-policy noeviction: jobs would be lost"),
    ];
  } catch (error) {
    return [fail("jobs", `${where}: ${reasonOf(error)}`, "start it, or correct JOBS_REDIS_URL")];
  }
}

/** Whether it lets this process in: which topics it has is the relay's affair. */
async function inspectBroker(config: Config, broker: string): Promise<Check[]> {
  try {
    const security = await kafkaSecurity(config);
    const { askKafka } = await import("../../adapters/event-stream/kafka.ts");
    const brokers = await askKafka({ brokers: [broker], security, log: silentLogger(), deadlineMs: withinMs });
    const found = `${broker}, one of ${brokers}`;
    if (security.sasl?.mechanism !== "plain" || security.tls !== undefined) return [ok("Kafka", found)];
    return [
      warn("Kafka", `${found}: the password goes there unencrypted`, "set KAFKA_TLS=on, or use a scram mechanism"),
    ];
  } catch (error) {
    const advice = "start it, or correct KAFKA_BROKERS and the KAFKA_ settings of TLS and SASL";
    return [fail("Kafka", `${broker}: ${reasonOf(error)}`, advice)];
  }
}
