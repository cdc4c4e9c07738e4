import { randomBytes } from "node:crypto";
import { appendFileSync, chownSync, copyFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { migrate } from "../../src/adapters/engines/migrate.ts";
import { createPostgres } from "../../src/adapters/engines/postgres.ts";
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

export interface PostgresServer {
  /** Of its database `postgres`, which holds nothing. */
  readonly url: string;
  /** URL of a new database with all migrations applied, cloned from a template. */
  createDatabase(): Promise<string>;
  /**
   * Ends it, and starts it again on the same port with the same data: "fast" cuts its clients off and writes everything
   * out, "immediate" is a crash that it recovers from.
   */
  restart(how: "fast" | "immediate"): Promise<void>;
  /** Ends it as "immediate" does, and leaves it so. */
  crash(): Promise<void>;
  /** False once it has ended, by itself too. */
  running(): boolean;
  /** Of its main process. */
  pid(): number;
  /** What it wrote lately. */
  log(): string;
  stop(): Promise<void>;
}

export interface PostgresServerOptions {
  /** A file of settings, which `settings` override. */
  readonly configFile?: string;
  /** On unless said otherwise, as it must be where durability or speed is what is tested. */
  readonly fsync?: boolean;
  /** More settings, as on the server's command line. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Its folder is made in this one. */
  readonly within?: string;
}

const template = "proximal_template";

/** A private PostgreSQL on a free port of 127.0.0.1 with a folder of its own. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer | Skip> {
  const initdb = findProgram("initdb", postgresFolders());
  const postgres = findProgram("postgres", postgresFolders());
  if (initdb === null || postgres === null) {
    return { skip: "PostgreSQL is not installed (no initdb in /usr/lib/postgresql or PATH)" };
  }
  const account = unprivilegedAccount();
  const folder = mkdtempSync(join(options.within ?? tmpdir(), "proximal-postgres-"));
  if (account !== null) chownSync(folder, account.uid, account.gid);
  const as = { ...(account ?? {}), cwd: folder };
  const data = join(folder, "data");
  const initArgs = ["-U", "proximal", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D", data];
  await run(initdb, initArgs, as);
  const port = await freePort();
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    port: String(port),
    ...(options.fsync === false ? { fsync: "off" } : {}),
    ...(options.configFile === undefined
      ? { max_connections: "200", shared_buffers: "256MB", max_wal_size: "4GB" }
      : {}),
    ...options.settings,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  // What initdb wrote says how clients prove who they are; the file given comes after it.
  const { configFile } = options;
  if (configFile !== undefined) {
    copyFileSync(configFile, join(data, "given.conf"));
    appendFileSync(join(data, "postgresql.conf"), "include 'given.conf'\n");
  }
  // SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
  const start = () => startServer(postgres, ["-D", data, ...args], folder, "SIGINT", as);
  let server = start();
  const running = (): boolean => server.child.exitCode === null && server.child.signalCode === null;
  async function end(signal: "SIGINT" | "SIGQUIT"): Promise<void> {
    const { child } = server;
    if (!running()) return;
    const closed = new Promise((resolve) => child.once("close", resolve));
    child.kill(signal);
    await closed;
  }
  const url = `postgres://proximal@127.0.0.1:${port}/postgres`;
  try {
    await untilReady(server, () => admin(url, "SELECT 1"));
    await admin(url, `CREATE DATABASE ${template}`);
    await applyMigrations(databaseUrl(url, template));
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    url,
    createDatabase: () => cloneDatabase(url),
    async restart(how) {
      await end(how === "fast" ? "SIGINT" : "SIGQUIT");
      server = start();
      await untilReady(server, () => admin(url, "SELECT 1"));
    },
    crash: () => end("SIGQUIT"),
    running,
    pid: () => server.child.pid ?? 0,
    log: () => server.log(),
    stop: () => server.stop(),
  };
}

async function applyMigrations(url: string): Promise<void> {
  const sql = createPostgres({ url, connections: 1 });
  try {
    await migrate(sql);
  } finally {
    await sql.close();
  }
}

/** A new database from the template of the server at this URL. */
export async function cloneDatabase(url: string): Promise<string> {
  const name = `t${randomBytes(6).toString("hex")}`;
  await admin(url, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  return databaseUrl(url, name);
}

function databaseUrl(url: string, database: string): string {
  const result = new URL(url);
  result.pathname = `/${database}`;
  return result.href;
}

async function admin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
