import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { composeCommand, composeDown, composeUp } from "./containers.ts";
import { enginesOf } from "./engines.ts";
import { isStill } from "./processes.ts";
import { roleOf, rolesOf, whatRolesDo } from "./roles.ts";
import { scaleWorkers, wantedWorkers, workersOf } from "./scale.ts";
import { missingFor, startAll, stopAll } from "./stack.ts";
import { type Size, type StackFolder, type State, stackFolder } from "./state.ts";

/** `npm run up`, `down`, `status` and `scale`: the whole of a deployment on this machine, on loopback. */
const usage = `npm run up   [-- --size small|full] [--folder .proximal/up]   starts what does not run yet
npm run down [-- --clean] [--folder .proximal/up]             stops it; --clean removes its data as well
npm run status [-- --json]                                    what runs where
npm run scale -- ROLE=NUMBER...                               so many processes of a role: projector, api, query, jobs`;

const print = (line = ""): void => void process.stdout.write(`${line}\n`);

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      size: { type: "string" },
      folder: { type: "string" },
      clean: { type: "boolean" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  const [command, ...rest] = positionals;
  const folder = stackFolder(values.folder);
  const { size } = values;
  if (values.help === true || command === undefined || (size !== undefined && size !== "small" && size !== "full")) {
    print(usage);
    return values.help === true ? 0 : 64;
  }
  if (command === "status") return status(folder, values.json === true);
  if (command !== "up" && command !== "down" && command !== "scale") throw new Error(usage);
  const unlock = await folder.lock();
  try {
    if (command === "scale") return await scale(folder, rest);
    return command === "up" ? await up(folder, size) : await down(folder, values.clean === true);
  } finally {
    await unlock();
  }
}

async function up(folder: StackFolder, wanted: Size | undefined): Promise<number> {
  const before = await folder.read();
  const running = before?.pieces.filter(isStill) ?? [];
  const size = wanted ?? (running.length > 0 && before ? before.size : "full");
  if (before !== null && running.length > 0 && before.size !== size) {
    throw new Error(`a stack of size ${before.size} runs: npm run down, then up again`);
  }
  const missing = await missingFor(size);
  if (missing.length > 0) return upInContainers(folder, size, missing);
  try {
    const state = await startAll(folder, size, print, stopSignal());
    printStack(state);
    return 0;
  } catch (error) {
    // What ran before stays, and what is half started is no use to anybody.
    const state = await folder.read();
    if (state !== null && running.length === 0) await stopAll(folder, state, print);
    throw error;
  }
}

async function upInContainers(folder: StackFolder, size: Size, missing: readonly string[]): Promise<number> {
  const compose = composeCommand();
  const needed = missing.map((one) => `  ${one}`).join("\n");
  if (compose === null) {
    process.stderr.write(
      `Not installed here, and no Docker that answers either:\n${needed}\nInstall them, or Docker with Compose, or take a smaller stack: npm run up -- --size small\n`,
    );
    return 1;
  }
  print(`Not installed here, so Docker Compose starts it:\n${needed}`);
  await composeUp(compose, size);
  await folder.write({ version: 1, size, by: "compose", password: "", key: null, ports: {}, pieces: [], workers: {} });
  return 0;
}

async function down(folder: StackFolder, clean: boolean): Promise<number> {
  const state = await folder.read();
  if (state === null) {
    print("nothing to stop: nothing was started from here");
    return 0;
  }
  if (state.by === "compose") {
    const compose = composeCommand();
    if (compose === null) throw new Error("it was started with Docker, which does not answer");
    await composeDown(compose, state.size, clean);
  }
  const forced = await stopAll(folder, state, print);
  if (clean) await rm(folder.path, { recursive: true, force: true });
  else print(`data stays in ${join(folder.path, "data")}; npm run down -- --clean removes it`);
  if (forced.length > 0) process.stderr.write(`ended by force, since they did not end in time: ${forced.join(", ")}\n`);
  return forced.length > 0 ? 1 : 0;
}

async function scale(folder: StackFolder, args: readonly string[]): Promise<number> {
  const wanted = wantedWorkers(args);
  const state = await folder.read();
  if (state === null || !state.pieces.some(isStill)) throw new Error("nothing runs: npm run up");
  if (state.by === "compose") throw new Error("it was started with Docker: docker compose up --scale adds to it");
  if (state.size === "small")
    throw new Error("a stack of size small is one process of all roles: npm run down, then npm run up -- --size full");
  const forced = await scaleWorkers(folder, state, wanted, print, stopSignal());
  if (forced.length > 0) process.stderr.write(`ended by force, since they did not end in time: ${forced.join(", ")}\n`);
  return forced.length > 0 ? 1 : 0;
}

/** Aborts at Ctrl-C: what is started stays written down. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(new Error("stopped"));
  process.once("SIGINT", stop).once("SIGTERM", stop);
  return stopping.signal;
}

async function status(folder: StackFolder, json: boolean): Promise<number> {
  const state = await folder.read();
  const runs = state !== null && (state.by === "compose" || state.pieces.some(isStill));
  if (json) {
    const api = state?.ports.api ?? state?.ports.all;
    const url = api === undefined ? null : `http://127.0.0.1:${api}`;
    const about = state === null ? null : { size: state.size, by: state.by, url, key: state.key };
    print(JSON.stringify({ runs, ...about, workers: state === null ? {} : workersOf(state) }, null, 2));
    return runs ? 0 : 1;
  }
  if (state === null || !runs) {
    print("nothing runs: npm run up");
    return 1;
  }
  printStack(state);
  return state.pieces.every(isStill) ? 0 : 1;
}

function printStack(state: State): void {
  const does = new Map<string, string>([
    ...enginesOf[state.size].map(({ name, what }) => [name, what] as const),
    ...rolesOf[state.size].map((role) => [role, whatRolesDo[role]] as const),
  ]);
  print();
  for (const piece of state.pieces) {
    const pid = isStill(piece) ? `pid ${piece.pid}` : "has ended";
    const what = does.get(roleOf(piece.name) ?? piece.name) ?? "";
    print(`  ${piece.name.padEnd(11)} 127.0.0.1:${String(piece.port).padEnd(6)} ${pid.padEnd(12)} ${what}`);
  }
  const api = `http://127.0.0.1:${state.ports.api ?? state.ports.all}`;
  const query = state.ports.query === undefined ? api : `http://127.0.0.1:${state.ports.query}`;
  const auth = '-H "authorization: Bearer $KEY"';
  const json = "-H 'content-type: application/json'";
  print(`
  documentation ${api}/docs
  logs          ${state.pieces[0] === undefined ? "" : join(state.pieces[0].log, "..")}

Try it:

  KEY=${state.key}
  curl -s ${api}/v1/items ${auth} ${json} -d '[{"itemId":"a1","title":"2 + 3 = ?","skillIds":[]},{"itemId":"a2","title":"4 + 7 = ?","skillIds":[]}]'
  curl -s ${api}/v1/interactions ${auth} ${json} -d '{"learnerId":"me","itemId":"a1","kind":"answer","correct":true}'
  curl -s '${query}/v1/learners/me/next?count=3' ${auth}

npm run down stops it.`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
