// node load-tests/bench/embedded-engines.ts [--events 200000] [--json]
//
// The measurement behind docs/adr/0003-embedded-log-is-node-sqlite.md: PGlite (PostgreSQL in this process, in a durable
// folder) against node:sqlite, each through our own adapter, each phase in a fresh process.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findProgram } from "../../test/support/servers.ts";
import { describeMachine } from "./machine.ts";

const engines = ["pglite", "sqlite"] as const;
type Engine = (typeof engines)[number];
type Figures = Record<string, number>;

const script = fileURLToPath(new URL("./embedded-engine-phase.ts", import.meta.url));
const nodeArgs = ["--disable-warning=ExperimentalWarning", script];
const singles = 5_000;
const tracedAppends = 200;
const kills = 5;

const { values } = parseArgs({
  options: { events: { type: "string", default: "200000" }, json: { type: "boolean", default: false } },
});
const events = Number(values.events);
if (!Number.isInteger(events) || events < 1_000) throw new Error(`--events ${values.events}: at least 1000`);

function runPhase(engine: Engine, phase: string, folder: string, count: number): Figures {
  const output = execFileSync(process.execPath, [...nodeArgs, engine, phase, folder, String(count)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(output.trim().split("\n").at(-1) ?? "");
}

/** Kills a process that appends, again and again; opens the log each time and counts what is missing. */
async function killAndRecover(engine: Engine, folder: string): Promise<Figures> {
  let lost = 0;
  let openMsMax = 0;
  for (let round = 0; round < kills; round++) {
    const acknowledged = await appendAndKill(engine, folder);
    const after = runPhase(engine, "read", folder, 0);
    lost += Math.max(0, acknowledged - (after.events ?? 0));
    openMsMax = Math.max(openMsMax, after.open_ms ?? 0);
  }
  return { kills, acknowledged_events_lost: lost, open_ms_max: openMsMax };
}

/** Resolves with the position up to where everything was acknowledged. */
async function appendAndKill(engine: Engine, folder: string): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, [...nodeArgs, engine, "append-for-ever", folder, "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  const first = new Promise<void>((resolve) =>
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk;
      resolve();
    }),
  );
  const closed = once(child, "close");
  await Promise.race([first, closed]);
  await sleep(200 + Math.random() * 800);
  child.kill("SIGKILL");
  await closed;
  if (child.signalCode !== "SIGKILL") throw new Error(`the process that appends ended by itself`);
  // The last line may be cut.
  return Number(output.split("\n").at(-2) ?? 0);
}

/** How often the kernel was asked to bring something to the disk; null where that cannot be traced. */
function countSyncs(engine: Engine, folder: string): number | null {
  const strace = findProgram("strace");
  if (strace === null) {
    process.stderr.write("SKIPPED: the count of fsync and fdatasync calls, because strace is not installed\n");
    return null;
  }
  const report = join(folder, "..", `strace-${engine}`);
  const args = ["-f", "-c", "-e", "trace=fsync,fdatasync", "-o", report, process.execPath, ...nodeArgs];
  execFileSync(strace, [...args, engine, "singles", folder, String(tracedAppends)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const total = /^\s*100\.00\s+\S+\s+\S+\s+(\d+).*total$/m.exec(readFileSync(report, "utf8"))?.[1];
  return Number(total ?? 0);
}

function sizeOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}

async function measure(engine: Engine, root: string): Promise<Record<string, Figures>> {
  const folder = join(root, engine);
  const say = (what: string) => process.stderr.write(`${engine}: ${what}\n`);
  say(`${events} events in batches of 500`);
  const batches = runPhase(engine, "batches", folder, events);
  say(`${singles} one by one`);
  const one = runPhase(engine, "singles", folder, singles);
  const disk = { disk_mb: sizeOf(folder) / 1e6, disk_bytes_per_event: sizeOf(folder) / (events + singles) };
  say("read in pages of 1000");
  const read = runPhase(engine, "read", folder, 0);
  say(`${kills} times kill -9`);
  const recovery = await killAndRecover(engine, folder);
  say(`fsync and fdatasync of ${tracedAppends} appends`);
  // The first run makes the database; the traced one only opens and appends.
  const traced = join(root, `${engine}-traced`);
  runPhase(engine, "singles", traced, 1);
  const syncs = countSyncs(engine, traced);
  return {
    batches,
    one,
    read,
    disk,
    recovery,
    ...(syncs === null ? {} : { durability: { syncs, appends: tracedAppends } }),
  };
}

function report(results: Record<Engine, Record<string, Figures>>): string {
  const names = Object.entries(results.sqlite).flatMap(([group, figures]) =>
    Object.keys(figures).map((name) => [group, name] as const),
  );
  const shown = (value: number | undefined) => (value === undefined ? "-" : Math.round(value).toLocaleString("en"));
  const lines = names.map(([group, name]) =>
    [
      `${group}: ${name}`.padEnd(34),
      ...engines.map((engine) => shown(results[engine][group]?.[name]).padStart(12)),
    ].join(""),
  );
  return [`${"".padEnd(34)}${engines.map((engine) => engine.padStart(12)).join("")}`, ...lines].join("\n");
}

const root = mkdtempSync(join(tmpdir(), "proximal-embedded-"));
try {
  const machine = describeMachine();
  const results = { pglite: await measure("pglite", root), sqlite: await measure("sqlite", root) };
  if (values.json) process.stdout.write(`${JSON.stringify({ machine, events, results }, null, 2)}\n`);
  else process.stdout.write(`${JSON.stringify(machine)}\n${events} events\n\n${report(results)}\n`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
