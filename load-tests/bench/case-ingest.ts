import type { BenchCase, BenchSetting, Prepared, Side } from "./case.ts";
import { answer } from "./course.ts";
import { loadSide } from "./load-side.ts";
import { ask, cpuSeconds, cpuUsEach, startNode } from "./processes.ts";
import type { App } from "./proximal-app.ts";
import type { InsertOrder, InsertReport } from "./raw-insert.ts";

/** Of 25,000 posts a second each comes back after 20 ms, so that a commit has company; the limit has as many. */
const singlePosters = 512;
const batchPosters = 32;
export const batchSize = 100;

/** Posts without ids, so that the same body is a new interaction each time it is sent. */
export const singleShots = (learners: number) =>
  Array.from({ length: learners }, (_, n) => ({
    method: "POST" as const,
    path: "/v1/interactions",
    body: JSON.stringify(answer(n, 1000 + n)),
  }));

const sides = async (setting: BenchSetting, server: Pick<App, "url" | "server">) => {
  const { learners } = setting;
  const [app, bare, generator] = [await setting.app(), await setting.bare(), setting.generator()];
  const order = { key: app.key, connections: singlePosters, shots: singleShots(learners) } as const;
  return {
    ours: loadSide(generator, { url: server.url, pids: [server.server.pid], order }),
    limit: loadSide(generator, { url: bare.url, pids: [bare.pid], order }),
    parameters: { connections: singlePosters, learners },
  };
};

const shared = {
  limit: "bare Fastify POST, same check",
  unit: "requests/s",
  better: "higher",
} as const;

/** One interaction a request, to a process that takes them and does nothing else, against a bare Fastify POST with the same schema. */
export const single: BenchCase = {
  ...shared,
  name: "single",
  title: "single POST, durable",
  target: { ratio: 0.6, by: "figure" },
  gate: true,
  async prepare(setting) {
    const app = await setting.app();
    // It asks the first process for its answers, which stands still from then on.
    await setting.bare();
    const api = await app.startApiOnly();
    return { ...(await sides(setting, api)), end: () => endOfApi(app, api) };
  },
};

/** The same where one process takes, folds and trains on each interaction, as `npm start` does. */
export const singleAllInOne: BenchCase = {
  ...shared,
  name: "single-all-in-one",
  title: "single POST, durable, all in one process",
  target: null,
  async prepare(setting) {
    const app = await setting.app();
    return { ...(await sides(setting, app)), settle: () => app.caughtUp() };
  },
};

/** Arrays of 100 interactions, against inserts of 100 ready-made rows into a table with the same columns and indexes. */
export const batch: BenchCase = {
  name: "batch",
  title: `POST of ${batchSize}, durable`,
  limit: `multi-row inserts on ${batchPosters} connections`,
  unit: "events/s",
  better: "higher",
  target: { ratio: 0.6, by: "figure" },
  async prepare(setting): Promise<Prepared> {
    const { learners } = setting;
    const app = await setting.app();
    const api = await app.startApiOnly();
    const raw = startNode("load-tests/bench/raw-insert.ts");
    const shots = Array.from({ length: 200 }, (_, n) => ({
      method: "POST" as const,
      path: "/v1/interactions",
      body: JSON.stringify(
        Array.from({ length: batchSize }, (_, i) => answer((n * batchSize + i) % learners, 2000 + n)),
      ),
    }));
    const order = { key: app.key, connections: batchPosters, shots };
    const limit: Side = async ({ seconds }) => {
      const insert = { url: app.env.DATABASE_URL, seconds, connections: batchPosters, rowsPerInsert: batchSize };
      const before = cpuSeconds(raw.pid);
      const { rows, seconds: took } = await ask<InsertReport>(raw, insert satisfies InsertOrder);
      return { figure: rows / took, cpuUs: cpuUsEach(before, cpuSeconds(raw.pid), rows) };
    };
    return {
      ours: loadSide(setting.generator(), { url: api.url, pids: [api.server.pid], order, each: batchSize }),
      limit,
      parameters: { connections: batchPosters, learners, interactions_per_request: batchSize },
      end: async () => {
        await raw.stop();
        await endOfApi(app, api);
      },
    };
  },
};

async function endOfApi(app: App, api: { stop(): Promise<void> }): Promise<void> {
  await api.stop();
  await app.caughtUp();
}
