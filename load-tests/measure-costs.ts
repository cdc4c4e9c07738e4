// node load-tests/measure-costs.ts [--rounds 3 --seconds 2 --processes 4 --hot-learners 1000 --cold-learners 20000]
//                                  [--save: overwrites load-tests/results/costs.json]
//
// What each operation costs on this machine: what `proximal capacity` plans with. A PostgreSQL (fsync on) and a Redis of its
// own, a process for each role; Kafka where it can be had. CPU seconds are read from the processes, so that they hold on a
// busy machine too; throughputs and times do not. Roles that are not measured stand still meanwhile (SIGSTOP). About 5 minutes.

import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Costs, costsSchema, lawsOf } from "../src/domain/capacity/costs.ts";
import { answer, items, learnerOf, skills, track } from "./bench/course.ts";
import { startLoadGenerator } from "./bench/load-side.ts";
import { describeMachine } from "./bench/machine.ts";
import { endAll } from "./bench/processes.ts";
import { nextPath } from "./bench/proximal-app.ts";
import { median, type Spread, spreadOf } from "./bench/statistics.ts";
import { type ApiRound, batchSize, measureApi, type PerOperation } from "./capacity/measure-api.ts";
import {
  eventBytes,
  learnerBytes,
  logSize,
  otherForms,
  redisBase,
  servedListBytes,
  wireBytes,
} from "./capacity/measure-sizes.ts";
import {
  type CatchUp,
  measureCatchUp,
  measureSteady,
  measureStream,
  type Streamed,
} from "./capacity/measure-workers.ts";
import { residentBytes } from "./capacity/processor-time.ts";
import { type RoleProcess, type Stack, startStack } from "./capacity/stack.ts";
import { wholeNumber } from "./whole-number.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "2" },
    processes: { type: "string", default: "4" },
    "hot-learners": { type: "string", default: "1000" },
    "cold-learners": { type: "string", default: "20000" },
    save: { type: "boolean", default: false },
  },
});
const number = (name: Exclude<keyof typeof values, "save">): number => wholeNumber(`--${name}`, values[name]);
const settings = {
  ...{ rounds: number("rounds"), seconds: number("seconds"), processes: number("processes") },
  ...{ hotLearners: number("hot-learners"), coldLearners: number("cold-learners"), answersEach: 30 },
};
const { rounds, seconds, processes, hotLearners, coldLearners } = settings;
const say = (line: string): void => console.error(line);

interface Roles {
  readonly apis: readonly RoleProcess[];
  readonly projector: RoleProcess;
  readonly trainer: RoleProcess;
}

/** The course, a history for the hot learners and a few answers for the others, projected. */
async function seed(stack: Stack): Promise<Roles> {
  const first = await stack.start("api");
  await first.request("POST", "/v1/skills", skills);
  await first.request("POST", "/v1/items", items);
  await first.request("POST", "/v1/tracks", track);
  const post = async (from: number, to: number, n: number): Promise<void> => {
    for (let learner = from; learner < to; learner += 500) {
      const batch = Array.from({ length: Math.min(500, to - learner) }, (_, i) => answer(learner + i, n));
      await first.request("POST", "/v1/interactions", batch);
    }
  };
  for (let n = 0; n < settings.answersEach; n += 1) await post(0, hotLearners, n);
  for (let n = 0; n < 2; n += 1) await post(hotLearners, hotLearners + coldLearners, n);
  const projector = await stack.start("projector");
  const trainer = await stack.start("trainer");
  await projector.caughtUp();
  await trainer.caughtUp();
  const apis = [first];
  while (apis.length < processes) apis.push(await stack.start("api"));
  return { apis, projector, trainer };
}

interface Round extends ApiRound {
  readonly projected: CatchUp;
  readonly trained: CatchUp;
}

async function measureRounds(stack: Stack, { apis, projector, trainer }: Roles): Promise<Round[]> {
  const generators = apis.map(startLoadGenerator);
  const found: Round[] = [];
  let position = await stack.head();
  for (const role of [projector, trainer]) process.kill(role.pid, "SIGSTOP");
  for (let round = 0; round < rounds; round += 1) {
    const api = await measureApi({ stack, apis, generators, hotLearners, coldLearners, seconds }, round);
    const events = (await stack.head()) - position;
    position += events;
    const projected = await measureCatchUp(stack, projector, events);
    const trained = await measureCatchUp(stack, trainer, events);
    found.push({ ...api, projected, trained });
    const us = ({ app }: PerOperation): string => `${(app * 1e6).toFixed(0)} us`;
    say(
      `round ${round + 1}: next ${us(api.nextFromMemory)}, from Redis ${us(api.nextFromRedis)}, post ${us(api.post)}, projected ${us(projected)}, trained ${us(trained)}`,
    );
  }
  return found;
}

