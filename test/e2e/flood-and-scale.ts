import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { isStill } from "../../infra/local/processes.ts";
import type { State } from "../../infra/local/state.ts";
import type { ScalingPlan } from "../../src/queries/scaling/scaling-watch.ts";
import { eventually, root } from "./proximal.ts";

const learners = 300;
const perBody = 2_000;
/** What is flooded at the most, and what may wait at a time: a slow machine has to fold all of it. */
const bound = { events: 400_000, waiting: 60_000 };
const patienceMs = 240_000;

/**
 * Posts more than one projector folds, with `proximal scale plan --apply local --watch` at work, until there are four; then
 * no more. Holds when all that was accepted is in the rows, once, and one projector is left, after few changes.
 */
export async function floodAndScale(folder: string, state: () => State): Promise<void> {
  const ask = askedOf(state());
  await publish(ask);
  const projectors = (): number =>
    state().pieces.filter((one) => one.name.startsWith("projector") && isStill(one)).length;
  const plan = async () => (await ask("GET", "/v1/ops/scaling")) as ScalingPlan;
  const projector = async () => (await plan()).roles.find(({ role }) => role === "projector");
  expect(projectors()).toBe(1);

  const scaler = startScaler(folder);
  const flood = await floodUntil(ask, async () => {
    if (scaler.ended()) throw new Error(`the scaler ended: ${scaler.output()}`);
    const waiting = (await projector())?.backlog ?? 0;
    return projectors() === 4 ? "done" : waiting > bound.waiting ? "enough" : "more";
  });
  expect(projectors(), `${flood.accepted} events, ${scaler.output()}`).toBe(4);

  const held = await eventually("no lag", projector, (one) => one?.backlog === 0, patienceMs);
  expect(held?.why).toMatch(/events\/s come in and none wait/);
  await eventually(
    "one projector",
    async () => projectors(),
    (count) => count === 1,
    patienceMs,
  );
  await scaler.stop();

  // Once each: a row says how many answers it holds.
  const counts = await Promise.all(
    Array.from({ length: learners }, async (_, n) => {
      const row = (await ask("GET", `/v1/learners/flood-${n}/scores`)) as { readonly answers: number };
      return row.answers - (flood.byLearner[n] ?? 0);
    }),
  );
  expect(new Set(counts)).toEqual(new Set([0]));
  const asked = [...scaler.output().matchAll(/^scaling: projector=(\d)$/gm)].map(([, count]) => Number(count));
  // What is asked again before it is seen (a slow machine starts workers slowly) is no change.
  const changes = asked.filter((count, at) => count !== asked[at - 1]);
  expect(changes.at(-1), scaler.output()).toBe(1);
  expect(changes).toContain(4);
  expect(changes.length, scaler.output()).toBeLessThanOrEqual(4);
}

type Ask = (method: "GET" | "POST", path: string, body?: string, type?: string) => Promise<unknown>;

function askedOf({ ports, key }: State): Ask {
  return async (method, path, body, type = "application/json") => {
    const response = await fetch(`http://127.0.0.1:${ports.api}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { "content-type": type }) },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    if (!response.ok && response.status !== 503) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`);
    return type === "application/json" ? JSON.parse(text) : text;
  };
}

async function publish(ask: Ask): Promise<void> {
  const items = Array.from({ length: 20 }, (_, n) => ({
    itemId: `flood-${n}`,
    title: `Item ${n}`,
    skillIds: ["flood"],
  }));
  await ask("POST", "/v1/skills", JSON.stringify([{ skillId: "flood", title: "Flood" }]));
  await ask("POST", "/v1/items", JSON.stringify(items));
}

/** Three posters at a time, until it says "done"; while there is "enough" they wait. */
async function floodUntil(ask: Ask, look: () => Promise<"more" | "enough" | "done">) {
  let told: Awaited<ReturnType<typeof look>> = "more";
  let posted = 0;
  const byLearner = Array.from({ length: learners }, () => 0);
  async function poster(): Promise<void> {
    while (told !== "done" && posted < bound.events) {
      if (told === "enough") {
        await new Promise((resolve) => setTimeout(resolve, 100));
        continue;
      }
      const from = posted;
      posted += perBody;
      const lines = Array.from({ length: perBody }, (_, n) => {
        const id = from + n;
        const of = { learnerId: `flood-${id % learners}`, itemId: `flood-${id % 20}`, kind: "answer" };
        return JSON.stringify({ id: `f${id}`, ...of, correct: id % 3 > 0 });
      });
      const reply = String(await ask("POST", "/v1/interactions", lines.join("\n"), "application/x-ndjson"));
      for (const [at, line] of reply.trim().split("\n").entries()) {
        if (at < perBody && line.includes('"accepted"')) {
          const learner = (from + at) % learners;
          byLearner[learner] = (byLearner[learner] ?? 0) + 1;
        }
      }
    }
  }
  async function looker(): Promise<void> {
    while (told !== "done" && posted < bound.events) {
      told = await look();
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    // All is posted: what waits may still be what brings the fourth.
    for (const end = performance.now() + patienceMs; told !== "done" && performance.now() < end; told = await look())
      await new Promise((resolve) => setTimeout(resolve, 250));
  }
  await Promise.all([looker(), poster(), poster(), poster()]);
  return { byLearner, accepted: byLearner.reduce((sum, one) => sum + one, 0) };
}

function startScaler(folder: string) {
  const args = [
    "scale",
    "plan",
    "--apply",
    "local",
    "--folder",
    folder,
    "--role",
    "projector",
    "--watch",
    "--every",
    "2s",
  ];
  const child = spawn(process.execPath, [join(root, "bin/proximal.js"), ...args], { cwd: root });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = once(child, "close");
  let over = false;
  void ended.then(() => {
    over = true;
  });
  return {
    output: () => output,
    ended: () => over,
    async stop() {
      child.kill("SIGINT");
      await ended;
    },
  };
}
