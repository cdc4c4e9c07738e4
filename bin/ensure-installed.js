// Run by npm before `npm start` and `npm test`: a fresh clone installs itself, an installed one goes on at once.
// Plain JavaScript without dependencies: it runs on the machine's own Node, before there is anything else.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const minimum = { node: 20, npm: 10 };

/** @param {string} version "v20.11.1" or "10.2.4" */
const major = (version) => Number.parseInt(version.replace(/^v/, ""), 10);

/**
 * What is wrong with these versions, in one sentence; null when nothing is.
 * @param {string} nodeVersion
 * @param {string | null} npmVersion null when not known yet
 */
export function versionProblem(nodeVersion, npmVersion) {
  if (!(major(nodeVersion) >= minimum.node)) {
    return `Proximal needs Node ${minimum.node} or newer to install itself; this is Node ${nodeVersion}. Get one from https://nodejs.org/`;
  }
  if (npmVersion !== null && !(major(npmVersion) >= minimum.npm)) {
    return `Proximal needs npm ${minimum.npm} or newer; this is npm ${npmVersion}. Run: npm install --global npm@${minimum.npm}`;
  }
  return null;
}

/**
 * Why an installation is due, in a few words; null when node_modules holds what package-lock.json asks for. Contents
 * are compared, not times: a checkout or a copy changes times. Optional packages may be absent (other platforms).
 * @param {string} root folder of the repository
 * @returns {string | null}
 */
export function whyInstall(root) {
  const lock = readJson(join(root, "package-lock.json"));
  if (lock === null) return null;
  const installed = readJson(join(root, "node_modules", ".package-lock.json"));
  if (installed === null) return "node_modules is missing";
  for (const [path, wanted] of Object.entries(lock.packages)) {
    if (path === "") continue;
    const found = installed.packages[path];
    if (found === undefined) {
      if (wanted.optional || wanted.peer || wanted.devOptional) continue;
      return `${path} is missing`;
    }
    if (found.version !== wanted.version || found.integrity !== wanted.integrity) {
      return `${path} is ${found.version}, package-lock.json wants ${wanted.version}`;
    }
  }
  return null;
}

/**
 * Node 24 is an npm package here; its binary is put in place by an install script, which npm can be told not to run.
 * @param {string} root
 * @param {string} nodeVersion
 */
export function nodeProblem(root, nodeVersion) {
  if (major(nodeVersion) >= 24) return null;
  const binary = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  if (existsSync(binary)) return null;
  return "The npm package `node` (Node 24) did not install its program: npm was kept from running install scripts. Run: npm rebuild node --ignore-scripts=false, or use Node 24.";
}

/** @param {string} path */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

/**
 * npm as the caller runs it, or the one on the PATH.
 * @param {string[]} args
 * @param {import("node:child_process").SpawnSyncOptions} options
 */
function runNpm(args, options) {
  const own = process.env.npm_execpath;
  if (own?.endsWith(".js")) return spawnSync(process.execPath, [own, ...args], options);
  return spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
}

function npmVersion() {
  const agent = /^npm\/(\S+)/.exec(process.env.npm_config_user_agent ?? "");
  if (agent?.[1] !== undefined) return agent[1];
  const asked = runNpm(["--version"], { encoding: "utf8" });
  return asked.status === 0 ? String(asked.stdout).trim() : null;
}

function main() {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const old = versionProblem(process.version, null);
  if (old !== null) return fail(old);
  const why = whyInstall(root);
  if (why !== null) {
    const npm = npmVersion();
    if (npm === null) return fail("npm was not found. It comes with Node: https://nodejs.org/");
    const problem = versionProblem(process.version, npm);
    if (problem !== null) return fail(problem);
    console.error(`proximal: installing what package-lock.json names (${why}); this happens once`);
    const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    const run = runNpm(args, { cwd: root, stdio: "inherit" });
    if (run.status !== 0) return fail(`npm ci failed (${run.error?.message ?? `exit code ${run.status}`}); see above`);
  }
  const missing = nodeProblem(root, process.version);
  return missing === null ? 0 : fail(missing);
}

/** @param {string} message */
function fail(message) {
  console.error(`proximal: ${message}`);
  return 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main();
