import { randomBytes } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Engine, enginesOf } from "./engines.ts";
import { beganAt, type Command, isStill, startDetached, stopProcess } from "./processes.ts";
import { freePortLike, run } from "./programs.ts";
import { environmentOf, isReady, processesOf, proximal, rolesOf } from "./roles.ts";
import type { Piece, Size, StackFolder, State } from "./state.ts";

/** Told of each step, in a few words. */
export type Tell = (line: string) => void;

/** How long one part may take to answer. A JVM on a busy machine is slow. */
const readyMs = 120_000;
/** Longer than PROXIMAL_STOP_TIMEOUT_MS: a process ends itself in time. */
const stopMs = 20_000;

const wantedPorts: Readonly<Record<string, number>> = {
  ...{ all: 3000, api: 3000, query: 3001, relay: 3002, projector: 3003, trainer: 3004, jobs: 3005 },
  ...{
    postgres: 35_432,
    pgbouncer: 36_432,
    redis: 36_379,
    "redis-jobs": 36_380,
    kafka: 39_092,
    "kafka-controller": 39_093,
  },
};

/** What has to be installed for this size to run without containers; nothing where all is here. */
export async function missingFor(size: Size): Promise<string[]> {
  const missing = await Promise.all(enginesOf[size].map((engine) => engine.missing()));
  return [...new Set(missing.filter((one) => one !== null))];
}

/**
 * Starts what does not run yet, engines first, and resolves when everything answers. The state is written down before
 * anything is waited for, so that `stopAll` finds all of it however this ends.
 */
export async function startAll(folder: StackFolder, size: Size, tell: Tell, signal: AbortSignal): Promise<State> {
  let state = await prepared(folder, size);
  const save = async (next: State): Promise<void> => {
    state = next;
    await folder.write(state);
  };
  const start = async (name: string, command: () => Promise<Command>, stopBy: Piece["signal"]): Promise<void> => {
    signal.throwIfAborted();
    if (state.pieces.some((piece) => piece.name === name && isStill(piece))) return;
    const log = join(folder.path, "logs", `${name}.log`);
    const pid = await startDetached(await command(), log);
    const piece = { name, pid, began: beganAt(pid), port: state.ports[name] ?? 0, log, signal: stopBy };
    await save({ ...state, pieces: [...state.pieces.filter((other) => other.name !== name), piece] });
  };

  for (const engine of enginesOf[size]) {
    const place = placeOf(folder, state, engine);
    await start(engine.name, () => engine.command(place), engine.signal);
    await answering(state, engine.name, () => engine.answers(place), tell, signal);
  }
  const environment = environmentOf(size, state.ports, state.password);
  const key = state.key ?? (await createKey(environment));
  await save({ ...state, key });
  for (const role of rolesOf[size]) {
    const own = { PORT: String(state.ports[role]), PROXIMAL_PROCESSES: processesOf(role) };
    const env = { ...environment, ...own, HOST: "127.0.0.1", LOG_FORMAT: "json" };
    await start(role, async () => proximal(["serve", "--role", role], env), "SIGTERM");
  }
  await Promise.all(
    rolesOf[size].map((role) => answering(state, role, () => isReady(state.ports[role] ?? 0), tell, signal)),
  );
  return state;
}

/** The state as it was, with ports that are free for what does not run. */
async function prepared(folder: StackFolder, size: Size): Promise<State> {
  await mkdir(join(folder.path, "logs"), { recursive: true, mode: 0o700 });
  // PostgreSQL may run as another user: it has to get through to its own folder, and may read no other.
  await chmod(folder.path, 0o711);
  await mkdir(join(folder.path, "data"), { recursive: true });
  const before = await folder.read();
  const password = before?.password ?? randomBytes(16).toString("hex");
  const running = (before?.pieces ?? []).filter(isStill);
  const names = [...enginesOf[size].map(({ name }) => name), ...rolesOf[size]];
  const ports: Record<string, number> = {};
  for (const name of names.includes("kafka") ? [...names, "kafka-controller"] : names) {
    const runs = running.some(
      (piece) => piece.name === name || (name === "kafka-controller" && piece.name === "kafka"),
    );
    const last = before?.ports[name] ?? wantedPorts[name] ?? 0;
    ports[name] = runs ? last : await freePortLike(last);
  }
  const state: State = { version: 1, size, by: "local", password, key: before?.key ?? null, ports, pieces: running };
  await folder.write(state);
  return state;
}

function placeOf({ path }: StackFolder, { ports, password }: State, { name }: Engine) {
  return { folder: join(path, "data", name), port: ports[name] ?? 0, ports, password };
}

async function answering(
  state: State,
  name: string,
  ask: () => Promise<unknown>,
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  const piece = state.pieces.find((one) => one.name === name);
  const startedAt = performance.now();
  for (;;) {
    signal.throwIfAborted();
    try {
      await ask();
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      return tell(`${name} answers (${seconds} s)`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (piece === undefined || !isStill(piece)) throw new Error(`${name} ended: see ${piece?.log}`);
      if (performance.now() - startedAt > readyMs)
        throw new Error(`${name} does not answer (${why}): see ${piece.log}`);
    }
    await sleep(100);
  }
}

async function createKey(environment: Readonly<Record<string, string>>): Promise<string> {
  const scopes = ["client", "author", "analyst", "operator"].flatMap((scope) => ["--scope", scope]);
  const { program, args, env, cwd } = proximal(
    ["keys", "create", "--name", "npm run up", "--json", ...scopes],
    environment,
  );
  const output = await run(program, args, { cwd, env: { ...process.env, ...env, LOG_LEVEL: "silent" } });
  const [key] = /pxl_\w+/.exec(output) ?? [];
  if (key === undefined) throw new Error(`no API key was made: ${output}`);
  return key;
}

/** Stops what `startAll` started and nothing else, in reverse order; data stays. Names what had to be forced. */
export async function stopAll(folder: StackFolder, state: State, tell: Tell): Promise<string[]> {
  const forced: string[] = [];
  for (let { pieces } = state; pieces.length > 0; ) {
    const next = nextToStop(pieces);
    await Promise.all(
      next.map(async (piece) => {
        const wasRunning = isStill(piece);
        if (!(await stopProcess(piece, stopMs))) forced.push(piece.name);
        tell(wasRunning ? `stopped ${piece.name}` : `${piece.name} had ended already`);
      }),
    );
    pieces = pieces.filter((piece) => !next.includes(piece));
    await folder.write({ ...state, pieces });
  }
  return forced;
}

/** Who takes requests leaves first, then who works beside the requests; engines one by one, the log's last. */
function nextToStop(pieces: readonly Piece[]): readonly Piece[] {
  const answering = pieces.filter(({ name }) => ["all", "api", "query"].includes(name));
  if (answering.length > 0) return answering;
  const working = pieces.filter(({ name }) => isRole(name));
  return working.length > 0 ? working : pieces.slice(-1);
}

const isRole = (name: string): boolean =>
  Object.values(rolesOf).some((all) => (all as readonly string[]).includes(name));
