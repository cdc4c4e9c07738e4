import { afterAll, describe, expect, test } from "vitest";
import { slotOf } from "../../src/adapters/engines/redis-slot.ts";
import { openRedisReadModels, type RedisReadModels } from "../../src/adapters/read-models/redis.ts";
import { toKey } from "../../src/adapters/read-models/redis-rows.ts";
import { decodeLiveView, learnerKey, liveKey, viewField } from "../../src/projections/rows.ts";
import { privateRedisCluster, privateRedisSentinel } from "../support/engines.ts";
import { apiOn, askForNext, type Seen } from "../support/load-next.ts";
import { type SeededRandom, seededRandom } from "../support/random.ts";
import type { RedisServer } from "../support/redis.ts";

// Tries to break invariants 8 and 9: a query never waits without bound, and is answered when Redis is slow or gone.
// PROXIMAL_SEED=<n> repeats one seed (which master, after how long), PROXIMAL_FAULT_RUNS=<n> runs so many.

/** The longest that a read may stay without an answer. */
const gapMsMax = 150;
/** Up to here a process is held up on a quiet machine too: what is more is no engine's fault, and allowed on top. */
const usualStallMs = 35;
const perSecond = 200;
const learnerIds = Array.from({ length: 300 }, (_, at) => `learner-${at}`);
const faults = ["killed", "hung (SIGSTOP)"] as const;
type Fault = (typeof faults)[number];
const table: string[] = [];
const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 1);
const oneSeed = process.env.PROXIMAL_SEED;
const seeds = oneSeed === undefined ? Array.from({ length: runs }, (_, i) => i + 1) : [Number(oneSeed)];
const cases = seeds.flatMap((seed) => faults.map((fault) => ({ fault, seed })));

const sentinel = await privateRedisSentinel();
const cluster = await privateRedisCluster();

afterAll(() => {
  if (table.length === 0) return;
  const head =
    "| set-up | fault | gap ms | longest ms | stall ms | asked | failed | answers |\n|---|---|---|---|---|---|---|---|";
  process.stdout.write(`${head}\n${table.join("\n")}\n`);
});

/** Under load, lets the fault happen, and goes on asking until another master has taken over and a second longer. */
async function measure(
  setUp: string,
  fault: Fault,
  random: SeededRandom,
  readModels: RedisReadModels,
  find: (keys: readonly string[]) => Promise<{ victim: RedisServer; of: readonly string[] }>,
  takenOver: (victim: RedisServer) => Promise<void>,
): Promise<{ seen: Seen; victim: RedisServer }> {
  const api = await apiOn(readModels, learnerIds);
  const view = decodeLiveView(await readModels.get(liveKey, viewField));
  if (view === null) throw new Error("no live view");
  const keyOf = (id: string): string => toKey(learnerKey(view.namespace, id));
  const { victim, of } = await find(learnerIds.map(keyOf));
  const own = learnerIds.filter((id) => of.includes(keyOf(id)));
  const warm = askForNext(api, own, perSecond);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect((await warm()).failure).toBeNull();

  const stop = askForNext(api, own, perSecond);
  await new Promise((resolve) => setTimeout(resolve, random.below(500)));
  process.kill(victim.pid, fault === "killed" ? "SIGKILL" : "SIGSTOP");
  await takenOver(victim);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const seen = await stop();
  await api.stop();
  const { gapMs, longestMs, stallMs, asked, failed, sources } = seen;
  const [gap, longest, stall] = [gapMs, longestMs, stallMs].map((ms) => ms.toFixed(0));
  const answers = Object.entries(sources).map(([source, count]) => `${count} ${source}`);
  table.push(`| ${setUp} | master ${fault} | ${gap} | ${longest} | ${stall} | ${asked} | ${failed} | ${answers} |`);
  return { seen, victim };
}

function expectAnswered({ failure, gapMs, longestMs, stallMs, sources }: Seen): void {
  const allowedMs = gapMsMax + (stallMs > usualStallMs ? stallMs : 0);
  expect(failure).toBeNull();
  expect(longestMs).toBeLessThan(allowedMs);
  expect(gapMs).toBeLessThan(allowedMs);
  expect(sources.popular ?? 0).toBe(0);
}

describe.skipIf(cluster === null)("reads while a master of a cluster fails", () => {
  test.each(cases)("$fault; seed $seed", { timeout: 180_000 }, async ({ fault, seed }) => {
    if (cluster === null) return;
    const random = seededRandom(seed);
    const readModels = await openRedisReadModels({ url: cluster.url });
    const { seen, victim } = await measure(
      "cluster",
      fault,
      random,
      readModels,
      async (keys) => {
        const victim = await cluster.owner(slotOf(random.pick(keys)));
        const owners = await Promise.all(keys.map(async (key) => (await cluster.owner(slotOf(key))).port));
        return { victim, of: keys.filter((_, at) => owners[at] === victim.port) };
      },
      () => cluster.settled(2),
    );
    if (fault === "killed") await cluster.restart(victim);
    else process.kill(victim.pid, "SIGCONT");
    await cluster.settled();
    await readModels.close();
    expectAnswered(seen);
  });
});

describe.skipIf(sentinel === null)("reads while the master of sentinels fails", () => {
  test.each(cases)("$fault; seed $seed", { timeout: 180_000 }, async ({ fault, seed }) => {
    if (sentinel === null) return;
    const random = seededRandom(seed);
    const readModels = await openRedisReadModels({ url: sentinel.url });
    const { seen, victim } = await measure(
      "sentinel",
      fault,
      random,
      readModels,
      async (keys) => ({ victim: await sentinel.master(), of: keys }),
      async (failed) => {
        await expect.poll(async () => (await sentinel.master()).port, { timeout: 30_000 }).not.toBe(failed.port);
        await sentinel.settled(1);
      },
    );
    if (fault === "killed") await sentinel.restart(victim);
    else process.kill(victim.pid, "SIGCONT");
    await sentinel.settled();
    await readModels.close();
    expectAnswered(seen);
  });
});
