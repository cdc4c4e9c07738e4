import { chownSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import pg from "pg";
import {
  findProgram,
  freePort,
  postgresFolders,
  run,
  startServer,
  unprivilegedAccount,
  untilReady,
} from "./servers.ts";

/** infra/postgres/backup as an operator runs it, on private servers. */

const scripts = join(import.meta.dirname, "../../infra/postgres/backup");
const bin = dirname(findProgram("pg_ctl", postgresFolders()) ?? "");
const account = unprivilegedAccount();

function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${bin}:${process.env.PATH}`, PGUSER: "proximal", ...more };
}

/** A folder that the user who runs PostgreSQL may write to. */
export function folderOf(path: string): string {
  mkdirSync(path, { recursive: true });
  if (account !== null) chownSync(path, account.uid, account.gid);
  return path;
}

/** Resolves once all that is committed from now on is received. */
export async function receiveWal(url: string, folder: string): Promise<{ stop(): Promise<void> }> {
  const env = environment({ DATABASE_DIRECT_URL: url });
  const options = { ...(account ?? {}), cwd: folder, env };
  const server = startServer("bash", [join(scripts, "receive-wal.sh"), folder], folder, "SIGINT", options);
  await untilReady(server, async () => {
    const rows = await query(
      url,
      "SELECT 1 FROM pg_stat_replication WHERE application_name = 'proximal_backup' AND state = 'streaming'",
    );
    if (rows.length === 0) throw new Error("nothing is received yet");
  });
  return { stop: () => server.stop({ keepFolder: true }) };
}

export const baseBackup = (url: string, folder: string): Promise<string> =>
  run("bash", [join(scripts, "base-backup.sh"), folder], {
    ...{ ...(account ?? {}), cwd: folder, env: environment({ DATABASE_DIRECT_URL: url }) },
  });

/** What the script says. */
export function restore(folder: string, data: string, database: string, ...to: readonly string[]): Promise<string> {
  folderOf(dirname(data));
  const options = { ...(account ?? {}), cwd: folder, env: environment({ DATABASE: database }) };
  return run("bash", [join(scripts, "restore.sh"), folder, data, ...to], options);
}

/** A server on a data folder that is there already; gives the URL of the database. */
export async function serveData(
  data: string,
  database: string,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const settings = [
    `port=${port}`,
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "synchronous_standby_names=",
  ];
  const args = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])];
  const server = startServer(join(bin, "postgres"), args, data, "SIGINT", { ...(account ?? {}), cwd: data });
  const url = `postgres://proximal@127.0.0.1:${port}/${database}`;
  await untilReady(server, async () => void (await query(url, "SELECT 1")));
  return { url, stop: () => server.stop() };
}

/** Ends it as a crash, and removes all that it kept. */
export async function destroy(postgres: { crash(): Promise<void>; readonly url: string }): Promise<void> {
  const [row] = await query(postgres.url, "SHOW data_directory");
  await postgres.crash();
  rmSync(String(row?.data_directory), { recursive: true });
}

export async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
