import type { BenchCase, BenchSetting, Prepared } from "./case.ts";
import { loadSide } from "./load-side.ts";
import { ask, startNode } from "./processes.ts";
import { type App, nextPath } from "./proximal-app.ts";
import { type CopiedRows, copyRows, deepRows, openRows } from "./rows-in-redis.ts";
import { bareOrder } from "./setting.ts";

/*
 * GET /v1/learners/{id}/next, of many learners in turn, by a process that answers and does nothing else. `next` is answered
 * from its memory; the others from Redis each time (PROXIMAL_ROW_CACHE_MB=0), which is the harder half of the question
 * whether the answer takes longer the more there is.
 */

const connections = 32;
/** On a busy machine an answer may take long; one that falls back on something else would be measured for it. */
const fromRedis = { PROXIMAL_ROW_CACHE_MB: "0", PROXIMAL_READ_MODELS_WAIT_MS: "5000" };

const shotsAt = (paths: readonly string[]) => paths.map((path) => ({ method: "GET" as const, path }));
const orderOf = (app: App, paths: readonly string[]) => ({ key: app.key, connections, shots: shotsAt(paths) });
const seeded = (learners: number): string[] => Array.from({ length: learners }, (_, n) => nextPath(n));

export const next: BenchCase = {
  name: "next",
  title: "next item, from memory",
  limit: "bare Fastify route, same bytes",
  unit: "requests/s",
  better: "higher",
  target: { ratio: 0.95, by: "figure" },
  gate: true,
  async prepare(setting) {
    const { learners } = setting;
    const [app, bare] = [await setting.app(), await setting.bare()];
    const api = await app.startApiOnly();
    const order = orderOf(app, seeded(learners));
    return {
      ours: loadSide(setting.generator(), { url: api.url, pids: [api.server.pid], order }),
      limit: loadSide(setting.generator(), { url: bare.url, pids: [bare.pid], order }),
      parameters: { connections, learners },
      end: api.stop,
    };
  },
};

export const nextFromRedis: BenchCase = {
  name: "next-redis",
  title: "next item, from Redis",
  limit: "Fastify + one ioredis GET, same bytes",
  unit: "requests/s",
  better: "higher",
  target: { ratio: 0.9, by: "figure" },
  async prepare(setting) {
    const { learners } = setting;
    const app = await setting.app();
    const answers = await bareOrder(app, learners);
    const api = await app.startApiOnly(fromRedis);
    const bare = startNode("load-tests/bench/bare-server.ts");
    const redis = { url: app.env.REDIS_URL };
    const { url } = await ask<{ url: string }>(bare, { ...answers, redis });
    const order = orderOf(app, seeded(learners));
    return {
      ours: loadSide(setting.generator(), { url: api.url, pids: [api.server.pid], order }),
      limit: loadSide(setting.generator(), { url, pids: [bare.pid], order }),
      parameters: { connections, learners },
      end: async () => {
        await bare.stop();
        await api.stop();
      },
    };
  },
};

/** Two sorts of learners in one process and one Redis. */
async function ofAnswers(setting: BenchSetting, few: number, many: number): Promise<Prepared> {
  const { learners } = setting;
  const app = await setting.app();
  const api = await app.startApiOnly(fromRedis);
  const rows = await openRows(app.env.REDIS_URL);
  const sides: CopiedRows[] = [];
  for (const answers of [few, many]) {
    sides.push(await rows.put(await deepRows(answers), (n) => `answered-${answers}-${n}`, learners));
  }
  const [small, large] = await Promise.all(
    sides.map(async ({ paths }) => {
      await mustBePrepared(api, app.key, paths[0] ?? "");
      const order = orderOf(app, paths);
      return loadSide(setting.generator(), { url: api.url, pids: [api.server.pid], order });
    }),
  );
  if (small === undefined || large === undefined) throw new Error("two sides were expected");
  return {
    ours: large,
    limit: small,
    parameters: { connections, learners, answers_of_a_learner: many, answers_of_a_learner_beside: few },
    end: async () => {
      for (const { remove } of sides) await remove();
      await rows.close();
      await api.stop();
    },
  };
}

const afterAnswers = (name: string, shown: string, many: number): BenchCase => ({
  name,
  title: `next item, learners with ${shown} past answers`,
  limit: "the same with 10 past answers",
  unit: "requests/s",
  better: "higher",
  target: { ratio: 0.9, by: "figure" },
  notIn: ["gate"],
  prepare: (setting) => ofAnswers(setting, 10, many),
});

export const nextAfterThousand = afterAnswers("next-1k-answers", "1,000", 1_000);
export const nextAfterHundredThousand = afterAnswers("next-100k-answers", "100,000", 100_000);

/** Learners that are asked about, of those that there are: enough that none comes again soon. */
const askedMax = 20_000;

/** Two databases of one Redis: the seeded learners, and copies of them. A process for each. */
export const nextOfMany: BenchCase = {
  name: "next-1m-learners",
  title: "next item, 1,000,000 learners in Redis",
  limit: "the same with 1,000",
  unit: "requests/s",
  better: "higher",
  target: { ratio: 0.9, by: "figure" },
  notIn: ["gate"],
  async prepare(setting) {
    const { learners } = setting;
    const many = setting.scale === "full" ? 1_000_000 : 100_000;
    const app = await setting.app();
    const url = `${app.env.REDIS_URL}/1`;
    const copied = await copyRows(app.env.REDIS_URL, url, many);
    const small = await app.startApiOnly(fromRedis);
    const large = await app.startApiOnly({ ...fromRedis, REDIS_URL: url });
    const step = Math.max(1, Math.floor(many / askedMax));
    const asked = copied.paths.filter((_, n) => n % step === 0);
    for (const [api, path] of [[small, nextPath(0)] as const, [large, asked[0] ?? ""] as const]) {
      await mustBePrepared(api, app.key, path);
    }
    return {
      ours: loadSide(setting.generator(), { url: large.url, pids: [large.server.pid], order: orderOf(app, asked) }),
      limit: loadSide(setting.generator(), {
        ...{ url: small.url, pids: [small.server.pid] },
        order: orderOf(app, seeded(learners)),
      }),
      parameters: { connections, learners: many, learners_asked: asked.length, learners_beside: learners },
      note: () => `${Math.round(copied.bytesEach)} bytes in Redis for a learner`,
      end: async () => {
        await large.stop();
        await small.stop();
        await copied.remove();
      },
    };
  },
};

/** What is not read but selected, or is empty, would be measured for something else. */
async function mustBePrepared(api: Pick<App, "url">, key: string, path: string): Promise<void> {
  const response = await fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  const { source, computed, items } = (await response.json()) as Record<string, unknown>;
  const count = Array.isArray(items) ? items.length : 0;
  if (source === "personal" && computed === "precomputed" && count === 10) return;
  throw new Error(`${path} is answered with ${count} items, ${source} and ${computed}: not what is to be measured`);
}
