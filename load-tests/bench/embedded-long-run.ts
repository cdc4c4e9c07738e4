// npm run bench -- --long   (or: node load-tests/bench/embedded-long-run.ts [--events 1000000] [--requests 100000] [--keep])
//
// The embedded default over a long time: events in batches through the API (NDJSON), restart at that size, then single
// requests, half of them posts and half next. Prints figures, and exits with 1 where a limit of the design is missed.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { course } from "../../src/app/demo/course.ts";
import { seededRandom } from "../../src/domain/random.ts";
import { describeMachine } from "./machine.ts";

const limits = { eventsPerSecond: 5000, readyMs: 15_000 } as const;
const learners = 20_000;
const linesInARequest = 20_000;
const callers = 16;

const { values } = parseArgs({
  options: {
    long: { type: "boolean" },
    events: { type: "string", default: "1000000" },
    requests: { type: "string", default: "100000" },
    keep: { type: "boolean", default: false },
  },
});
const events = Number(values.events);
const requests = Number(values.requests);
const folder = mkdtempSync(join(tmpdir(), "proximal-long-run-"));
const launcher = fileURLToPath(new URL("../../bin/proximal.js", import.meta.url));
const agent = new Agent({ keepAlive: true, maxSockets: callers });
const misses: string[] = [];
let running: ChildProcess | undefined;
// Whatever ends this run ends the server it started.
process.once("exit", () => running?.kill("SIGKILL"));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

interface Server {
  readonly child: ChildProcess;
  readonly url: string;
  readonly key: string;
  readonly readyMs: number;
}

