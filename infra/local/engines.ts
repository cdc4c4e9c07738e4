import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import pg from "pg";
import { kafkaAnswers, kafkaCommand, kafkaFiles } from "./kafka.ts";
import type { Command } from "./processes.ts";
import { findProgram, postgresFolders, run, unprivilegedAccount } from "./programs.ts";

/** One server of the stack. */
export interface Engine {
  readonly name: string;
  /** What it holds, for people. */
  readonly what: string;
  readonly signal: "SIGTERM" | "SIGINT";
  /** What to install where it is not here; null where it is. */
  missing(): Promise<string | null>;
  /** Makes its folder ready, once. */
  command(place: Place): Promise<Command>;
  /** Rejects while it does not answer. */
  answers(place: Place): Promise<unknown>;
}

export interface Place {
  /** For its data and settings alone. */
  readonly folder: string;
  readonly port: number;
  /** Of all of them, by name. */
  readonly ports: Readonly<Record<string, number>>;
  readonly password: string;
}

type Account = { readonly uid: number; readonly gid: number } | null;

const account = { user: "proximal", database: "proximal" };
const configFile = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

export const postgresUrl = (port: number, password: string, database = account.database): string =>
  `postgres://${account.user}:${password}@127.0.0.1:${port}/${database}`;

const postgres: Engine = {
  name: "postgres",
  what: "event log, blobs, API keys",
  // PostgreSQL's fast shutdown: it does not wait for clients to leave.
  signal: "SIGINT",
  async missing() {
    return postgresProgram("initdb") === null || postgresProgram("postgres") === null
      ? "PostgreSQL (postgresql)"
      : null;
  },
  async command({ folder, port, password }) {
    const as = await ownFolder(folder);
    const data = join(folder, "data");
    if (!existsSync(join(data, "PG_VERSION"))) await initialize(folder, data, password, as);
    const config = join(folder, "postgresql.conf");
    const own = { listen_addresses: "'127.0.0.1'", unix_socket_directories: "''", port };
    // It shares the machine with all the rest.
    const smaller = { shared_buffers: "256MB", effective_cache_size: "1GB" };
    const text = withSettings(await readFile(configFile("postgres/postgresql.conf"), "utf8"), { ...own, ...smaller });
    await writeSecret(config, text, as);
    const args = ["-D", data, "-c", `config_file=${config}`];
    return { program: postgresProgram("postgres") ?? "", args, cwd: folder, account: as };
  },
  async answers({ port, password }) {
    const statement = `SELECT 1 FROM pg_database WHERE datname = '${account.database}'`;
    const rows = await query(postgresUrl(port, password, "postgres"), statement);
    if (rows === 0) await query(postgresUrl(port, password, "postgres"), `CREATE DATABASE ${account.database}`);
  },
};

async function initialize(folder: string, data: string, password: string, as: Account): Promise<void> {
  const passwords = join(folder, "password");
  await writeSecret(passwords, password, as);
  const args = [
    "-U",
    account.user,
    "--auth=scram-sha-256",
    `--pwfile=${passwords}`,
    "-E",
    "UTF8",
    "--locale=C",
    "-D",
    data,
  ];
  await run(postgresProgram("initdb") ?? "", args, { ...(as ?? {}), cwd: folder });
}

const pgbouncer: Engine = {
  name: "pgbouncer",
  what: "pool in transaction mode before it",
  signal: "SIGINT",
  async missing() {
    return pgbouncerProgram() === null ? "PgBouncer (pgbouncer)" : null;
  },
  async command({ folder, port, ports, password }) {
    const as = await ownFolder(folder);
    const users = join(folder, "userlist.txt");
    const config = join(folder, "pgbouncer.ini");
    await writeSecret(users, `"${account.user}" "${password}"\n`, as);
    const own = { listen_addr: "127.0.0.1", listen_port: port, unix_socket_dir: "", auth_file: users };
    const database = `host=127.0.0.1 port=${ports.postgres} dbname=${account.database}`;
    const text = await readFile(configFile("postgres/pgbouncer.ini"), "utf8");
    await writeSecret(config, withSettings(text, { ...own, [account.database]: database }), as);
    return { program: pgbouncerProgram() ?? "", args: [config], cwd: folder, account: as };
  },
  answers: ({ port, password }) => query(postgresUrl(port, password), "SELECT 1"),
};

