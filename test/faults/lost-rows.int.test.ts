import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { createMemoryBlobs } from "../../src/adapters/blobs/memory.ts";
import { createMemoryReadModels } from "../../src/adapters/read-models/memory.ts";
import { openRedisReadModels } from "../../src/adapters/read-models/redis.ts";
import { learnerModels } from "../../src/domain/learner-model/models.ts";
import type { ReadModels } from "../../src/ports/read-models.ts";
import { digestNamespace } from "../../src/projections/digest.ts";
import type { PipelineDeps } from "../../src/projections/pipeline.ts";
import { learnerKey, learnerPrefix } from "../../src/projections/rows.ts";
import { createProjector, type Projector, type ProjectorOptions } from "../../src/workers/projector.ts";
import { type RowSnapshotDeps, restoreRowSnapshot, saveRowSnapshot } from "../../src/workers/row-snapshots.ts";
import { answer, publishCourse, startTestApi, type TestApi } from "../support/api.ts";
import { orSkip } from "../support/engines.ts";
import { askForNext } from "../support/load-next.ts";
import { seededRandom } from "../support/random.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";

/** Invariants 6 and 9 of the design: losing Redis, or a part of what it held, loses no data, and queries go on. */
const seed = Number(process.env.PROXIMAL_SEED ?? Date.now() % 1_000_000);
const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 2);
const random = seededRandom(seed);
const model = learnerModels["lr-full"];
const learnerIds = Array.from({ length: 30 }, (_, at) => `learner-${at}`);
const itemIds = ["counting", "adding", "multiplying"].flatMap((skill) => [1, 2, 3, 4, 5].map((n) => `${skill}-${n}`));

const probe = await startRedis();
const installed = "skip" in probe ? orSkip(probe) : probe;
await installed?.stop();

interface School {
  readonly api: TestApi;
  readonly server: RedisServer;
  readonly readModels: ReadModels;
  readonly projector: Projector;
  readonly snapshots: RowSnapshotDeps;
  /** What is logged, by message. */
  readonly told: { readonly message: string; readonly fields: object }[];
  /** A projector that knows nothing of what was written before. */
  another(): Promise<Projector>;
  study(answers: number): Promise<void>;
  /** Rejects unless the live rows become those of a straight fold of the log. */
  mustHeal(why: string): Promise<void>;
}

async function school(options: ProjectorOptions = {}, settings: Record<string, string> = {}): Promise<School> {
  const server = await startRedis({ settings });
  if ("skip" in server) throw new Error(server.skip);
  onTestFinished(() => server.stop());
  const readModels = await openRedisReadModels({
    url: server.url,
    lossCheckMs: 50,
    onConnectionError: () => undefined,
  });
  onTestFinished(() => readModels.close());
  const api = await startTestApi(() => ({ readModels, options: { rateLimitPerMinute: null } }));
  onTestFinished(() => api.stop());
  const told: School["told"] = [];
  const note = (fields: object, message: string): void => void told.push({ fields, message });
  const log = { debug() {}, info: note, warn: note, error: note };
  const blobs = createMemoryBlobs();
  const base = { feed: api.deps.feed, blobs, model, clock: { now: Date.now }, log };
  const snapshots = { ...base, readModels };
  const deps: PipelineDeps = {
    ...snapshots,
    store: api.deps.eventStore,
    restore: (namespace, partition) => restoreRowSnapshot(snapshots, namespace, partition),
  };
  async function another(): Promise<Projector> {
    const given = { partitions: 2, popularTickMs: 10, retryMs: 5, retryMsMax: 50, viewPollMs: 100, sweptPerSecond: 0 };
    const made = createProjector(deps, { ...given, ...options });
    onTestFinished(() => made.stop());
    await made.start();
    return made;
  }
  const projector = await another();
  await publishCourse(api);

  async function expected(): Promise<string> {
    const memory = createMemoryReadModels();
    const straight = createProjector({ ...deps, readModels: memory }, { partitions: 2 });
    await straight.start();
    await straight.caughtUp();
    const digest = await digestNamespace(memory, straight.view()?.namespace ?? "");
    await straight.stop();
    return digest;
  }

  return {
    ...{ api, server, readModels, projector, snapshots, told, another },
    async study(answers) {
      const body = Array.from({ length: answers }, () =>
        answer(random.pick(learnerIds), random.pick(itemIds), random.chance(0.7)),
      );
      const reply = await api.call("POST", "/v1/interactions", { body });
      if (reply.status >= 300) throw new Error(reply.text);
    },
    async mustHeal(why) {
      const digest = await expected();
      const live = (): Promise<string> => digestNamespace(readModels, projector.view()?.namespace ?? "");
      await expect.poll(() => live().catch(String), { timeout: 30_000, message: `seed ${seed}: ${why}` }).toBe(digest);
    },
  };
}

async function command(server: RedisServer, ...words: [string, ...string[]]): Promise<unknown> {
  const redis = new Redis(server.port, "127.0.0.1");
  try {
    return await redis.call(...words);
  } finally {
    redis.disconnect();
  }
}