/** What happens with nobody else there: milliseconds. */
async function measureTimes(stack: Stack, { apis, projector }: Roles, found: readonly Round[]) {
  const [api] = apis as [RoleProcess];
  process.kill(projector.pid, "SIGCONT");
  await projector.caughtUp();
  const [withToken, plain, trips]: [number[], number[], number[]] = [[], [], []];
  const timed = async (work: () => Promise<unknown>, times: number[]): Promise<void> => {
    const from = performance.now();
    await work();
    times.push(performance.now() - from);
  };
  for (let n = 0; n < 60; n += 1) {
    const posted = JSON.parse((await api.request("POST", "/v1/interactions", answer(n, 8000))).text);
    const token = encodeURIComponent(String(posted.tokens[learnerOf(n)]));
    await timed(() => api.request("GET", `${nextPath(n)}?after=${token}`), withToken);
    await timed(() => api.request("GET", nextPath(n)), plain);
    await timed(() => stack.redisClient.ping(), trips);
    await sleep(20);
  }
  process.kill(projector.pid, "SIGSTOP");
  const commits = found.map((round) => round.commits);
  const perEvent = commits.map(({ baseMs, manyMs, manyEvents }) => (manyMs - baseMs) / Math.max(1, manyEvents - 1));
  return {
    commitBase: median(commits.map(({ baseMs }) => baseMs)),
    commitPerEvent: Math.max(0, median(perEvent)),
    commitSerialMax: 1000 / Math.max(...found.map((round) => round.commitsPerSecondMax)),
    visibleAlone: Math.max(0, median(withToken) - median(plain)),
    redisRoundTrip: median(trips),
  };
}

async function measure(): Promise<Costs> {
  say("starting PostgreSQL, Redis and the roles");
  const stack = await startStack();
  const empty = await logSize(stack);
  const roles = await seed(stack);
  const seeded = await logSize(stack);
  const perLearner = await learnerBytes(stack, hotLearners);
  const base = await redisBase(stack);
  const found = await measureRounds(stack, roles);
  const [api] = roles.apis as [RoleProcess];
  const perEvent = median(found.map(({ projected }) => projected.app));
  const steady = await measureSteady({ api, projector: roles.projector, seconds: 4, perEvent });
  const timesMs = await measureTimes(stack, roles, found);
  const memory = {
    api: median(roles.apis.map(({ pid }) => residentBytes(pid))),
    projector: residentBytes(roles.projector.pid),
    trainer: residentBytes(roles.trainer.pid),
  };
  const perPosition = (of: "bytes" | "wal"): number =>
    (seeded[of] - empty[of]) / Math.max(1, seeded.position - empty.position);
  const eventPerInteraction = await eventBytes(stack, "InteractionRecorded");
  const [get, post] = [
    await wireBytes(api, stack.key, "GET", nextPath(1)),
    await wireBytes(api, stack.key, "POST", "/v1/interactions"),
  ];
  const logPerServedList = await servedListBytes(stack, perPosition("bytes"));
  const bytes = {
    redisPerLearner: perLearner,
    redisBase: base,
    logPerInteraction: perPosition("bytes"),
    logPerServedList,
    walPerInteraction: perPosition("wal"),
    eventPerInteraction,
    eventPerServedList: await eventBytes(stack, "ItemsServed"),
    ...(await otherForms(stack)),
    nextRequest: get.request,
    nextResponse: get.response,
    postRequest: post.request,
    postResponse: post.response,
    redisPerProjected: median(found.map(({ projected }) => projected.bytes)),
    redisPerNext: median(found.map(({ nextFromRedis }) => nextFromRedis.bytes)),
    postgresPerPost: 1.3 * eventPerInteraction + 150,
  };
  for (const { pid } of [roles.projector, roles.trainer]) process.kill(pid, "SIGCONT");
  await Promise.all([roles.projector.stop(), roles.trainer.stop()]);
  const stream = await measureStream(stack, api);
  return costsOf({ found, steady, stream, bytes, memory, timesMs });
}

