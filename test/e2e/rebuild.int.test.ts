import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { openRedisReadModels } from "../../src/adapters/read-models/redis.ts";
import { readView } from "../../src/projections/live-view.ts";
import { privateRedis, sharedPostgres } from "../support/engines.ts";
import { ofThisProcess } from "../support/environment.ts";
import { seededRandom } from "../support/random.ts";
import { eventually, newPlace, publishChain, type Running, root, run, serve } from "./proximal.ts";

/** Invariant 6 of the design, with real processes: rows are rebuilt by one process while others project and answer. */
const postgres = await sharedPostgres();
const redis = await privateRedis();
const seed = Number(process.env.PROXIMAL_SEED ?? Date.now() % 1_000_000);
const kills = Number(process.env.PROXIMAL_FAULT_RUNS ?? 3);
const random = seededRandom(seed);
const learners = Array.from({ length: 40 }, (_, at) => `learner-${at}`);

let answers = 0;
async function study(server: Running, count: number): Promise<void> {
  const body = Array.from({ length: count }, () => {
    answers += 1;
    const itemId = `${random.pick(["count", "add", "multiply"])}-${1 + random.below(6)}`;
    return { id: `a${answers}`, learnerId: random.pick(learners), itemId, kind: "answer", correct: random.chance(0.7) };
  });
  const reply = await server.post("/v1/interactions", body);
  if (reply.status >= 300) throw new Error(JSON.stringify(reply.body));
}

/** Asks for next items all the time; resolves with how often, rejects at the first that was not answered. */
function asking(server: Running): () => Promise<number> {
  let stopped = false;
  const asked = (async () => {
    let count = 0;
    for (; !stopped; count += 1) {
      const { status, body } = await server.get(`/v1/learners/${random.pick(learners)}/next`);
      if (status !== 200 || body.source === "popular") throw new Error(`seed ${seed}: ${JSON.stringify(body)}`);
      await sleep(5);
    }
    return count;
  })();
  asked.catch(() => undefined);
  return () => {
    stopped = true;
    return asked;
  };
}

describe.skipIf(postgres === null || redis === null)("proximal rebuild beside a server", () => {
  test("builds, compares, switches and rolls back while the server answers; killed at any moment it changes nothing", {
    timeout: 180_000,
  }, async () => {
    const url = redis?.url ?? "";
    const place = newPlace({
      ...{ DATABASE_URL: (await postgres?.createDatabase()) ?? "", REDIS_URL: url, PROXIMAL_PARTITIONS: "3" },
    });
    const server = await serve(place);
    await publishChain(server);
    for (let batch = 0; batch < 5; batch += 1) await study(server, 400);
    await caughtUp(server);
    const readModels = await openRedisReadModels({ url });
    const live = async () => (await readView(readModels)).view?.namespace ?? "";
    const stop = asking(server);
    try {
      const before = await live();
      const command = run(place, ["rebuild", "learners", "--json"]);
      for (let batch = 0; batch < 5; batch += 1) await study(server, 50);
      const { code, stdout, stderr } = await command;
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ status: "done", identical: true, different: 0, differing: [] });
      const rebuilt = await live();
      expect(rebuilt).not.toBe(before);
      await study(server, 50);
      await caughtUp(server);

      for (let kill = 0; kill < kills; kill += 1) {
        const child = spawn(process.execPath, [join(root, "bin/proximal.js"), "rebuild", "learners"], {
          ...{ cwd: root, env: { ...ofThisProcess(), ...place.environment }, stdio: "ignore" },
        });
        const closed = once(child, "close");
        await sleep(300 + random.below(1500));
        child.kill("SIGKILL");
        await closed;
        await study(server, 20);
        await caughtUp(server);
      }
      const now = await live();
      const back = await run(place, ["rebuild", "learners", "--rollback", "--json"]);
      expect(back.code, back.stderr).toBe(0);
      expect(JSON.parse(back.stdout)).toMatchObject({ status: "done", identical: null });
      expect(await live()).not.toBe(now);
      await study(server, 20);
      await caughtUp(server);
      const last = await run(place, ["rebuild", "learners"]);
      expect(last.stdout, last.stderr).toContain("equal to what was live");
    } finally {
      expect(await stop()).toBeGreaterThan(10);
      await readModels.close();
    }
  });

  test("refuses a name that is none, and says which there are", async () => {
    const place = newPlace({ DATABASE_URL: "postgres://nowhere.invalid/x", REDIS_URL: "redis://nowhere.invalid" });
    const { code, stderr } = await run(place, ["rebuild", "everything"]);
    expect(code).toBe(64);
    expect(stderr).toContain("learner-scores");
  });
});

async function caughtUp(server: Running): Promise<void> {
  await eventually(
    `the projection has caught up (seed ${seed})`,
    async () => (await server.get("/v1/ops/lag")).body.projections as { projection: string; behindEvents: number }[],
    (lag) => lag.filter(({ projection }) => projection === "learners").every(({ behindEvents }) => behindEvents === 0),
  );
}
