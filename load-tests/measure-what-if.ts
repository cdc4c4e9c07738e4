import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openSqliteBlobs } from "../src/adapters/blobs/sqlite.ts";
import { openSqliteLog } from "../src/adapters/event-store/sqlite/log.ts";
import { loadConfig } from "../src/app/config.ts";
import { course } from "../src/app/demo/course.ts";
import { getOrAdd } from "../src/domain/learner-model/get-or-add.ts";
import { learnerModels } from "../src/domain/learner-model/models.ts";
import { isPublicationDue } from "../src/domain/learner-model/publication.ts";
import type { AppendRequest } from "../src/ports/event-store.ts";
import { seededRandom } from "../test/support/random.ts";
import { freePort } from "../test/support/servers.ts";
import type { LoadReport } from "./bench/load-generator.ts";
import { startLoadGenerator } from "./bench/load-side.ts";
import { endAll, linesOf, startNode } from "./bench/processes.ts";
import { appendAll, catalogueAt, eventAt } from "./made-log.ts";
import { wholeNumbers } from "./whole-number.ts";

/*
 * What a what-if over a large log takes, and what live queries notice of it: `node load-tests/measure-what-if.ts`
 * [--events 1000000] [--learners 20000] [--rate 1000] [--seconds 20] [--model elo] [--every 4] [--folder DIR].
 *
 * A log in SQLite of learners who answer the demo course at random, with the weights that the trainer would have published
 * on the way; a server on it, all in one process; next items are asked for at a fixed rate, first with nothing beside it,
 * then while `proximal what-if` replays the whole log. Prints the latencies of both, and the seconds of the replay. A folder
 * that is named is kept, and its log is used again the next time.
 */

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    learners: { type: "string", default: "20000" },
    rate: { type: "string", default: "1000" },
    seconds: { type: "string", default: "20" },
    model: { type: "string" },
    every: { type: "string", default: "1" },
    folder: { type: "string" },
  },
});
const { events, learners, rate, seconds } = wholeNumbers(values, "events", "learners", "rate", "seconds");
const folder = values.folder ?? mkdtempSync(join(tmpdir(), "proximal-what-if-"));
const port = await freePort();
const env = {
  PROXIMAL_DATA: folder,
  PORT: String(port),
  HOST: "127.0.0.1",
  PROXIMAL_RATE_LIMIT: "0",
  LOG_LEVEL: "warn",
};
const model = learnerModels[loadConfig(env).config.model];
const start = Date.now() - 100 * 86_400_000;

async function fillLog(): Promise<void> {
  const log = await openSqliteLog({ folder });
  const blobs = await openSqliteBlobs({ folder });
  const random = seededRandom(42);
  const weights = model.newWeights();
  const locals = new Map<string, unknown>();
  let answers = 0;
  let version = 0;
  let publishedAnswers = 0;
  const step = (90 * 86_400_000) / events;

  function answer(n: number): AppendRequest {
    const item = random.pick(course.items);
    const learnerId = `learner-${random.below(learners)}`;
    const at = Math.round(start + n * step);
    const { itemId, skillIds, difficulty = 0 } = item;
    const correct = random.chance(1 / (1 + Math.exp(difficulty - 1)));
    model.learn(weights, getOrAdd(locals, learnerId, model.newLocal), { itemId, skillIds, correct, at });
    answers += 1;
    const what = { interactionId: `n${n}`, learnerId, itemId, kind: "answer", skillIds, correct, source: "api" };
    const data = { ...what, durationMs: 3000 + random.below(20_000), occurredAt: new Date(at).toISOString() };
    return eventAt(`learner-${learnerId}`, "InteractionRecorded", data, at);
  }

  async function publish(at: number): Promise<AppendRequest> {
    version += 1;
    publishedAnswers = answers;
    const name = `${model.name}-${version}`;
    await blobs.put("model", name, model.encodePublished(weights));
    const data = { version, model: model.name, trainedTo: answers, answers, metrics: {}, weights: name };
    return eventAt("model", "ModelPublished", data, at);
  }

  async function* answersAndModels(): AsyncGenerator<AppendRequest> {
    for (let n = 0; n < events; n += 1) {
      yield answer(n);
      if (isPublicationDue(answers, publishedAnswers)) yield await publish(Math.round(start + (n + 1) * step));
    }
  }

  await appendAll(log, catalogueAt(course, start));
  await appendAll(log, answersAndModels());
  await log.close();
  await blobs.close();
  console.log(
    `${events} events of ${learners} learners, ${course.items.length} items, ${version} versions of ${model.name}`,
  );
}