type Gathered = Pick<Costs, "bytes" | "memory" | "timesMs"> & {
  readonly found: readonly Round[];
  readonly steady: Awaited<ReturnType<typeof measureSteady>>;
  readonly stream: Awaited<ReturnType<typeof measureStream>>;
};

function costsOf({ found, steady, stream, bytes, memory, timesMs }: Gathered): Costs {
  const spread = spreadIn(found);
  const one = (value: number): Spread => ({ median: value, min: value, max: value });
  const all = <T>(of: (round: Round) => readonly T[]): T[] => found.flatMap((round) => [...of(round)]);
  return costsSchema.parse({
    format: 1,
    measuredAt: new Date().toISOString(),
    command: ["node load-tests/measure-costs.ts", ...process.argv.slice(2)].join(" "),
    machine: describeMachine(),
    settings,
    notes: [
      `posts were measured with ${found[0]?.commits.manyEvents.toFixed(0)} events in a commit in the mean`,
      `the projector's batches held ${steady.eventsPerBatch.toFixed(1)} events when posts came one after the other`,
      "bytes between a process and PostgreSQL are estimated: 1.3 times the event as JSON, and 150 bytes of protocol",
      "generator, engines and roles shared the machine: CPU seconds hold, throughputs and times are those of all together",
    ],
    cpu: {
      nextFromMemory: { app: spread((round) => round.nextFromMemory.app) },
      nextFromRedis: {
        app: spread((round) => round.nextFromRedis.app),
        redis: spread((round) => round.nextFromRedis.redis),
      },
      post: { app: spread((round) => round.post.app), postgres: spread((round) => round.post.postgres) },
      postInBatch: {
        app: spread((round) => round.postInBatch.app),
        postgres: spread((round) => round.postInBatch.postgres),
      },
      projected: {
        app: spread((round) => round.projected.app),
        postgres: spread((round) => round.projected.postgres),
        redis: spread((round) => round.projected.redis),
      },
      projectorBatch: { app: one(steady.perBatch) },
      trained: { app: spread((round) => round.trained.app), postgres: spread((round) => round.trained.postgres) },
      ...(stream === null ? {} : streamCosts(stream)),
    },
    bytes,
    redisCommands: {
      perProjected: median(found.map(({ projected }) => projected.commands)),
      perNextFromRedis: median(found.map(({ nextFromRedis }) => nextFromRedis.commands)),
    },
    memory,
    scaling: {
      nextByConnections: all((round) => round.nextByConnections),
      postByConnections: all((round) => round.postByConnections),
      postByProcesses: all((round) => round.postByProcesses),
    },
    timesMs,
  });
}

/** Of a figure of each round. */
const spreadIn =
  <T>(rounds: readonly T[]) =>
  (of: (round: T) => number): Spread =>
    spreadOf(rounds.map((round) => Math.max(0, of(round))));

function streamCosts(stream: readonly Streamed[]) {
  const spread = spreadIn(stream);
  return {
    projectedFromKafka: {
      ...{ app: spread(({ projected }) => projected.app), redis: spread(({ projected }) => projected.redis) },
      kafka: spread(({ projected }) => projected.kafka),
    },
    relayed: {
      ...{ app: spread(({ relayed }) => relayed.app), postgres: spread(({ relayed }) => relayed.postgres) },
      kafka: spread(({ relayed }) => relayed.kafka),
    },
  };
}

process.once("SIGINT", () => void endAll().finally(() => process.exit(130)));
try {
  const costs = await measure();
  const folder = fileURLToPath(new URL("./results/", import.meta.url));
  mkdirSync(`${folder}local`, { recursive: true });
  const file = values.save ? `${folder}costs.json` : `${folder}local/costs.json`;
  writeFileSync(file, `${JSON.stringify(costs, null, 2)}\n`);
  say(
    `written to load-tests/results/${values.save ? "costs.json" : "local/costs.json"}; ${batchSize} events in an array`,
  );
  for (const [name, { lambda, sigma, kappa, r2 }] of Object.entries(lawsOf(costs)))
    console.log(
      `${name}: lambda ${lambda.toFixed(0)}/s, sigma ${sigma.toFixed(4)}, kappa ${kappa.toExponential(2)}, R2 ${r2.toFixed(3)}`,
    );
} finally {
  await endAll();
}
