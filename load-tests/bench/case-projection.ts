import { setTimeout as sleep } from "node:timers/promises";
import { startRedis } from "../../test/support/redis.ts";
import { freePort } from "../../test/support/servers.ts";
import type { BenchCase } from "./case.ts";
import { batchSize } from "./case-ingest.ts";
import { answer } from "./course.ts";
import type { FoldOrder } from "./fold-in-memory.ts";
import { ask, cpuSeconds, cpuUsEach, startNode } from "./processes.ts";
import { type App, startApp, startServe } from "./proximal-app.ts";
import type { Sample } from "./result.ts";

const learners = 5_000;
const eventsOf = { full: 200_000, quick: 40_000, gate: 20_000 };

/**
 * A process that starts on a full log and an empty Redis: how fast it folds the log into the read models. It does
 * nothing else, as in any deployment of several processes. Learners take turns in the log, so that hardly two events
 * of a batch are of the same learner: nothing is saved by folding them together. What it is held against: fold-in-memory.ts.
 */
export const projection: BenchCase = {
  name: "projection",
  title: "projection, log to Redis",
  limit: "the same rows folded in memory, pipelined SET of the same bytes",
  unit: "events/s",
  better: "higher",
  target: { ratio: 0.6, by: "figure" },
  warmUp: false,
  async prepare({ scale }) {
    // Of its own, so that the log holds these events alone, whatever was measured before.
    const app = await startApp();
    const events = eventsOf[scale];
    await fillLog(app, events);
    return {
      ours: () => onEmptyRedis((url) => catchUpFromNothing(app, url)),
      limit: () => onEmptyRedis((redisUrl) => foldInMemory({ databaseUrl: app.env.DATABASE_URL, redisUrl })),
      parameters: { events, learners },
      note: () => `${events} events or more, of ${learners} learners in turn`,
    };
  },
};

async function fillLog(app: App, events: number): Promise<void> {
  const { position } = await progress(app);
  for (let sent = position, n = 0; sent < events; n += 1) {
    for (let from = 0; from < learners && sent < events; from += batchSize * 5, sent += batchSize * 5) {
      const batch = Array.from({ length: batchSize * 5 }, (_, i) => answer(10_000 + from + i, n));
      await app.request("POST", "/v1/interactions", batch);
    }
  }
  await app.caughtUp();
}

async function onEmptyRedis(work: (url: string) => Promise<Sample>): Promise<Sample> {
  const redis = await startRedis({ settings: { "maxmemory-policy": "noeviction" } });
  if ("skip" in redis) throw new Error(redis.skip);
  try {
    return await work(redis.url);
  } finally {
    await redis.stop();
  }
}

async function foldInMemory(order: FoldOrder): Promise<Sample> {
  const folding = startNode("load-tests/bench/fold-in-memory.ts");
  try {
    return await ask<Sample>(folding, order);
  } finally {
    await folding.stop();
  }
}

async function catchUpFromNothing(app: App, redisUrl: string): Promise<Sample> {
  const env = { ...app.env, REDIS_URL: redisUrl, PORT: String(await freePort()), PROXIMAL_ROLE: "projector" };
  const fresh = startServe(env, app.key);
  try {
    let first: Mark | null = null;
    for (const end = Date.now() + 600_000; Date.now() < end; ) {
      if (fresh.server.child.exitCode !== null) throw new Error("the second proximal serve ended");
      const now = await mark(fresh).catch(() => null);
      if (now !== null && now.position > 0) {
        first ??= now;
        if (now.behind === 0) return sampleOf(first, now);
      }
      // Each look has PostgreSQL count what is left, which takes from what is measured.
      await sleep(first === null ? 5 : pauseMs(now ?? first));
    }
    throw new Error("the projection did not catch up within 10 minutes");
  } finally {
    await fresh.server.stop();
  }
}

interface Mark {
  readonly position: number;
  readonly behind: number;
  readonly at: number;
  readonly cpu: number;
}

/** Long while much is left, so that looking costs next to nothing; short near the end, so that the end is seen in time. */
const pauseMs = ({ behind }: Mark): number => Math.min(1_000, Math.max(20, behind / 200));

async function mark(app: Pick<App, "request" | "server">): Promise<Mark> {
  const { position, behind } = await progress(app);
  return { position, behind, at: performance.now(), cpu: cpuSeconds(app.server.pid) };
}

function sampleOf(first: Mark, last: Mark): Sample {
  const events = last.position - first.position;
  if (events < 5_000) throw new Error(`only ${events} events were folded while watching: the case needs more of them`);
  return { figure: events / ((last.at - first.at) / 1000), cpuUs: cpuUsEach(first.cpu, last.cpu, events) };
}

/** How far the projection of learners has come. */
async function progress({ request }: Pick<App, "request">): Promise<{ position: number; behind: number }> {
  const { projections } = JSON.parse((await request("GET", "/v1/ops/lag")).text);
  const found = projections.find((each: { projection: string }) => each.projection === "learners");
  if (found === undefined) throw new Error("GET /v1/ops/lag does not name the projection of learners");
  return { position: found.position, behind: found.behindEvents };
}
