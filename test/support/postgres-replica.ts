import { chownSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import {
  findProgram,
  freePort,
  postgresFolders,
  run,
  type Skip,
  startServer,
  unprivilegedAccount,
  untilReady,
} from "./servers.ts";

/** A streaming replica of a private PostgreSQL, see postgres.ts. */
export interface PostgresReplica {
  /** The same database as at this URL of the primary, on the replica. */
  at(url: string): string;
  /** It receives but replays nothing, as with a long query that stands in the way. Until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** It becomes a primary of its own. */
  promote(): Promise<void>;
  /** From now on it follows the server of this URL, to which it goes by this name. */
  follow(url: string, name: string): Promise<void>;
  /** Ends it, and leaves it so; `start` goes on with the same data. */
  end(): Promise<void>;
  /** The same, without any order (PostgreSQL's immediate shutdown). */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Takes a base backup of the primary and follows it; with a name it can be waited for (synchronous_standby_names). */
export async function startReplica(primaryUrl: string, name = "replica"): Promise<PostgresReplica | Skip> {
  const backup = findProgram("pg_basebackup", postgresFolders());
  const postgres = findProgram("postgres", postgresFolders());
  if (backup === null || postgres === null) {
    return { skip: "PostgreSQL is not installed (no pg_basebackup in /usr/lib/postgresql or PATH)" };
  }
  const account = unprivilegedAccount();
  const folder = mkdtempSync(join(tmpdir(), "proximal-replica-"));
  if (account !== null) chownSync(folder, account.uid, account.gid);
  const as = { ...(account ?? {}), cwd: folder };
  const data = join(folder, "data");
  await run(
    backup,
    ["-D", data, "-d", connectionTo(primaryUrl, name), "-R", "-X", "stream", "-c", "fast", "--no-sync"],
    as,
  );
  const port = await freePort();
  const settings = [
    ...["listen_addresses=127.0.0.1", "unix_socket_directories=", `port=${port}`, "max_connections=200"],
    // A primary that comes back is followed at once.
    "wal_retrieve_retry_interval=200ms",
  ];
  const args = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])];
  const launch = () => startServer(postgres, args, folder, "SIGINT", as);
  const at = (url: string) => {
    const result = new URL(url);
    result.host = `127.0.0.1:${port}`;
    return result.href;
  };
  const ask = (statement: string) => asked(at(primaryUrl), statement);
  let server = launch();
  async function end(signal: "SIGINT" | "SIGQUIT"): Promise<void> {
    const closed = new Promise((resolve) => server.child.once("close", resolve));
    server.child.kill(signal);
    await closed;
  }
  const ready = () => untilReady(server, () => ask("SELECT 1"));
  try {
    await ready();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    at,
    pause: () => ask("SELECT pg_wal_replay_pause()"),
    resume: () => ask("SELECT pg_wal_replay_resume()"),
    promote: () => ask("SELECT pg_promote()"),
    async follow(url, by) {
      await ask(`ALTER SYSTEM SET primary_conninfo = '${connectionTo(url, by)}'`);
      await ask("SELECT pg_reload_conf()");
    },
    end: () => end("SIGINT"),
    crash: () => end("SIGQUIT"),
    async start() {
      server = launch();
      await ready();
    },
    stop: () => server.stop(),
  };
}

function connectionTo(url: string, name: string): string {
  const { hostname, port, username } = new URL(url);
  return `host=${hostname} port=${port} user=${username} application_name=${name}`;
}

async function asked(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
