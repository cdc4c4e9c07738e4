import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { readMigrations } from "../../adapters/engines/migrate.ts";
import { redisInfo } from "../../adapters/engines/open-redis.ts";
import { createPostgres } from "../../adapters/engines/postgres.ts";
import { openEngines } from "../compose.ts";
import { type Config, maskedUrl } from "../config.ts";
import { createLifecycle } from "../lifecycle.ts";
import { silentLogger } from "../observability/logging.ts";
import { reasonOf } from "../wait-for-engine.ts";
import { type Check, fail, ok, warn } from "./check.ts";

/** The embedded log, opened where it is there already. */
export async function inspectSqlite(config: Config): Promise<Check[]> {
  const folder = resolve(config.dataFolder);
  if (!existsSync(folder)) return [ok("event log", "SQLite, made at the first start")];
  const life = createLifecycle({ stopTimeoutMs: 5000, log: silentLogger() });
  try {
    const { feed, runsOn } = await openEngines(config, life);
    return [ok("event log", `${runsOn}, ${await feed.head()} events`)];
  } catch (error) {
    return [fail("event log", reasonOf(error), "make the folder readable and writable, or set PROXIMAL_DATA")];
  } finally {
    await life.stop();
  }
}

/** Asks the server and changes nothing: migrations are applied by the next start. */
export async function inspectPostgres(url: string, what = "event log"): Promise<Check[]> {
  const where = maskedUrl(url);
  const sql = createPostgres({ url, connections: 1, connectTimeoutMs: 3000, statementTimeoutMs: 3000 });
  try {
    const settings =
      "SELECT current_setting('server_version_num'), current_setting('fsync'), to_regclass('schema_migrations')";
    const [row] = await sql.query(settings);
    const version = Number(row?.[0] ?? 0);
    const found = `PostgreSQL ${Math.floor(version / 10_000)}.${version % 10_000} at ${where}`;
    const applied = row?.[2] ? Number((await sql.query("SELECT max(version) FROM schema_migrations"))[0]?.[0] ?? 0) : 0;
    return [
      version < 130_000 ? warn(what, found, "use PostgreSQL 13 or newer") : ok(what, found),
      ...(row?.[1] === "off"
        ? [warn("fsync", "off", "turn it on: accepted interactions would be lost on power loss")]
        : []),
      migrationsCheck(applied, (await readMigrations()).at(-1)?.version ?? 0),
    ];
  } catch (error) {
    return [fail(what, `PostgreSQL at ${where}: ${reasonOf(error)}`, "start it, or correct DATABASE_URL")];
  } finally {
    await sql.close();
  }
}

function migrationsCheck(applied: number, known: number): Check {
  if (applied > known) return fail("migrations", `${applied}, this Proximal knows ${known}`, "upgrade Proximal");
  if (applied < known) return ok("migrations", `${applied} of ${known}; the next start applies the others`);
  return ok("migrations", `${applied} of ${known}`);
}

/** Version, and whether it would throw read models away. */
export async function inspectRedis(url: string): Promise<Check[]> {
  const where = maskedUrl(url);
  try {
    const infos = await redisInfo(url);
    const of = (name: string, info = infos[0] ?? ""): string =>
      new RegExp(`^${name}:(.*)$`, "m").exec(info)?.[1]?.trim() ?? "";
    const used = infos.map((info) => of("used_memory_human", info)).join(" + ");
    const found = `Redis ${of("redis_version")} at ${where}, ${used} used`;
    const evicting = infos.filter(
      (info) => Number(of("maxmemory", info)) > 0 && of("maxmemory_policy", info) !== "noeviction",
    );
    const policy = evicting.map((info) => of("maxmemory_policy", info))[0];
    return [
      ok("read models", found),
      ...(policy !== undefined
        ? [
            warn(
              "eviction",
              policy,
              "set maxmemory-policy noeviction: lists thrown away are made again only by a rebuild",
            ),
          ]
        : []),
    ];
  } catch (error) {
    return [fail("read models", `Redis at ${where}: ${reasonOf(error)}`, "start it, or correct REDIS_URL")];
  }
}
