import { chmodSync, chownSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { findProgram, freePort, type Skip, startServer, unprivilegedAccount, untilReady } from "./servers.ts";

export interface PgbouncerServer {
  /** The same database as at this URL of the server behind it, through PgBouncer. */
  through(url: string): string;
  /** A command of the admin console, such as PAUSE, RESUME, RELOAD or SHOW POOLS. */
  admin(command: string): Promise<Record<string, unknown>[]>;
  /** Ends it without a word to anyone (kill -9), and starts it again on the same port. */
  restart(): Promise<void>;
  /** Kills it and does not start it again: the port refuses. */
  kill(): Promise<void>;
  /** From now on, and after RELOAD, it leads to this server. */
  pointTo(url: string): Promise<void>;
  /** What it wrote lately. */
  log(): string;
  stop(): Promise<void>;
}

export interface PgbouncerOptions {
  /** A file of settings, which those that make it private override. */
  readonly configFile?: string;
  /** More settings of the section [pgbouncer], or others than these. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * A private PgBouncer in transaction mode on a free port of 127.0.0.1, in front of the server of `url`. It takes no
 * startup parameter but those that PgBouncer takes of itself.
 */
export async function startPgbouncer(url: string, options: PgbouncerOptions = {}): Promise<PgbouncerServer | Skip> {
  const program = findProgram("pgbouncer", ["/usr/sbin"]);
  if (program === null) return { skip: "PgBouncer is not installed (no pgbouncer in PATH or /usr/sbin)" };
  const folder = mkdtempSync(join(tmpdir(), "proximal-pgbouncer-"));
  // It refuses to run as root, as PostgreSQL does.
  const account = unprivilegedAccount();
  if (account !== null) chownSync(folder, account.uid, account.gid);
  const port = await freePort();
  const config = join(folder, "pgbouncer.ini");
  const users = join(folder, "userlist.txt");
  const write = (path: string, text: string) => {
    writeFileSync(path, text);
    chmodSync(path, 0o644);
  };
  const settings = {
    listen_addr: "127.0.0.1",
    listen_port: String(port),
    unix_socket_dir: "",
    auth_type: "trust",
    auth_file: users,
    admin_users: "proximal",
    ...(options.configFile === undefined
      ? { pool_mode: "transaction", default_pool_size: "20", max_client_conn: "500" }
      : {}),
    ...options.settings,
  };
  const given =
    options.configFile === undefined ? "[databases]\n[pgbouncer]\n" : readFileSync(options.configFile, "utf8");
  const writeConfig = (upstream: string) => {
    const { hostname, port: upstreamPort } = new URL(upstream);
    const any = `[databases]\n* = host=${hostname} port=${upstreamPort}`;
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
    const others = given
      .split("\n")
      .filter((line) => !Object.keys(settings).some((name) => line.startsWith(`${name} =`)));
    write(config, [...others, ...lines, ""].join("\n").replace("[databases]", any));
  };
  write(users, '"proximal" ""\n');
  writeConfig(url);
  const console = `postgres://proximal@127.0.0.1:${port}/pgbouncer`;
  const start = () => startServer(program, [config], folder, "SIGKILL", { ...(account ?? {}), cwd: folder });
  const ready = (one: ReturnType<typeof start>) =>
    untilReady(one, async () => void (await adminCommand(console, "SHOW VERSION")));

  let server = start();
  async function kill(): Promise<void> {
    const { child } = server;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await closed;
  }
  try {
    await ready(server);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    through(target) {
      const result = new URL(target);
      result.host = `127.0.0.1:${port}`;
      return result.href;
    },
    admin: (command) => adminCommand(console, command),
    async restart() {
      await kill();
      server = start();
      await ready(server);
    },
    kill,
    async pointTo(upstream) {
      writeConfig(upstream);
      await adminCommand(console, "RELOAD");
    },
    log: () => server.log(),
    stop: () => server.stop(),
  };
}

/** The console speaks the simple query protocol only. */
async function adminCommand(url: string, command: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(command)).rows ?? [];
  } finally {
    await client.end();
  }
}
