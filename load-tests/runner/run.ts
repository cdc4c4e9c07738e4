import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeMachine } from "../bench/machine.ts";
import { limits, profiles } from "../k6/profiles.ts";
import type { SettingsFile } from "../k6/settings-file.ts";
import { reportPage } from "../report/page.ts";
import { personas, type RunArguments } from "./arguments.ts";
import { prepareCourse } from "./course.ts";
import type { Generated, Generating } from "./generate.ts";
import { holdConnections } from "./hold-connections.ts";
import type { Result } from "./result.ts";
import { runK6 } from "./run-k6.ts";
import { runLocust } from "./run-locust.ts";
import { startSampler } from "./sampler.ts";
import { runningTarget, startTarget, type Target } from "./target.ts";
import { givePast, untilDrained, warmUp } from "./warm-up.ts";
import { watchAlerts } from "./watch-alerts.ts";

export type Tell = (line: string) => void;

const root = fileURLToPath(new URL("../../", import.meta.url));
const linesMax = 60;
const resultsFolder = join(root, "load-tests", "results");

/** One run from nothing to its result. Whatever it started is stopped when it ends, also where `signal` ends it. */
export async function run(
  wanted: RunArguments,
  tell: Tell,
  signal: AbortSignal,
): Promise<{ result: Result; file: string }> {
  const { running, stack } = wanted;
  const folder = await mkdtemp(join(tmpdir(), "proximal-load-files-"));
  let target: Target | null = null;
  try {
    if (running === null) tell(`starting the stack, ${stack}`);
    target =
      running === null
        ? await startTarget(stack, (line) => tell(`  ${line}`), signal)
        : runningTarget(running.url, running.queryUrl, running.key);
    const result = await measure(wanted, target, folder, tell, signal);
    return { result, file: await save(wanted, result) };
  } catch (error) {
    // Its logs say what the error does not.
    if (!signal.aborted && (await readdir(folder)).length > 0) tell(`files of this run: ${await kept(folder)}`);
    throw error;
  } finally {
    if (target !== null && running === null) tell("stopping the stack");
    await target?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function kept(folder: string): Promise<string> {
  const place = join(resultsFolder, "local", "failed");
  await mkdir(join(resultsFolder, "local"), { recursive: true });
  await rm(place, { recursive: true, force: true });
  await cp(folder, place, { recursive: true });
  return place;
}

async function measure(
  wanted: RunArguments,
  target: Target,
  folder: string,
  tell: Tell,
  signal: AbortSignal,
): Promise<Result> {
  const { name, load } = wanted;
  // Before there is a load: it says how busy the machine was with other things.
  const machine = describeMachine();
  const files = await prepare(wanted, target, folder, tell, signal);
  const alerts = wanted.prometheus ? await watchAlerts(target, folder) : null;
  const connections = await holdConnections(wanted, target, tell, signal);
  const startedAt = new Date();
  const sampler = startSampler(target, performance.now(), wanted.sampleMs);
  if (connections !== null) sampler.watch("connections", connections.pid);
  const stopProgress = progress(load.seconds, tell);
  try {
    tell(`${name}: ${load.users} users, ${load.seconds} s`);
    const generating: Generating = {
      ...{ folder, ...files, signal },
      onStart: (tool, pid) => sampler.watch(tool, pid),
      onLine: firstLines(tell),
    };
    const generated: Generated = await (name === personas
      ? runLocust(load, generating)
      : runK6(name, load, generating));
    stopProgress();
    const held = (await connections?.stop()) ?? null;
    const hitRatio = sampler.hitRatio();
    const drainSeconds = await untilDrained(target, signal);
    const samples = await sampler.stop();
    const watched = alerts === null ? [] : [await alerts.verdict()];
    const lags = samples.flatMap(({ lagSeconds }) => lagSeconds ?? []);
    const { totals, toolVersion, verdicts, beganAt, series, ...found } = generated;
    // One clock for what the generator saw and what the system says of itself.
    const later = (beganAt - startedAt.getTime()) / 1000;
    return {
      version: 1,
      ...{ ...found, scenario: name, startedAt: startedAt.toISOString(), load },
      ...{ command: commandOf(), target: target.what, tool_version: toolVersion },
      machine,
      verdicts: [...verdicts, ...(held === null ? [] : [heldVerdict(held)]), ...watched],
      totals: { ...totals, hitRatio, lagSecondsMax: lags.length === 0 ? null : Math.max(...lags), drainSeconds },
      ...{ connections: held, samples: [...samples] },
      series: series.map((point) => ({ ...point, t: point.t + later })),
    };
  } finally {
    stopProgress();
    await connections?.stop().catch(() => null);
    await sampler.stop();
    await alerts?.stop();
  }
}

/** What a load generator says goes to its log as a whole; a violation in every answer would fill the terminal. */
function firstLines(tell: Tell): Tell {
  let said = 0;
  return (line) => {
    said += 1;
    if (said <= linesMax) tell(`  ${line.length > 500 ? `${line.slice(0, 500)}...` : line}`);
  };
}

type Held = NonNullable<Result["connections"]>;

function heldVerdict({ held, wanted, failed, requests }: Held): Result["verdicts"][number] {
  return {
    name: "keep-alive connections",
    limit: `${wanted} held, < ${limits.errorRate * 100} % of requests failed`,
    value: `${held} held, ${failed} of ${requests} failed`,
    met: held === wanted && failed <= requests * limits.errorRate,
  };
}

/** Course, learners with a past, warm caches; and the file that tells the load generator of it. */
async function prepare(
  { name, load, past, warmUpSeconds }: RunArguments,
  target: Target,
  folder: string,
  tell: Tell,
  signal: AbortSignal,
): Promise<Pick<Generating, "settings" | "summary">> {
  tell("publishing the course");
  const course = await prepareCourse(target, signal);
  let tenth = -1;
  await givePast(
    target,
    { users: load.users, answers: past },
    (done, all) => {
      if (Math.floor((10 * done) / all) === tenth) return;
      tenth = Math.floor((10 * done) / all);
      tell(`  a past for ${load.users} users: ${done} of ${all} answers`);
    },
    signal,
  );
  if ((await untilDrained(target, signal)) === null) throw new Error("the projections did not catch up in ten minutes");
  tell(`warming up, ${warmUpSeconds} s`);
  await warmUp(target, load.users, warmUpSeconds, signal);
  const files = { settings: join(folder, "settings.json"), summary: join(folder, "summary.json") };
  const settings: SettingsFile = {
    ...{ scenario: name, load, limits, ...course },
    ...{ commandUrl: target.commandUrl, queryUrl: target.queryUrl, key: target.key, summary: files.summary },
    ...(name === personas ? { checkShare: 1, mayShed: false } : profiles[name]),
  };
  // It holds a key: for this user's eyes.
  await writeFile(files.settings, JSON.stringify(settings), { mode: 0o600 });
  return files;
}

function progress(seconds: number, tell: Tell): () => void {
  const startedAt = performance.now();
  const every = seconds <= 30 ? 5 : 15;
  const timer = setInterval(() => {
    const passed = Math.round((performance.now() - startedAt) / 1000);
    if (passed < seconds) tell(`  ${passed} of ${seconds} s`);
  }, every * 1000);
  return () => clearInterval(timer);
}

/** As it could be typed again, with the settings that the shell had; secrets are left out. */
function commandOf(): string {
  const settings = Object.entries(process.env)
    .filter(
      ([name]) => name.startsWith("PROXIMAL_") && !/KEY|PASSWORD|SECRET|TOKEN|K6|LOCUST|REQUIRE_ENGINES/.test(name),
    )
    .map(([name, value]) => `${name}=${value}`);
  const words = process.argv
    .slice(2)
    .map((word, k, all) => (all[k - 1] === "--key" ? "KEY" : word.replace(/^--key=.*/, "--key=KEY")));
  return [...settings.sort(), "load-tests/run.sh", ...words].join(" ");
}

async function save({ save, html, name }: RunArguments, result: Result): Promise<string> {
  const folder = save ? resultsFolder : join(resultsFolder, "local");
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}-${result.startedAt.slice(0, 16).replaceAll(":", "")}.json`);
  await writeFile(file, `${JSON.stringify(result, rounded)}\n`);
  const page =
    html ?? join(resultsFolder, "local", `${name}-${result.startedAt.slice(0, 16).replaceAll(":", "")}.html`);
  await mkdir(join(page, ".."), { recursive: true });
  await writeFile(page, reportPage(result));
  return file;
}

/** Six digits say all that was measured. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
