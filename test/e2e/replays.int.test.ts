import { describe, expect, test } from "vitest";
import { privateRedis, sharedPostgres } from "../support/engines.ts";
import { eventually, newPlace, publishChain, type Running, run, serve } from "./proximal.ts";

const postgres = await sharedPostgres();
const redis = await privateRedis({ settings: { "maxmemory-policy": "noeviction" } });

const post = async (api: Running, learnerId: string, count: number): Promise<void> => {
  const body = Array.from({ length: count }, (_, n) => ({
    ...{ learnerId, itemId: `add-${1 + (n % 6)}`, kind: "answer", correct: n % 2 > 0, trackId: "arithmetic" },
  }));
  expect((await api.post("/v1/interactions", body)).body.accepted).toBe(count);
};

describe.skipIf(postgres === null || redis === null)("replays in roles, on PostgreSQL, Redis and BullMQ", () => {
  test("one process takes the order, others do it one at a time, any serves the files; a worker that leaves hands over", {
    timeout: 180_000,
  }, async () => {
    const place = newPlace({
      ...{ DATABASE_URL: (await postgres?.createDatabase()) ?? "", REDIS_URL: `${redis?.url}/0` },
      ...{ JOBS_REDIS_URL: `${redis?.url}/1`, LOG_LEVEL: "info", LOG_FORMAT: "json" },
    });
    const scopes = ["client", "author", "analyst", "operator"].flatMap((scope) => ["--scope", scope]);
    const { key } = JSON.parse((await run(place, ["keys", "create", "--name", "test", "--json", ...scopes])).stdout);
    const start = (role: string): Promise<Running> => serve({ ...place, key }, "--role", role);
    const [api, query, projector] = await Promise.all([start("api"), start("query"), start("projector")]);
    await publishChain(api);
    for (const learner of ["ann", "ben", "cem"]) await post(api, learner, 500);

    // Nobody works yet: they wait, wherever they were asked for.
    const ask = async (server: Running, input: object): Promise<string> => {
      const { status, body } = await server.post("/v1/replays", { kind: "export", input });
      expect(status, JSON.stringify(body)).toBe(202);
      return body.replayId;
    };
    const ids = [
      await ask(api, { what: "events", format: "parquet" }),
      await ask(query, { what: "events", learners: ["ann"], types: ["InteractionRecorded"] }),
      await ask(api, { what: "next", format: "csv" }),
    ];
    const cancelled = await ask(api, { what: "events" });
    expect((await query.post(`/v1/replays/${cancelled}/cancel`, {})).body.state).toBe("cancelled");
    expect((await api.get("/v1/replays?state=queued")).body.replays).toHaveLength(3);

    let most = 0;
    const countDone = async (): Promise<number> => {
      const { body } = await api.get("/v1/replays");
      const of = (state: string) => body.replays.filter((one: { state: string }) => one.state === state).length;
      most = Math.max(most, of("running"));
      return of("done");
    };
    const leaving = await start("jobs");
    await eventually(
      "one begun",
      async () => (await countDone()) + most,
      (n) => n > 0,
      60_000,
    );
    expect(await leaving.end("SIGTERM"), leaving.output().stderr).toBe(0);
    const staying = await start("jobs");
    await eventually("all done", countDone, (done) => done === 3, 90_000);
    expect(most).toBe(1);
    expect(await (await fetch(`${staying.url}/metrics`)).text()).toContain('replays{state="cancelled"} 1');

    const { body: answers } = await api.get(`/v1/replays/${ids[1]}`);
    expect(answers).toMatchObject({ state: "done", summary: { rows: 500 }, progress: { total: 1521 } });
    const headers = { authorization: `Bearer ${key}` };
    const file = await fetch(`${query.url}${answers.files[0].href}`, { headers });
    const lines = (await file.text()).trimEnd().split("\n");
    expect([file.headers.get("content-length"), lines.length]).toEqual([String(answers.files[0].bytes), 500]);
    const next = (await api.get(`/v1/replays/${ids[2]}`)).body;
    expect(next).toMatchObject({ state: "done", files: [{ name: "next.csv" }] });
    expect(next.summary.rows).toBeGreaterThan(0);
    for (const one of [api, query, projector, staying]) expect(await one.end("SIGTERM"), one.output().stderr).toBe(0);
  });
});
