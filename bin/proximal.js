#!/usr/bin/env node
// Starts Proximal on Node 24, whatever Node this is: Node 24 runs the TypeScript sources as they are (see
// docs/adr/0008-node-runs-typescript.md). An older Node hands over to the Node 24 of the npm package `node`.
// Plain JavaScript that every Node since 14 can read, so that the message about an old one is readable too.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));
const flags = [
  // node:sqlite still calls itself experimental. As a flag, so that worker threads inherit it.
  "--disable-warning=ExperimentalWarning",
  // Folding and answering make much that is soon garbage: a larger young generation collects it less often.
  "--max-semi-space-size=64",
  // V8 would place what often lived a little longer among the old at once, where all that it names outlives it until the next full
  // collection: a fifth of all garbage was kept so and copied (docs/adr/0059-garbage-is-not-kept-for-old.md).
  "--no-allocation-site-pretenuring",
];
const args = process.argv.slice(2);

if (Number.parseInt(process.versions.node, 10) < 24) handOver();
else if (!flags.every((flag) => process.execArgv.includes(flag)) && replaceProcess())
  throw new Error("unreachable: the process was replaced");
else await run();

/** Becomes the same Node with the flags: same process id, so signals and kill -9 reach the real thing. */
function replaceProcess() {
  if (typeof process.execve !== "function" || process.platform === "win32" || process.connected) return false;
  process.emitWarning = () => {};
  process.execve(process.execPath, [process.execPath, ...flags, ...process.execArgv, self, ...args], process.env);
  return true;
}

async function run() {
  // The launcher on an old Node holds a channel open: when it is killed, nobody else would stop this process.
  if (process.connected) {
    process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
    process.channel?.unref();
  }
  const { main } = await import(entry());
  process.exitCode = await main(args);
}

/** The sources; the built files where there are none, or where Node refuses to strip types (inside node_modules). */
function entry() {
  const source = join(root, "src", "app", "cli", "main.ts");
  const built = join(root, "dist", "src", "app", "cli", "main.js");
  const installed = /[\\/]node_modules[\\/]/.test(root);
  return pathToFileURL((installed || !existsSync(source)) && existsSync(built) ? built : source).href;
}

function handOver() {
  const node24 = findNode24();
  if (node24 === null) {
    console.error(
      `proximal: needs Node 24, this is ${process.version}. Run \`npm ci\` in ${root} (it brings one), or use Node 24.`,
    );
    process.exitCode = 1;
    return;
  }
  const child = spawn(node24, [...flags, self, ...args], { stdio: ["inherit", "inherit", "inherit", "ipc"] });
  // A terminal sends Ctrl-C to the child as well: sending it again would be a second Ctrl-C.
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP", "SIGUSR2"])) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", (error) => {
    console.error(`proximal: could not start ${node24}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
}

/** The program of the npm package `node`, found the way Node finds packages; null when it is not there. */
function findNode24() {
  try {
    const manifest = createRequire(self).resolve("node/package.json");
    const program = join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(program) ? program : null;
  } catch {
    return null;
  }
}
