import { mkdir, open, rm, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { BadConfig, type Config, type Environment, loadConfig, masked, settingEntries } from "../config.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import { inspectPostgres, inspectRedis, inspectSqlite } from "./engine-checks.ts";
import { inspectOthers } from "./engine-checks-others.ts";

/** Everything that can be checked here without changing anything but a temporary file in the data folder. */
export async function allChecks(environment: Environment): Promise<Check[]> {
  const node = nodeCheck(process.versions);
  let config: Config;
  let settings: Check[];
  try {
    const loaded = loadConfig(environment);
    config = loaded.config;
    settings = [
      settingsCheck(environment),
      ...loaded.warnings.map((line) => warn("settings", line, "remove or rename it")),
    ];
  } catch (error) {
    if (!(error instanceof BadConfig)) throw error;
    const lines = error.message.split("\n");
    return [node, ...lines.map((line) => fail("settings", line, "set it to an allowed value, or unset it"))];
  }
  return [
    node,
    ...settings,
    ...(await folderChecks(config.dataFolder)),
    ...(config.databaseUrl === undefined
      ? await inspectSqlite(config)
      : await inspectPostgres(config.databaseUrl, config.eventStoreDbUrl === undefined ? "event log" : "beside it")),
    ...(config.redisUrl === undefined
      ? [ok("read models", "in memory, saved to the data folder")]
      : await inspectRedis(config.redisUrl)),
    ...(await inspectOthers(config)),
    await portCheck(config.host, config.port),
  ];
}

export function nodeCheck(versions: { readonly node: string; readonly sqlite?: string }): Check {
  const found = `Node ${versions.node}, SQLite ${versions.sqlite ?? "none"}`;
  if (Number.parseInt(versions.node, 10) < 24) return fail("Node", found, "run `npm ci`: it brings Node 24");
  return ok("Node", found);
}

function settingsCheck(environment: Environment): Check {
  const set = settingEntries().flatMap(([, setting]) => {
    const text = environment[setting.name];
    return text ? [`${setting.name}=${masked(setting, text)}`] : [];
  });
  return ok("settings", set.length === 0 ? "all defaults" : set.join(" "));
}

const gib = 1 << 30;

/** Writable (proved by a file written and synced), and with room to grow. */
export async function folderChecks(dataFolder: string): Promise<Check[]> {
  const folder = resolve(dataFolder);
  const probe = `${folder}/.doctor-${process.pid}`;
  const advice = "give this user the right to write there, or set PROXIMAL_DATA to another folder";
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(probe, "w");
    await file.writeFile("proximal").finally(() => file.sync().finally(() => file.close()));
  } catch (error) {
    return [fail("data folder", `${folder}: ${error instanceof Error ? error.message : error}`, advice)];
  } finally {
    await rm(probe, { force: true }).catch(() => {});
  }
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const room = `${(free / gib).toFixed(1)} GiB free`;
  if (free < 0.05 * gib) return [ok("data folder", folder), fail("disk", room, "make room: the log cannot grow")];
  if (free < gib) return [ok("data folder", folder), warn("disk", room, "a million events take about 0.5 GiB")];
  return [ok("data folder", folder), ok("disk", room)];
}

export async function portCheck(host: string, port: number): Promise<Check> {
  const where = `${host}:${port}`;
  const server = createServer();
  try {
    await new Promise<void>((done, refuse) => {
      server.once("error", refuse);
      server.listen({ host, port, exclusive: true }, done);
    });
    return ok("port", `${where} is free`);
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE")
      return fail("port", `${where}: ${message}`, "set HOST and PORT to an address of this machine");
    if (await isProximal(host, port)) return ok("port", `${where} is taken by a Proximal that runs`);
    return fail("port", `${where} is taken by another program`, "stop it, or set PORT to another one");
  } finally {
    await new Promise((done) => server.close(done));
  }
}

async function isProximal(host: string, port: number): Promise<boolean> {
  try {
    const reply = await fetch(`http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}/healthz`, {
      signal: AbortSignal.timeout(1000),
    });
    return reply.ok;
  } catch {
    return false;
  }
}