const restartOf = async (server: RedisServer, settings: Record<string, string> = {}): Promise<void> => {
  process.kill(server.pid, "SIGKILL");
  await server.stop({ keepFolder: true });
  const again = await startRedis({ port: server.port, folder: server.folder, settings });
  if ("skip" in again) throw new Error(again.skip);
  onTestFinished(() => again.stop());
};

describe.skipIf(installed === null)("rows that Redis has lost", () => {
  test.each([
    ["from the log", false],
    ["from their snapshot and the rest of the log", true],
  ])("FLUSHALL at any time: they come back %s by themselves, and queries go on", async (_from, saved) => {
    const { api, server, projector, snapshots, told, study, mustHeal } = await school();
    await study(300);
    await projector.caughtUp();
    if (saved) expect(await saveRowSnapshot(snapshots)).toMatchObject({ status: "saved" });
    const stop = askForNext(api, learnerIds, 100);
    for (let run = 0; run < runs; run += 1) {
      const before = projector.view()?.namespace;
      const studying = study(60);
      if (random.chance(0.5)) await studying;
      await command(server, "FLUSHALL");
      await studying;
      await mustHeal(`run ${run}`);
      expect(projector.view()?.namespace).toBe(before);
    }
    const seen = await stop();
    expect(seen.failure, `seed ${seed}`).toBeNull();
    expect(seen.asked).toBeGreaterThan(0);
    expect(told.some(({ message }) => message === "rows restored from their snapshot")).toBe(saved);
  });

  test("killed and started again without a disk, while answers come in", async () => {
    const { api, server, study, mustHeal, projector } = await school();
    await study(200);
    await projector.caughtUp();
    const stop = askForNext(api, learnerIds, 50);
    const studying = study(50);
    await restartOf(server);
    await studying;
    await mustHeal("killed");
    expect((await stop()).failure, `seed ${seed}`).toBeNull();
  });

  test("the newest writes only, as at a fail-over to a copy that was behind: folded anew without a new event", async () => {
    const { server, study, mustHeal, projector, told } = await school();
    await study(300);
    await projector.caughtUp();
    // What is on disk stays as it is now.
    await command(server, "SAVE");
    await study(100);
    await projector.caughtUp();
    await study(100);
    await projector.caughtUp();
    await restartOf(server);
    await mustHeal("newest writes lost");
    expect(told.some(({ message }) => message.startsWith("rows may have been lost"))).toBe(true);
  });

  test("some learners' rows put back to older ones, the counters not: those written lately are looked at", async () => {
    const { readModels, study, mustHeal, projector, told, server } = await school();
    await study(300);
    await projector.caughtUp();
    const namespace = projector.view()?.namespace ?? "";
    const keys: string[] = [];
    for await (const page of readModels.keys(learnerPrefix(namespace))) keys.push(...page);
    const old = await readModels.read(keys);
    await study(100);
    await projector.caughtUp();
    await study(20);
    await projector.caughtUp();
    for (const [at, key] of keys.entries()) {
      if (random.chance(0.5)) continue;
      await readModels.remove([key]);
      const row = old[at];
      if (row !== undefined) await readModels.write([{ key, from: 0, to: row.version, set: row.fields }]);
    }
    // One of many masters failed over: the canary that lay there is another one.
    const canaries = (await command(server, "KEYS", "*canary*")) as string[];
    expect(canaries.length).toBeGreaterThan(0);
    await command(server, "DEL", ...(canaries as [string]));
    await mustHeal("older rows");
    expect(told.some(({ message }) => message.startsWith("rows that had been lost"))).toBe(true);
  });

  test("a row deleted by hand is found by the sweep, without a word of a loss and without a new event", async () => {
    const { readModels, study, mustHeal, projector } = await school({ sweptPerSecond: 100, sweepRestMs: 200 });
    await study(200);
    await projector.caughtUp();
    const namespace = projector.view()?.namespace ?? "";
    await readModels.remove(learnerIds.filter(() => random.chance(0.3)).map((id) => learnerKey(namespace, id)));
    await mustHeal("deleted by hand");
  });

  test("one of several masters came back empty: its rows are looked for at once, however old", async () => {
    const { server, readModels, study, mustHeal, projector, another } = await school({ sweptPerSecond: 1 });
    await study(300);
    await projector.caughtUp();
    const namespace = projector.view()?.namespace ?? "";
    await projector.stop();
    const next = await another();
    await next.caughtUp();
    await readModels.remove(learnerIds.filter(() => random.chance(0.3)).map((id) => learnerKey(namespace, id)));
    const canaries = (await command(server, "KEYS", "*canary*")) as string[];
    await command(server, "DEL", ...(canaries as [string]));
    await mustHeal("a master came back empty");
  });

  test("the row that says which rows are live: put back, and no other row is written", async () => {
    const { server, study, mustHeal, projector, readModels } = await school();
    await study(100);
    await projector.caughtUp();
    const before = projector.view()?.namespace;
    const keys = (await command(server, "KEYS", "*{live}*")) as string[];
    expect(keys).toHaveLength(1);
    await readModels.remove(["live"]);
    await expect.poll(() => readModels.get("live", "view")).not.toBeNull();
    await study(20);
    await projector.caughtUp();
    expect(projector.view()?.namespace).toBe(before);
    await mustHeal("live row");
  });
});