/** Read models and jobs each have a Redis of their own: one may be lost and rebuilt, the other must keep what it took. */
const redis = (name: string, what: string, conf: "read-models" | "jobs"): Engine => ({
  ...{ name, what, signal: "SIGTERM" },
  async missing() {
    return findProgram("redis-server") === null ? "Redis (redis-server)" : null;
  },
  async command({ folder, port }) {
    await mkdir(folder, { recursive: true });
    const settings = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--daemonize", "no"];
    const args = [configFile(`redis/${conf}.conf`), ...settings];
    return { program: findProgram("redis-server") ?? "", args, cwd: folder };
  },
  async answers({ port }) {
    const client = new Redis({ host: "127.0.0.1", port, lazyConnect: true, retryStrategy: () => null });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.ping();
    } finally {
      client.disconnect();
    }
  },
});

const kafka: Engine = {
  name: "kafka",
  what: "the log as a stream for projectors",
  signal: "SIGTERM",
  async missing() {
    const files = await kafkaFiles();
    return "missing" in files ? files.missing : null;
  },
  async command({ folder, port, ports }) {
    const files = await kafkaFiles();
    if ("missing" in files) throw new Error(files.missing);
    const { program, args } = await kafkaCommand({
      files,
      folder,
      port,
      controllerPort: ports["kafka-controller"] ?? 0,
    });
    return { program, args, cwd: folder };
  },
  answers: ({ port }) => kafkaAnswers(port),
};

export const enginesOf = {
  small: [postgres, redis("redis", "read models", "read-models")],
  full: [
    postgres,
    pgbouncer,
    redis("redis", "read models", "read-models"),
    redis("redis-jobs", "background jobs", "jobs"),
    kafka,
  ],
} as const;

/** A file of settings with some of them replaced; what is not there is added at the end. */
function withSettings(text: string, settings: Readonly<Record<string, string | number>>): string {
  let result = text;
  for (const [name, value] of Object.entries(settings)) {
    const line = `${name} = ${value}`;
    const there = new RegExp(`^${name}\\s*=.*$`, "m");
    result = there.test(result) ? result.replace(there, line) : `${result.trimEnd()}\n${line}\n`;
  }
  return result;
}

function postgresProgram(name: string): string | null {
  return findProgram(name, postgresFolders());
}

function pgbouncerProgram(): string | null {
  return findProgram("pgbouncer", ["/usr/sbin", "/usr/local/sbin"]);
}

/** Servers that refuse to run as root get a folder that their account may write to. */
async function ownFolder(folder: string): Promise<Account> {
  const as = unprivilegedAccount();
  await mkdir(folder, { recursive: true });
  if (as === null) return as;
  await chown(folder, as.uid, as.gid);
  for (let above = dirname(folder); above !== dirname(above); above = dirname(above)) {
    if (((await stat(above)).mode & 0o001) === 0) {
      const advice = "do not run this as root, or give --folder a place below one that all may enter";
      throw new Error(`PostgreSQL does not run as root, and another account may not enter ${above}: ${advice}`);
    }
  }
  return as;
}

async function writeSecret(path: string, text: string, as: Account): Promise<void> {
  if (existsSync(path) && (await readFile(path, "utf8")) === text) return;
  await writeFile(path, text);
  await chmod(path, 0o600);
  if (as) await chown(path, as.uid, as.gid);
}

async function query(url: string, statement: string): Promise<number> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(statement)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
