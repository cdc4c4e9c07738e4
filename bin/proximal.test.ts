import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** A repository whose command line says where it runs, and waits when told to. */
const main = `
export async function main(argv: string[]): Promise<number> {
  const { DatabaseSync } = await import("node:sqlite");
  new DatabaseSync(":memory:").close();
  const kept = setInterval(() => {}, 1000);
  const stopped = new Promise((resolve) => process.once("SIGTERM", resolve));
  console.log(JSON.stringify({ pid: process.pid, node: process.version, argv }));
  if (argv[0] === "wait") {
    await stopped;
    console.log("stopped cleanly");
  }
  clearInterval(kept);
  return argv[0] === "wait" ? 5 : 7;
}
`;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "proximal-launcher-"));
  cpSync(import.meta.dirname, join(root, "bin"), { recursive: true });
  writeFileSync(join(root, "package.json"), '{"type":"module"}');
  mkdirSync(join(root, "src/app/cli"), { recursive: true });
  writeFileSync(join(root, "src/app/cli/main.ts"), main);
  mkdirSync(join(root, "node_modules"));
  symlinkSync(join(import.meta.dirname, "../node_modules/node"), join(root, "node_modules/node"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function start(node: string, args: readonly string[]) {
  const child = spawn(node, [join(root, "bin/proximal.js"), ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    nextLine: async () => String((await lines.next()).value),
    ended: once(child, "exit").then(([code]) => ({ code, stderr })),
  };
}

/** Node programs older than 24 on this machine. */
const older = (process.env.PATH ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "node"))
  .filter((path) => existsSync(path))
  .filter((path) => Number.parseInt(execFileSync(path, ["-p", "process.versions.node"], { encoding: "utf8" }), 10) < 24)
  .slice(0, 1);
if (older.length === 0) process.stderr.write("SKIPPED: no Node older than 24 in PATH to hand over from\n");

describe.each([["Node 24", process.execPath], ...older.map((path) => ["an older Node", path])])("%s", (_name, node) => {
  test("runs the sources on Node 24 with the arguments, without a warning, and gives the exit code", async () => {
    const run = start(node, ["a", "--b=c d"]);
    const said = JSON.parse(await run.nextLine());
    expect(said.argv).toEqual(["a", "--b=c d"]);
    expect(Number.parseInt(said.node.slice(1), 10)).toBeGreaterThanOrEqual(24);
    expect(await run.ended).toEqual({ code: 7, stderr: "" });
  });

  test("SIGTERM stops it cleanly", async () => {
    const run = start(node, ["wait"]);
    await run.nextLine();
    run.child.kill("SIGTERM");
    expect(await run.nextLine()).toBe("stopped cleanly");
    expect(await run.ended).toEqual({ code: 5, stderr: "" });
  });

  test("nothing stays behind when the process that was started is killed", async () => {
    const run = start(node, ["wait"]);
    const { pid } = JSON.parse(await run.nextLine());
    run.child.kill("SIGKILL");
    await run.ended;
    await expect.poll(() => isRunning(pid), { timeout: 30_000 }).toBe(false);
  });
});

test.runIf(older.length > 0)("an older Node without the npm package `node` is told what to do", async () => {
  const bare = mkdtempSync(join(tmpdir(), "proximal-bare-"));
  try {
    cpSync(join(root, "bin"), join(bare, "bin"), { recursive: true });
    writeFileSync(join(bare, "package.json"), '{"type":"module"}');
    const child = spawn(older[0] ?? "", [join(bare, "bin/proximal.js")], { stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    expect(await once(child, "close")).toEqual([1, null]);
    expect(stderr).toMatch(/needs Node 24, this is v\d+.*Run `npm ci` in/);
  } finally {
    rmSync(bare, { recursive: true, force: true });
  }
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
