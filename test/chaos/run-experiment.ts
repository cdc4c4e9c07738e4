import { setTimeout as sleep } from "node:timers/promises";
import { course } from "../../src/app/demo/course.ts";
import { seededRandom } from "../support/random.ts";
import type { Experiment } from "./experiment.ts";
import { ask } from "./http.ts";
import type { ExperimentResult } from "./result.ts";
import type { Stack } from "./stack.ts";
import { readDeadlineMs, type SeenRead, startUsers, type Users } from "./users.ts";
import { createLogReader, judge, lagOf, untilNoLag } from "./verdict.ts";

export const rates = { readsPerSecond: 50, postsPerSecond: 8, learners: 60 };

/** Quiet before the fault, and after everything is well again. */
const quietMs = 1_000;
const warmMs = 4_000;
const warmWithinMs = 120_000;
const healedWithinMs = 180_000;

const learnerIds = Array.from({ length: rates.learners }, (_, n) => `learner-${n + 1}`);
const itemIds = course.items.map(({ itemId }) => itemId);

export interface Laboratory {
  readonly stack: Stack;
  readonly seed: number;
  readonly reader: ReturnType<typeof createLogReader>;
}

export const openLaboratory = (stack: Stack, seed: number): Laboratory => ({
  stack,
  seed,
  reader: createLogReader(stack),
});

const usersOf = ({ stack, seed }: Laboratory, prefix: string): Users => {
  const urls = stack.of("api").map(({ url }) => url);
  const random = seededRandom(hashOf(`${seed} ${prefix} users`));
  return startUsers({ ...rates, urls, key: stack.key, random, prefix, learnerIds, itemIds });
};

/**
 * Each learner has answered once, both processes have been asked by each, and answers come at the first try: processes that
 * have just started have much to do. Throws where that does not come to pass with nothing broken, unless the machine is
 * known to be `busy`.
 */
export async function warmUp(laboratory: Laboratory, { busy = false } = {}): Promise<void> {
  const { stack, seed } = laboratory;
  const [api] = stack.of("api");
  const answers = learnerIds.map((learnerId, n) => {
    const itemId = itemIds[n % itemIds.length];
    return { id: `first-${seed}-${n}`, learnerId, itemId, kind: "answer", correct: n % 3 > 0 };
  });
  await ask(`${api?.url}/v1/interactions`, warmWithinMs, { key: stack.key, body: JSON.stringify(answers) });
  await untilNoLag(stack);
  const users = usersOf(laboratory, `warm-up-${seed}`);
  for (const end = performance.now() + warmWithinMs; ; ) {
    const from = performance.now();
    await sleep(warmMs);
    for (const { url } of stack.of("api")) {
      for (const learnerId of learnerIds) {
        await ask(`${url}/v1/learners/${learnerId}/next?count=3`, warmMs, { key: stack.key });
      }
    }
    const { asked, failedWithoutRetry, popular, failures } = readsIn(users, from, performance.now() - readDeadlineMs);
    if (busy || (asked > 0 && failedWithoutRetry === 0 && popular === 0)) break;
    if (from > end) throw new Error(`reads fail with nothing broken: ${popular} popular, ${JSON.stringify(failures)}`);
  }
  await users.stop();
}