async function untilCaughtUp(url: string, key: string): Promise<void> {
  for (const end = Date.now() + 600_000; Date.now() < end; await sleep(500)) {
    const reply = await fetch(`${url}/v1/ops/lag`, { headers: { authorization: `Bearer ${key}` } }).catch(() => null);
    if (reply?.ok !== true) continue;
    const { projections } = (await reply.json()) as { projections: { behindEvents: number; started: boolean }[] };
    if (projections.every(({ behindEvents, started }) => started && behindEvents === 0)) return;
  }
  throw new Error("the server did not catch up within 10 minutes");
}

/** `proximal what-if` as a user starts it: seconds until it ended, and its report. */
async function whatIf(): Promise<{ seconds: number; report: { tally: { choices: { lists: number } } } }> {
  const policy = join(folder, "policy.json");
  writeFileSync(policy, JSON.stringify({ targetSuccess: 0.7, masteryThreshold: 0.9, reviewShare: 0.2 }));
  const file = fileURLToPath(new URL("../bin/proximal.js", import.meta.url));
  const asked = values.model === undefined ? ["--policy", policy] : ["--model", values.model];
  const startedAt = performance.now();
  const child = spawn(process.execPath, [file, "what-if", ...asked, "--every", values.every, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`proximal what-if ended with ${code}`);
  return { seconds: (performance.now() - startedAt) / 1000, report: JSON.parse(text) };
}

const shown = ({ requests, p50, p99, failed }: LoadReport): string =>
  `${requests} requests, p50 ${p50} ms, p99 ${p99} ms, ${failed} failed`;

try {
  if (!existsSync(join(folder, "log.sqlite"))) await fillLog();
  const scopes = ["client", "operator"].flatMap((scope) => ["--scope", scope]);
  const made = await linesOf("bin/proximal.js", ["keys", "create", "--name", "load", "--json", ...scopes], env);
  const { key } = JSON.parse(made.join("\n"));
  startNode("bin/proximal.js", ["serve"], env);
  const url = `http://127.0.0.1:${port}`;
  await untilCaughtUp(url, key);
  const shots = Array.from({ length: 2_000 }, (_, n) => ({
    method: "GET" as const,
    path: `/v1/learners/learner-${(n * 7) % learners}/next`,
  }));
  const generator = startLoadGenerator();
  const load = (): Promise<LoadReport> => generator.load({ url, key, connections: 16, seconds, rate, shots });
  // The trainer, too, has caught up by then.
  await sleep(10_000);
  await load();
  console.log(`before: ${shown(await load())}`);
  const replay = whatIf();
  await sleep(3_000);
  const during: LoadReport[] = [];
  let running = true;
  void replay.finally(() => {
    running = false;
  });
  while (running) during.push(await load());
  const { seconds: took, report } = await replay;
  for (const one of during) console.log(`during: ${shown(one)}`);
  console.log(`after: ${shown(await load())}`);
  const { lists } = report.tally.choices;
  console.log(`what-if beside that load: ${took.toFixed(1)} s, ${lists} choices looked at twice`);
  const alone = await whatIf();
  console.log(`what-if without it: ${alone.seconds.toFixed(1)} s (${Math.round(events / alone.seconds)} events/s)`);
  console.log(`${availableParallelism()} cores, ${cpus()[0]?.model}`);
} finally {
  await endAll();
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
}
