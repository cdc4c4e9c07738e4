import { alternate, load, measurementsOf, medianRate } from "./against-limit.ts";
import type { BenchSetting } from "./bench-setting.ts";
import { answer } from "./course.ts";
import { ask, startNode } from "./processes.ts";
import type { App } from "./proximal-app.ts";
import type { InsertOrder, InsertReport } from "./raw-insert.ts";
import type { Measurement } from "./report.ts";
import { spreadOf } from "./statistics.ts";

const singlePosters = 256;
const batchPosters = 32;
export const batchSize = 100;

/** Posts without ids, so that the same body is a new interaction each time it is sent. */
export const singleShots = (learners: number) =>
  Array.from({ length: learners }, (_, n) => ({
    method: "POST" as const,
    path: "/v1/interactions",
    body: JSON.stringify(answer(n, 1000 + n)),
  }));

/** One interaction a request, against a bare Fastify POST that checks the same body with the same schema. */
async function singlePost(setting: BenchSetting, server: Pick<App, "url" | "server">, settled: () => Promise<void>) {
  const { app, bare, generator, learners, seconds, rounds } = setting;
  const order = { key: app.key, connections: singlePosters, seconds, shots: singleShots(learners) };
  return alternate(
    generator,
    { pid: server.server.pid, order: { ...order, url: server.url } },
    { pid: bare.pid, order: { ...order, url: bare.url } },
    rounds,
    settled,
  );
}

/** What takes the interactions, by itself: the roles that fold them are measured by themselves too. */
export async function benchSinglePost(setting: BenchSetting): Promise<Measurement[]> {
  const compared = await setting.app.withApiOnly((api) => singlePost(setting, api, async () => {}));
  await setting.app.caughtUp();
  return measurementsOf("single POST", "requests/s", compared, 0.4);
}

/** The same where one process takes, folds and trains on each interaction, as `npm start` does. */
export async function benchSinglePostAllInOne(
  setting: BenchSetting,
): Promise<{ measured: Measurement[]; perSecond: number }> {
  const compared = await singlePost(setting, setting.app, () => setting.app.caughtUp());
  const measured = measurementsOf("single POST, all in one process", "requests/s", compared, null);
  return { measured, perSecond: medianRate(compared.ours) };
}

/** Arrays of 100 interactions, against inserts of 100 ready-made rows into a table with the same columns and indexes. */
export async function benchBatch(setting: BenchSetting): Promise<Measurement[]> {
  const measured = await setting.app.withApiOnly((api) => batchPost(setting, api));
  await setting.app.caughtUp();
  return measured;
}

async function batchPost(
  { app, generator, learners, seconds, rounds }: BenchSetting,
  api: Pick<App, "url" | "server">,
): Promise<Measurement[]> {
  const shots = Array.from({ length: 200 }, (_, n) => ({
    method: "POST" as const,
    path: "/v1/interactions",
    body: JSON.stringify(Array.from({ length: batchSize }, (_, i) => answer((n * batchSize + i) % learners, 2000 + n))),
  }));
  const raw = startNode("load-tests/bench/raw-insert.ts");
  const insert: InsertOrder = {
    url: app.env.DATABASE_URL,
    seconds,
    connections: batchPosters,
    rowsPerInsert: batchSize,
  };
  const ours: number[] = [];
  const limit: number[] = [];
  for (let round = -1; round < rounds; round += 1) {
    const order = { url: api.url, key: app.key, connections: batchPosters, seconds, shots };
    const posted = await load(generator, api.server.pid, round < 0 ? { ...order, seconds: 2 } : order);
    const inserted = await ask<InsertReport>(raw, round < 0 ? { ...insert, seconds: 2 } : insert);
    if (round < 0) continue;
    ours.push(posted.perSecond * batchSize);
    limit.push(inserted.rows / inserted.seconds);
  }
  await raw.stop();
  return [
    {
      name: `batch ingest: POST of ${batchSize}`,
      unit: "events/s",
      ours: spreadOf(ours),
      limit: spreadOf(limit),
      ratio: spreadOf(ours.map((rate, i) => rate / (limit[i] ?? Number.NaN))),
      target: { atLeast: 0.4 },
    },
  ];
}
