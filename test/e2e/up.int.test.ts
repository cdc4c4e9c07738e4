import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRunning } from "../../infra/local/processes.ts";
import { missingFor } from "../../infra/local/stack.ts";
import type { State } from "../../infra/local/state.ts";
import { orSkip } from "../support/engines.ts";
import { temporaryFolder } from "../support/folders.ts";
import { floodAndScale } from "./flood-and-scale.ts";
import { eventually, type Reply, root } from "./proximal.ts";

const missing = await missingFor("full");
const skipped = missing.length > 0 && orSkip({ skip: `the stack of npm run up is not installed: ${missing}` }) === null;

/** So that workers are added within seconds, and taken away as soon. */
const soon = {
  ...{ PROXIMAL_SCALE_CATCH_UP_S: "1", PROXIMAL_SCALE_RESTART_S: "1" },
  ...{ PROXIMAL_SCALE_COOL_DOWN_S: "3", PROXIMAL_SCALE_DOWN_AFTER_S: "5" },
};

/** `npm run up` without npm, in a folder of its own, which is gone after the tests with all that runs from it. */
function newStack() {
  const place = temporaryFolder();
  // PostgreSQL may have to run as another user.
  chmodSync(place, 0o711);
  const folder = join(place, "stack");
  const run = async (command: "up" | "down" | "status", ...args: string[]) => {
    const script = join(root, "infra/local/main.ts");
    const env = { ...process.env, ...soon };
    const child = spawn(process.execPath, [script, command, "--folder", folder, ...args], { cwd: root, env });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    const [code] = await once(child, "close");
    return { code, output };
  };
  const state = (): State => JSON.parse(readFileSync(join(folder, "state.json"), "utf8"));
  const remove = async (): Promise<void> => {
    await run("down");
    rmSync(folder, { recursive: true, force: true });
  };
  return { folder, run, state, remove };
}

const pidsOf = (state: State) => new Map(state.pieces.map(({ name, pid }) => [name, pid]));

async function call(state: State, role: "api" | "query", path: string, body?: unknown): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${state.ports[role]}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${state.key}`, ...(body ? { "content-type": "application/json" } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: await response.json() };
}

const names = ["postgres", "pgbouncer", "redis", "redis-jobs", "kafka"];
const roles = ["relay", "projector", "trainer", "jobs", "query", "api"];

describe.skipIf(skipped)("the stack of npm run up", { timeout: 300_000 }, () => {
  let stack: ReturnType<typeof newStack>;
  beforeAll(() => {
    stack = newStack();
  });
  afterAll(() => stack.remove(), 120_000);

  test("up, post, next, up again: every role a process, on real engines", async () => {
    const { run, state } = stack;
    const first = await run("up");
    expect(first.code, first.output).toBe(0);
    const started = state();
    expect(started.pieces.map(({ name }) => name)).toEqual([...names, ...roles]);
    for (const { name, port } of started.pieces) expect(first.output).toMatch(new RegExp(`${name} +127.0.0.1:${port}`));

    expect((await call(started, "api", "/v1/items", { itemId: "a", title: "A", skillIds: [] })).status).toBe(201);
    expect((await call(started, "api", "/v1/items", { itemId: "b", title: "B", skillIds: [] })).status).toBe(201);
    const answer = { learnerId: "ann", itemId: "a", kind: "answer", correct: true };
    const posted = await call(started, "api", "/v1/interactions", answer);
    expect(posted.status).toBe(201);
    const path = `/v1/learners/ann/next?after=${posted.body.tokens.ann}`;
    const next = await eventually(
      "a fresh list",
      () => call(started, "query", path),
      ({ body }) => body.fresh,
    );
    expect(next.body).toMatchObject({ source: "personal", revision: 1, fresh: true });
    expect(next.body.items).toEqual([expect.objectContaining({ itemId: "b" })]);
    expect(await call(started, "query", "/v1/interactions", answer)).toMatchObject({ status: 421 });

    // Each in a session of its own: Ctrl-C in the terminal of `up` reaches none of them.
    for (const { pid } of started.pieces) expect(sessionOf(pid)).toBe(pid);
    const projector = pidsOf(started).get("projector") ?? 0;
    process.kill(projector, "SIGKILL");
    await eventually(
      "the projector's end",
      async () => isRunning(projector),
      (alive) => !alive,
    );
    expect(await run("status")).toMatchObject({ code: 1, output: expect.stringMatching(/projector .*has ended/) });
    const second = await run("up");
    expect(second.code, second.output).toBe(0);
    const [before, after] = [pidsOf(started), pidsOf(state())];
    expect(after.get("projector")).not.toBe(before.get("projector"));
    for (const name of [...names, "api", "query", "relay"]) expect(after.get(name)).toBe(before.get(name));
    expect((await call(state(), "query", "/v1/learners/ann/scores")).body).toMatchObject({ answers: 1 });
  });

  test("flooded, it goes from one projector to four and back by the plan: drained, nothing lost, no flapping", async () => {
    await floodAndScale(stack.folder, stack.state);
  });

  test("down: who answers first, engines last, and nothing is left", async () => {
    const { run, state } = stack;
    const running = state().pieces;
    const down = await run("down");
    expect(down.code, down.output).toBe(0);
    const order = [...down.output.matchAll(/^stopped (\S+)$/gm)].map(([, name]) => name);
    expect(order).toHaveLength(11);
    expect(order.slice(0, 2).sort()).toEqual(["api", "query"]);
    expect(order.slice(6)).toEqual(["kafka", "redis-jobs", "redis", "pgbouncer", "postgres"]);
    expect(running.filter(({ pid }) => isRunning(pid))).toEqual([]);
    for (const { port } of running) expect(await refuses(port)).toBe(true);
    expect(await run("down")).toMatchObject({ code: 0 });
  });
});

/** From /proc: the fields after the name of the program. */
function sessionOf(pid: number): number {
  if (process.platform !== "linux") return pid;
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]);
}

function refuses(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", () => resolve(true));
  });
}
