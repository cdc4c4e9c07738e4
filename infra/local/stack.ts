import { randomBytes } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Engine, enginesOf } from "./engines.ts";
import { beganAt, type Command, isStill, startDetached, stopProcess } from "./processes.ts";
import { freePortLike, run } from "./programs.ts";
import { environmentOf, isReady, processesOf, processNames, proximal, roleOf } from "./roles.ts";
import type { Piece, Size, StackFolder, State } from "./state.ts";

/** Told of each step, in a few words. */
export type Tell = (line: string) => void;

/** How long one part may take to answer. A JVM on a busy machine is slow. */
const readyMs = 120_000;
/** Longer than PROXIMAL_STOP_TIMEOUT_MS: a process ends itself in time. */
export const stopMs = 20_000;

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
  const starter = createStarter(folder, await prepared(folder, size), tell, signal);
  for (const engine of enginesOf[size]) {
    const place = placeOf(folder, starter.state(), engine);
    await starter.start(engine.name, () => engine.command(place), engine.signal);
    await starter.answering(engine.name, () => engine.answers(place));
  }
  const { key, ports, password } = starter.state();
  await starter.save({ ...starter.state(), key: key ?? (await createKey(environmentOf(size, ports, password))) });
  const processes = processNames(starter.state());
  for (const name of processes) await startRole(starter, name);
  await Promise.all(processes.map((name) => starter.answering(name, () => isReady(starter.state().ports[name] ?? 0))));
  return starter.state();
}

/** Starts parts of a stack one after another, and writes down each before it is waited for. */
export interface Starter {
  state(): State;
  save(next: State): Promise<void>;
  /** Does nothing where it runs. */
  start(name: string, command: () => Promise<Command>, stopBy: Piece["signal"]): Promise<void>;
  /** Asks until it answers; rejects when it has ended, or takes too long. */
  answering(name: string, ask: () => Promise<unknown>): Promise<void>;
}

export function createStarter(folder: StackFolder, before: State, tell: Tell, signal: AbortSignal): Starter {
  let state = before;
  const save = async (next: State): Promise<void> => {
    state = next;
    await folder.write(state);
  };
  return {
    state: () => state,
    save,
    async start(name, command, stopBy) {
      signal.throwIfAborted();
      if (state.pieces.some((piece) => piece.name === name && isStill(piece))) return;
      const log = join(folder.path, "logs", `${name}.log`);
      const pid = await startDetached(await command(), log);
      const piece = { name, pid, began: beganAt(pid), port: state.ports[name] ?? 0, log, signal: stopBy };
      await save({ ...state, pieces: [...state.pieces.filter((other) => other.name !== name), piece] });
    },
    answering: (name, ask) => answering(state, name, ask, tell, signal),
  };
}

/** A process of Proximal, by its name: `projector`, or `projector-2` for one more. */
export async function startRole(starter: Starter, name: string): Promise<void> {
  const { size, ports, password } = starter.state();
  const role = roleOf(name);
  if (role === null) throw new Error(`${name} is no role`);
  const own = { PORT: String(ports[name]), PROXIMAL_PROCESSES: processesOf(role) };
  const env = { ...environmentOf(size, ports, password), ...own, HOST: "127.0.0.1", LOG_FORMAT: "json" };
  await starter.start(name, async () => proximal(["serve", "--role", role], env), "SIGTERM");
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
  const workers = before?.workers ?? {};
  const names = [...enginesOf[size].map(({ name }) => name), ...processNames({ size, workers })];
  const ports: Record<string, number> = {};
  for (const name of names.includes("kafka") ? [...names, "kafka-controller"] : names) {
    const runs = running.some(
      (piece) => piece.name === name || (name === "kafka-controller" && piece.name === "kafka"),
    );
    const last = before?.ports[name] ?? wantedPorts[name] ?? 0;
    ports[name] = runs ? last : await freePortLike(last);
  }
  const key = before?.key ?? null;
  const state: State = { version: 1, size, by: "local", password, key, ports, pieces: running, workers };
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

export async function createKey(environment: Readonly<Record<string, string>>): Promise<string> {
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
  const answering = pieces.filter(({ name }) => ["all", "api", "query"].includes(roleOf(name) ?? ""));
  if (answering.length > 0) return answering;
  const working = pieces.filter(({ name }) => roleOf(name) !== null);
  return working.length > 0 ? working : pieces.slice(-1);
}