async function start(): Promise<Server> {
  const startedAt = performance.now();
  const env = { ...process.env, PROXIMAL_DATA: folder, LOG_LEVEL: "warn" };
  const child = spawn(process.execPath, [launcher, "serve", "--port", "0"], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  running = child;
  let said = "";
  for await (const chunk of child.stdout) {
    said += chunk;
    const url = /ready at (http:\S+) /.exec(said)?.[1];
    const key = /pxl_[0-9a-f]{16}_[0-9a-f]{64}/.exec(said)?.[0];
    if (url !== undefined && key !== undefined) return { child, url, key, readyMs: performance.now() - startedAt };
  }
  throw new Error(`the server ended:\n${said}`);
}

async function stop({ child }: Server, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

/** Some learner answers some item; better ones more often rightly. */
function interaction(n: number, random: () => number): string {
  const item = course.items[Math.floor(random() * course.items.length)];
  const learner = Math.floor(random() * learners);
  const correct = random() < 0.4 + (0.5 * learner) / learners;
  return JSON.stringify({
    id: `n${n}`,
    learnerId: `learner-${learner}`,
    itemId: item?.itemId,
    kind: "answer",
    correct,
    durationMs: 3000 + Math.floor(random() * 20_000),
  });
}

async function call(server: Server, path: string, body?: string | Readable, type = "application/json") {
  const outgoing = request(`${server.url}${path}`, {
    agent,
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${server.key}`, ...(body === undefined ? {} : { "content-type": type }) },
  });
  if (body instanceof Readable) body.pipe(outgoing);
  else outgoing.end(body);
  const [reply] = (await once(outgoing, "response")) as [Readable & { statusCode: number }];
  let text = "";
  for await (const chunk of reply) text += chunk;
  if (reply.statusCode >= 300) throw new Error(`${path}: ${reply.statusCode} ${text.slice(0, 500)}`);
  return text;
}

async function ingest(server: Server): Promise<void> {
  const random = seededRandom("long run");
  const rates: number[] = [];
  let n = 0;
  const startedAt = performance.now();
  while (n < events) {
    const first = n;
    n = Math.min(events, n + linesInARequest);
    const lines = Array.from({ length: n - first }, (_, i) => `${interaction(first + i, random)}\n`);
    const before = performance.now();
    const text = await call(server, "/v1/interactions?outcomes=rejected", Readable.from(lines), "application/x-ndjson");
    const last = JSON.parse(text.trim().split("\n").at(-1) ?? "{}");
    if (last.summary?.accepted !== lines.length) throw new Error(`not all accepted: ${text.slice(0, 500)}`);
    rates.push((lines.length / (performance.now() - before)) * 1000);
    if (n % 100_000 === 0) say(`${n} events, ${Math.round(rates.at(-1) ?? 0)}/s, ${memoryMb(server)} MB`);
  }
  const rate = (n / (performance.now() - startedAt)) * 1000;
  figure("ingest", `${Math.round(rate)} events/s`, rate >= limits.eventsPerSecond);
  const early = mean(rates.slice(0, 5));
  const late = mean(rates.slice(-5));
  figure("last 100,000 against first", `${((100 * late) / early).toFixed(0)} %`, late >= 0.5 * early);
}

async function caughtUp(server: Server): Promise<void> {
  const startedAt = performance.now();
  for (;;) {
    const { projections } = JSON.parse(await call(server, "/v1/ops/lag"));
    if (projections.every((p: { behindEvents: number }) => p.behindEvents === 0)) break;
    await new Promise((done) => setTimeout(done, 200));
  }
  figure("projections caught up after", `${((performance.now() - startedAt) / 1000).toFixed(1)} s`, true);
}

async function singleRequests(server: Server): Promise<void> {
  const random = seededRandom("single requests");
  const times: number[] = [];
  let n = 0;
  const startedAt = performance.now();
  const caller = async (): Promise<void> => {
    while (n < requests) {
      n += 1;
      const before = performance.now();
      if (n % 2 === 0) await call(server, "/v1/interactions", interaction(events + n, random));
      else await call(server, `/v1/learners/learner-${Math.floor(random() * learners)}/next?count=5`);
      times.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const rate = (requests / (performance.now() - startedAt)) * 1000;
  times.sort((a, b) => a - b);
  const p = (share: number): string => (times[Math.floor(share * times.length)] ?? 0).toFixed(1);
  figure("single requests", `${Math.round(rate)}/s, p50 ${p(0.5)} ms, p99 ${p(0.99)} ms, max ${p(0.99999)} ms`, true);
}

function memoryMb({ child }: Server): number {
  try {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1024);
  } catch {
    return Number.NaN;
  }
}

function figure(name: string, value: string, good: boolean): void {
  if (!good) misses.push(name);
  console.log(`${name.padEnd(28)} ${value}${good ? "" : "   MISSED"}`);
}

const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / Math.max(1, numbers.length);
const say = (line: string): void => console.error(line);
const diskMb = (): number =>
  readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0) / 1e6;

async function main(): Promise<void> {
  console.log(JSON.stringify(describeMachine()));
  let server = await start();
  for (const [path, entries] of Object.entries({ "/v1/skills": course.skills, "/v1/items": course.items })) {
    await call(server, path, JSON.stringify(entries));
  }
  await ingest(server);
  await caughtUp(server);
  figure("memory", `${memoryMb(server)} MB`, true);
  // Ready again after a crash: from the last snapshot, with what came after it folded once more.
  for (const [name, signal] of [
    ["kill -9", "SIGKILL"],
    ["Ctrl-C", "SIGINT"],
  ] as const) {
    await stop(server, signal);
    figure(`on disk after ${name}`, `${Math.round(diskMb())} MB`, true);
    server = await start();
    const good = server.readyMs <= limits.readyMs;
    figure(`ready after ${name}`, `${(server.readyMs / 1000).toFixed(1)} s, ${memoryMb(server)} MB`, good);
  }
  await stop(server, "SIGINT");
  rmSync(join(folder, "read-models.snapshot"));
  server = await start();
  figure("ready without a snapshot", `${(server.readyMs / 1000).toFixed(1)} s`, true);
  await singleRequests(server);
  await caughtUp(server);
  figure("memory at the end", `${memoryMb(server)} MB`, true);
  await stop(server, "SIGINT");
}

try {
  await main();
  if (misses.length > 0) console.log(`missed: ${misses.join(", ")}`);
  process.exitCode = misses.length > 0 ? 1 : 0;
} finally {
  agent.destroy();
  if (values.keep) say(`kept: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