/** Breaks it, repairs it, waits until it is well, and judges what became of what was accepted. */
export async function runExperiment(experiment: Experiment, laboratory: Laboratory): Promise<ExperimentResult> {
  const { stack, seed } = laboratory;
  const random = seededRandom(hashOf(`${seed} ${experiment.name}`));
  const [least, most] = experiment.lasts;
  const lastsMs = 1_000 * (least + random.next() * (most - least));
  const users = usersOf(laboratory, `${experiment.name}-${seed}`);
  await sleep(quietMs + random.below(500));
  users.stallMs();
  const beganAt = performance.now();
  const repair = await experiment.inject(stack, random);
  await sleep(Math.max(0, lastsMs - (performance.now() - beganAt)));
  const repairing = performance.now();
  await repair();
  const repairedAt = performance.now();
  const well = await untilWell(stack, users);
  await sleep(quietMs);
  await users.stop();
  const verdict = await judge(stack, laboratory.reader, users.posts);
  const slow = users.posts.filter(({ acceptedAt, at }) => acceptedAt - at > slowPostMs);
  const since = (times: readonly number[]): number => seconds(Math.max(0, ...times.map((time) => time - repairing)));
  return {
    ...{ name: experiment.name, what: experiment.what, heals: experiment.heals, seed },
    faultSeconds: seconds(repairing - beganAt),
    repairSeconds: seconds(repairedAt - repairing),
    reads: readsIn(users, beganAt, well.at),
    posts: {
      accepted: users.posts.length,
      sentAgain: users.posts.filter(({ tries }) => tries > 1).length,
      slowestSeconds: seconds(Math.max(0, ...users.posts.map(({ at, acceptedAt }) => acceptedAt - at))),
      refused: users.refusals.length,
    },
    refusals: users.refusals.slice(0, 3),
    healed: {
      answersSeconds: since(users.reads.filter(({ firstOk }) => !firstOk).map(({ at, ms }) => at + ms)),
      postsSeconds: since(slow.map(({ acceptedAt }) => acceptedAt)),
      lagSeconds: since([well.noLagAt]),
    },
    stallMs: Math.round(users.stallMs()),
    ...{ lost: verdict.lost.length, doubled: verdict.doubled.length, rowsEqual: verdict.rowsEqual },
    differing: verdict.differing.slice(0, 5),
  };
}

/** A post that took longer has noticed. */
const slowPostMs = 1_000;
const seconds = (ms: number): number => Math.round(ms / 10) / 100;

/** Until every process is ready, answers come at the first try, no post waits, and nobody is behind. */
async function untilWell(stack: Stack, users: Users): Promise<{ readonly at: number; readonly noLagAt: number }> {
  let noLagAt: number | null = null;
  for (const end = performance.now() + healedWithinMs; ; await sleep(100)) {
    const now = performance.now();
    const lag = await lagOf(stack);
    // Posts go on: an event of the last second is no lag.
    const behind = lag?.some(({ started, behindSeconds }) => !started || behindSeconds > 1) ?? true;
    if (behind) noLagAt = null;
    else noLagAt ??= now;
    const answering = users.reads.filter(({ at }) => at > now - 1_000).every(({ firstOk }) => firstOk);
    const waits = now - (users.waitingSince() ?? now) > slowPostMs;
    if (noLagAt !== null && answering && !waits) {
      await Promise.all(stack.processes.map((process) => process.ready()));
      return { at: performance.now(), noLagAt };
    }
    if (now > end)
      throw new Error(`not well again after ${healedWithinMs} ms: ${JSON.stringify({ lag, answering, waits })}`);
  }
}

function readsIn({ reads }: Users, from: number, to: number): ExperimentResult["reads"] {
  const seen = reads.filter(({ at }) => at >= from && at <= to);
  const times = seen.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const quantile = (q: number): number =>
    Math.round(10 * (times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? 0)) / 10;
  const count = (holds: (read: SeenRead) => boolean): number => seen.filter(holds).length;
  return {
    asked: seen.length,
    failed: count(({ ok }) => !ok),
    failedWithoutRetry: count(({ firstOk }) => !firstOk),
    stale: count(({ ok, source }) => ok && source === "stale"),
    failures: Object.fromEntries(
      [...Map.groupBy(seen, ({ failure }) => failure)].flatMap(([why, all]) =>
        why === null ? [] : [[why, all.length]],
      ),
    ),
    popular: count(({ ok, source }) => ok && source === "popular"),
    ...{ p50Ms: quantile(0.5), p99Ms: quantile(0.99), deadlineMs: readDeadlineMs },
  };
}

/** FNV-1a: any text gives a seed. */
function hashOf(text: string): number {
  let hash = 2_166_136_261;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  return hash;
}
