import { existsSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { resolve } from "node:path";
import { connect as connectTls } from "node:tls";
import { readMigrations } from "../adapters/engines/migrate.ts";
import { createPostgres } from "../adapters/engines/postgres.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import { openEngines } from "./compose.ts";
import { type Config, maskedUrl } from "./config.ts";
import { createLifecycle } from "./lifecycle.ts";
import { silentLogger } from "./logging.ts";
import { reasonOf } from "./wait-for-engine.ts";

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
export async function inspectPostgres(url: string): Promise<Check[]> {
  const where = maskedUrl(url);
  const sql = createPostgres({ url, connections: 1, connectTimeoutMs: 3000, statementTimeoutMs: 3000 });
  try {
    const settings =
      "SELECT current_setting('server_version_num'), current_setting('fsync'), to_regclass('schema_migrations')";
    const [row] = await sql.query(settings);
    const version = Number(row?.[0] ?? 0);
    const found = `PostgreSQL ${Math.floor(version / 10_000)}.${version % 10_000} at ${where}`;
    const applied = row?.[2] ? Number((await sql.query("SELECT count(*) FROM schema_migrations"))[0]?.[0] ?? 0) : 0;
    return [
      version < 130_000 ? warn("event log", found, "use PostgreSQL 13 or newer") : ok("event log", found),
      ...(row?.[1] === "off"
        ? [warn("fsync", "off", "turn it on: accepted interactions would be lost on power loss")]
        : []),
      migrationsCheck(applied, (await readMigrations()).length),
    ];
  } catch (error) {
    return [fail("event log", `PostgreSQL at ${where}: ${reasonOf(error)}`, "start it, or correct DATABASE_URL")];
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
    const info = await redisCommand(new URL(url), ["INFO"]);
    const of = (name: string): string => new RegExp(`^${name}:(.*)$`, "m").exec(info)?.[1]?.trim() ?? "";
    const found = `Redis ${of("redis_version")} at ${where}, ${of("used_memory_human")} used`;
    const policy = of("maxmemory_policy");
    const bounded = Number(of("maxmemory")) > 0 && policy !== "noeviction";
    return [
      ok("read models", found),
      ...(bounded
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

/** One command on a connection of its own; the bulk reply's text. The adapter's client would retry for ever. */
function redisCommand(url: URL, command: readonly string[]): Promise<string> {
  const login =
    url.password === ""
      ? []
      : [["AUTH", ...(url.username ? [url.username] : []), url.password].map(decodeURIComponent)];
  const target = { host: url.hostname, port: Number(url.port || 6379) };
  return new Promise((done, refuse) => {
    const socket = url.protocol === "rediss:" ? connectTls(target) : connectTcp(target);
    let reply = "";
    socket.setTimeout(3000, () => socket.destroy(new Error("no answer within 3 s")));
    socket.once("error", (error: NodeJS.ErrnoException) => refuse(error));
    socket.once("close", () => refuse(new Error("closed the connection")));
    socket.on("data", (chunk) => {
      reply += chunk.toString("latin1");
      const rest = login.length > 0 && reply.startsWith("+OK\r\n") ? reply.slice(5) : reply;
      if (rest.startsWith("-")) socket.destroy(new Error(rest.slice(1).split("\r\n")[0]));
      const bulk = /^\$(\d+)\r\n/.exec(rest);
      if (bulk === null || rest.length < bulk[0].length + Number(bulk[1])) return;
      done(rest.slice(bulk[0].length));
      socket.destroy();
    });
    for (const words of [...login, command]) {
      socket.write(`*${words.length}\r\n${words.map((w) => `$${Buffer.byteLength(w)}\r\n${w}\r\n`).join("")}`);
    }
  });
}
