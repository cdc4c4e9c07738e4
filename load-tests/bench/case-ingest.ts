import { alternate, load, measurementsOf, medianRate } from "./against-limit.ts";
import type { BenchSetting } from "./bench-setting.ts";
import { answer } from "./course.ts";
import { ask, startNode } from "./processes.ts";
import type { InsertOrder, InsertReport } from "./raw-insert.ts";
import type { Measurement } from "./report.ts";
import { spreadOf } from "./statistics.ts";

const singlePosters = 64;
const batchPosters = 8;
export const batchSize = 100;

/** Posts without ids, so that the same body is a new interaction each time it is sent. */
export const singleShots = (learners: number) =>
  Array.from({ length: learners }, (_, n) => ({
    method: "POST" as const,
    path: "/v1/interactions",
    body: JSON.stringify(answer(n, 1000 + n)),
  }));

/** One interaction a request, against a bare Fastify POST that checks the same body with the same schema. */
export async function benchSinglePost(setting: BenchSetting): Promise<{ measured: Measurement[]; perSecond: number }> {
  const { app, bare, generator, learners, seconds, rounds } = setting;
  const order = { key: app.key, connections: singlePosters, seconds, shots: singleShots(learners) };
  const compared = await alternate(
    generator,
    { pid: app.server.pid, order: { ...order, url: app.url } },
    { pid: bare.pid, order: { ...order, url: bare.url } },
    rounds,
    () => app.caughtUp(),
  );
  const measured = measurementsOf("single POST", "requests/s", compared, 0.4);
  return { measured, perSecond: medianRate(compared.ours) };
}

/** Arrays of 100 interactions, against inserts of 100 ready-made rows into a table with the same columns and indexes. */
export async function benchBatch({ app, generator, learners, seconds, rounds }: BenchSetting): Promise<Measurement[]> {
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
    const order = { url: app.url, key: app.key, connections: batchPosters, seconds, shots };
    const posted = await load(generator, app.server.pid, round < 0 ? { ...order, seconds: 2 } : order);
    await app.caughtUp();
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
