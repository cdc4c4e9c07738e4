// Builds the console (console/) into console/dist, which the API serves, where it is not there or was built of other
// sources. Run by npm before `npm start` and `npm run up`, and by `npm run build`; takes about a second.
// Plain JavaScript: it runs on the machine's own Node, and hands over to the Node 24 of the npm package for Vite.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What the pages are made of besides console/: who builds them, and what gets into them. */
const ingredients = ["vite", "preact", "uplot", "@dagrejs/dagre"];

/**
 * A digest of everything that the pages are made of. Contents are compared, not times: a checkout or a copy changes times.
 * @param {string} root folder of the repository
 */
export function consoleSources(root) {
  const hash = createHash("sha256");
  const folder = join(root, "console");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !/^(dist|test)\b/.test(name) && !/\.test\.tsx?$/.test(name))
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
  for (const name of names) hash.update(`${name}\n`).update(readFileSync(join(folder, name)));
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  for (const name of ingredients) hash.update(`${name} ${packages[`node_modules/${name}`]?.version}\n`);
  return hash.digest("hex");
}

/**
 * Of what the pages that are there were built; null where there are none.
 * @param {string} root
 */
export function builtFrom(root) {
  try {
    return existsSync(join(root, "console", "dist", "index.html"))
      ? readFileSync(stampPath(root), "utf8").trim()
      : null;
  } catch {
    return null;
  }
}

/** @param {string} root */
const stampPath = (root) => join(root, "console", "dist", "built-from.txt");

/** @param {string} root */
function build(root) {
  const own = Number.parseInt(process.versions.node, 10) >= 24;
  const program = process.platform === "win32" ? "node.exe" : "node";
  const node = own ? process.execPath : join(root, "node_modules", "node", "bin", program);
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  if (!existsSync(vite)) return "Vite is not installed (npm ci --omit=dev leaves it out)";
  // Whoever builds (tests do): pages for use, without the names of their sources in them.
  const env = { ...process.env, NODE_ENV: "production" };
  const run = spawnSync(node, [vite, "build", "console", "--logLevel", "warn"], { cwd: root, encoding: "utf8", env });
  if (run.status !== 0) return `${run.error?.message ?? ""}${run.stdout ?? ""}${run.stderr ?? ""}`.trim();
  return null;
}

function main() {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const sources = consoleSources(root);
  if (builtFrom(root) === sources && !process.argv.includes("--again")) return 0;
  const problem = build(root);
  if (problem === null) {
    writeFileSync(stampPath(root), `${sources}\n`);
    return 0;
  }
  console.error(`proximal: the console was not built, everything else works without it: ${problem}`);
  // A start does without; who asked for it wants to know.
  return process.env.npm_lifecycle_event === "prestart" || process.env.npm_lifecycle_event === "preup" ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main();
