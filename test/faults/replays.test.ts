import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSqliteReplayStore } from "../../src/adapters/replay-store/sqlite.ts";
import { loadConfig } from "../../src/app/config.ts";
import type { ReplayOrder } from "../../src/app/replays/replay-process.ts";
import { mulberry32 } from "../../src/domain/random.ts";
import { type Format, formats } from "../../src/queries/export/table-writer.ts";
import { fillLog } from "../support/filled-log.ts";
import { temporaryFolder } from "../support/folders.ts";
import { pick } from "../support/random.ts";

/**
 * The process that works on a replay is killed at random moments, again and again, and once in a while told to go; another
 * goes on. The file must be that of a replay that nobody disturbed, to the byte.
 *
 * PROXIMAL_SEED=<n> repeats one seed, PROXIMAL_FAULT_RUNS=<n> runs so many.
 */
const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 1);
const given = process.env.PROXIMAL_SEED;
const seeds = given === undefined ? Array.from({ length: runs }, (_, seed) => seed + 1) : [Number(given)];

/** More than two groups of rows, so that Parquet has places to go on from. */
const events = 55_000;
const folder = temporaryFolder();
const { config } = loadConfig({ PROXIMAL_DATA: folder, LOG_LEVEL: "error" });
const worker = join(import.meta.dirname, "../../src/app/replays/replay-worker.ts");
const undisturbed = new Map<Format, Promise<Buffer>>();
let store: Awaited<ReturnType<typeof openSqliteReplayStore>>;

beforeAll(async () => {
  await fillLog(folder, events, 500);
  store = await openSqliteReplayStore({ folder });
}, 180_000);
afterAll(() => store.close());

/** One turn in a process of its own. */
function startTurn(replayId: string): { readonly process: ChildProcess; readonly ended: Promise<unknown> } {
  const child = fork(worker, [], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  child.send({ config, replayId } satisfies ReplayOrder);
  return { process: child, ended };
}

const asked = (format: Format): Promise<string> => askedFor("export", { what: "events", format });

async function askedFor(kind: string, input: object): Promise<string> {
  const id = randomUUID();
  await store.add({ id, kind, input, idempotencyKey: null, requestedBy: null, createdAt: Date.now() }, 100);
  return id;
}

const content = (id: string, format: Format): Promise<Buffer> => fileOf(id, `events.${format}`);

async function fileOf(id: string, name: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let offset = 0; ; ) {
    const piece = await store.read(id, name, offset);
    if (piece.length === 0) return Buffer.concat(pieces);
    pieces.push(Buffer.from(piece));
    offset += piece.length;
  }
}

async function undisturbedFile(format: Format): Promise<Buffer> {
  const id = await asked(format);
  await startTurn(id).ended;
  expect(await store.get(id)).toMatchObject({ state: "done", attempts: 1, summary: { rows: events } });
  return content(id, format);
}

function hasCheckpoint(id: string): boolean {
  const database = new DatabaseSync(join(folder, "replays.sqlite"), { readOnly: true });
  try {
    return database.prepare("SELECT checkpoint FROM replays WHERE id = ?").get(id)?.checkpoint !== null;
  } finally {
    database.close();
  }
}

const isRunning = ({ process: child }: ReturnType<typeof startTurn>) =>
  child.exitCode === null && child.signalCode === null;

describe("the process of a replay is killed", () => {
  test.each(seeds)("and another writes the same file (PROXIMAL_SEED=%i)", { timeout: 240_000 }, async (seed) => {
    const random = mulberry32(seed);
    const format = formats[(seed + 1) % formats.length] ?? "csv";
    const id = await asked(format);
    let killed = 0;
    for (let turn = 0; turn < 3; turn += 1) {
      const running = startTurn(id);
      // It has begun, or ended; then any moment will do.
      const before = (await store.get(id))?.attempts ?? 0;
      while (isRunning(running) && (await store.get(id))?.attempts === before) await sleep(5);
      // Once a checkpoint has been there for sure.
      while (turn === 0 && isRunning(running) && !hasCheckpoint(id)) await sleep(2);
      await sleep(random() * (turn === 0 ? 100 : 1_500));
      if (!isRunning(running)) break;
      running.process.kill(pick(random, ["SIGKILL", "SIGKILL", "SIGTERM"] as const));
      await running.ended;
      killed += 1;
      // What another worker would wait for: the claim of the dead one runs out.
      await store.release({ id, attempt: before + 1 }, Date.now(), true);
    }
    for (let more = 0; more < 3 && (await store.get(id))?.state !== "done"; more += 1) await startTurn(id).ended;
    const replay = await store.get(id);
    expect(replay, `PROXIMAL_SEED=${seed}`).toMatchObject({ state: "done", summary: { rows: events } });
    undisturbed.set(format, undisturbed.get(format) ?? undisturbedFile(format));
    const same = (await content(id, format)).equals((await undisturbed.get(format)) ?? Buffer.alloc(0));
    expect(same, `PROXIMAL_SEED=${seed}: ${format}, killed ${killed} times`).toBe(true);
  });

  test("a report counts again, and is the same", { timeout: 240_000 }, async () => {
    const wanted = { report: "funnel" };
    const files = ["funnel.html", "funnel.csv", "funnel.json"];
    const [id, undisturbed] = [await askedFor("report", wanted), await askedFor("report", wanted)];
    const running = startTurn(id);
    while (isRunning(running) && !hasCheckpoint(id)) await sleep(2);
    await sleep(300);
    running.process.kill("SIGKILL");
    await running.ended;
    expect(await store.get(id)).toMatchObject({ state: "running", attempts: 1 });
    await store.release({ id, attempt: 1 }, Date.now(), true);
    await startTurn(id).ended;
    await startTurn(undisturbed).ended;
    expect(await store.get(id)).toMatchObject({ state: "done", attempts: 2 });
    for (const name of files) {
      const [again, was] = [await fileOf(id, name), await fileOf(undisturbed, name)];
      expect([again.length > 0, again.equals(was)], name).toEqual([true, true]);
    }
  });

  test("cancelled in the middle, it ends by itself and leaves no file", { timeout: 180_000 }, async () => {
    const id = await asked("ndjson");
    const running = startTurn(id);
    while (isRunning(running) && (await store.get(id))?.state !== "running") await sleep(2);
    expect(await store.cancel(id, Date.now())).toBe(true);
    await running.ended;
    expect(running.process.exitCode).toBe(0);
    expect(await store.get(id)).toMatchObject({ state: "cancelled", files: [] });
    expect(await content(id, "ndjson")).toHaveLength(0);
  });

  test("who started it has died: it gives its work back at once", { timeout: 180_000 }, async () => {
    const id = await asked("csv");
    const running = startTurn(id);
    while (isRunning(running) && (await store.get(id))?.attempts === 0) await sleep(5);
    running.process.disconnect();
    await running.ended;
    const replay = await store.get(id);
    if (replay?.state === "done") return;
    expect(await store.due(Date.now(), 100)).toContain(id);
  });
});
