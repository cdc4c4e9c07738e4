import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fillLog } from "../test/support/filled-log.ts";
import { cpuSeconds } from "./bench/processes.ts";
import { wholeNumbers } from "./whole-number.ts";

/*
 * What exporting a log costs: `node load-tests/measure-export.ts [--events 1000000] [--learners 20000]`.
 *
 * Makes a log of interactions in SQLite in a folder of its own, exports all of it with `proximal export events` in each format, and
 * says for each: events a second of the clock, seconds of CPU of the process with all its threads, the most memory it
 * ever held (VmHWM, so Linux only), and the size of the file.
 */

const { values } = parseArgs({
  options: { events: { type: "string", default: "1000000" }, learners: { type: "string", default: "20000" } },
});
const { events, learners } = wholeNumbers(values, "events", "learners");
const folder = mkdtempSync(join(tmpdir(), "proximal-export-"));

/** The most memory and all CPU up to the last look, of this process alone. */
function watch({ pid = 0 }: ChildProcess) {
  let [megabytes, seconds] = [0, 0];
  const timer = setInterval(() => {
    // One that has just ended has neither any more.
    megabytes = mostMemory(pid) / 1e6 || megabytes;
    seconds = cpuSeconds(pid) || seconds;
  }, 50);
  return () => {
    clearInterval(timer);
    return { megabytes: Math.round(megabytes), cpu: seconds };
  };
}

/** Bytes that a process has ever held at once; NaN where the system does not tell. */
function mostMemory(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
  } catch {
    return Number.NaN;
  }
}

try {
  await fillLog(folder, events, learners);
  for (const format of ["ndjson", "csv", "parquet"]) {
    const out = join(folder, `events.${format}`);
    const startedAt = performance.now();
    const launcher = join(import.meta.dirname, "../bin/proximal.js");
    const env = { ...process.env, PROXIMAL_DATA: folder };
    const args = ["--disable-warning=ExperimentalWarning", launcher, "export", "events", "--out", out];
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "inherit", "ignore"] });
    const watched = watch(child);
    const [code] = (await once(child, "exit")) as [number];
    const seconds = (performance.now() - startedAt) / 1_000;
    const { megabytes, cpu } = watched();
    if (code !== 0) throw new Error(`the export ended with ${code}`);
    const size = statSync(out).size / 1e6;
    process.stdout.write(
      `${format}: ${Math.round(events / seconds)} events/s, ${cpu.toFixed(1)} s of CPU, ${megabytes} MB of memory, ${size.toFixed(0)} MB of file\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
