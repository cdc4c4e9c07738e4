// npm run bench [-- --seconds 8 --rounds 5 --quick --only next,projection --save]
// npm run bench -- --long     the embedded default over a long time: embedded-long-run.ts
//
// Measures Proximal on PostgreSQL and Redis, and beside each figure, in the same run and in turn with it, the least
// that could do the same work. A ratio says more than a figure: it holds on another machine.

import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { BareOrder } from "./bare-server.ts";
import type { BenchSetting } from "./bench-setting.ts";
import { benchBatch, benchSinglePost, benchSinglePostAllInOne } from "./case-ingest.ts";
import { benchNext } from "./case-next.ts";
import { benchProjection } from "./case-projection.ts";
import { benchVisible } from "./case-visible.ts";
import { answer } from "./course.ts";
import { describeMachine } from "./machine.ts";
import { ask, endAll, startNode } from "./processes.ts";
import { type App, nextPath, seed, startApp } from "./proximal-app.ts";
import { type BenchResult, type Measurement, tableOf, verdictOf } from "./report.ts";

const cases = ["next", "single", "batch", "visible", "projection"] as const;
type Case = (typeof cases)[number];

interface Wanted {
  readonly only: ReadonlySet<Case>;
  readonly seconds: number;
  readonly rounds: number;
  readonly learners: number;
  /** Events that the projection is measured on. */
  readonly events: number;
  readonly save: boolean;
}

function readArguments(): Wanted {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      seconds: { type: "string" },
      rounds: { type: "string" },
      events: { type: "string" },
      only: { type: "string", default: cases.join(",") },
      save: { type: "boolean", default: false },
    },
  });
  const number = (given: string | undefined, usual: number): number => {
    const value = given === undefined ? usual : Number(given);
    if (!Number.isInteger(value) || value < 1) throw new Error(`"${given}" is not a whole number from 1 on`);
    return value;
  };
  const only = new Set(
    values.only.split(",").map((name) => {
      const known = cases.find((each) => each === name);
      if (known === undefined) throw new Error(`--only ${name}: there are ${cases.join(", ")}`);
      return known;
    }),
  );
  return {
    only,
    seconds: number(values.seconds, values.quick ? 3 : 8),
    rounds: number(values.rounds, values.quick ? 2 : 5),
    learners: 1_000,
    events: number(values.events, values.quick ? 40_000 : 200_000),
    save: values.save,
  };
}

async function measure(wanted: Wanted): Promise<Measurement[]> {
  say("starting PostgreSQL, Redis and Proximal");
  const app = await startApp();
  await seed(app, wanted.learners, 20);
  const bare = startNode("load-tests/bench/bare-server.ts");
  const { url } = await ask<{ url: string }>(bare, await sampleAnswers(app));
  const { learners, seconds, rounds } = wanted;
  const generator = startNode("load-tests/bench/load-generator.ts");
  const setting: BenchSetting = { app, bare: { url, pid: bare.pid }, generator, learners, seconds, rounds };

  const found: Measurement[] = [];
  const add = (measured: readonly Measurement[]): void => {
    found.push(...measured);
    for (const { name, ours, ratio } of measured)
      say(`${name}: ${ours.median.toFixed(1)}, ratio ${ratio?.median.toFixed(3) ?? "-"}`);
  };
  if (wanted.only.has("next")) add(await benchNext(setting));
  if (wanted.only.has("single")) add(await benchSinglePost(setting));
  if (wanted.only.has("visible")) {
    const single = await benchSinglePostAllInOne(setting);
    add(single.measured);
    add(await benchVisible(setting, single.perSecond));
  }
  if (wanted.only.has("batch")) add(await benchBatch(setting));
  if (wanted.only.has("projection")) add(await benchProjection(setting, wanted.events));
  return found;
}

/** What the real server answers, for the bare one to answer the same. */
async function sampleAnswers(app: App): Promise<BareOrder> {
  const get = await app.request("GET", nextPath(0));
  const post = await app.request("POST", "/v1/interactions", answer(0, 999));
  return {
    get: { body: get.text, type: get.type },
    post: { body: post.text, type: post.type, status: post.status },
  };
}

function save(result: BenchResult, commit: boolean): void {
  const folder = fileURLToPath(new URL("../results/", import.meta.url));
  const local = `${folder}local/`;
  mkdirSync(local, { recursive: true });
  const name = `bench-${result.at.slice(0, 19).replaceAll(":", "")}.json`;
  const json = `${JSON.stringify(result, null, 2)}\n`;
  writeFileSync(`${local}${name}`, json);
  if (commit) writeFileSync(`${folder}bench.json`, json);
  say(`written to load-tests/results/${commit ? "bench.json" : `local/${name}`}`);
}

const say = (line: string): void => console.error(line);

async function bench(): Promise<void> {
  const wanted = readArguments();
  const machine = describeMachine();
  for (const [name, value] of Object.entries(machine)) console.log(`${name}: ${value}`);
  process.once("SIGINT", () => void endAll().finally(() => process.exit(130)));
  try {
    const measurements = await measure(wanted);
    const { seconds, rounds, learners, events } = wanted;
    const command = ["npm run bench --", ...process.argv.slice(2)].join(" ");
    const settings = { seconds, rounds, learners, events };
    save({ at: new Date().toISOString(), command, machine, settings, measurements }, wanted.save);
    console.log(tableOf(measurements));
    if (measurements.some((measured) => verdictOf(measured) === "missed")) process.exitCode = 1;
  } finally {
    await endAll();
  }
}

if (process.argv.includes("--long")) await import("./embedded-long-run.ts");
else await bench();
