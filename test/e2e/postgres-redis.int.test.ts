import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { privateRedis, sharedPostgres } from "../support/engines.ts";
import { newPlace, root, run, serve } from "./proximal.ts";
import { importsAndServes, killInAPostFlood, loopSurvivesARestart } from "./scenarios.ts";

const postgres = await sharedPostgres();
const redis = await privateRedis();
let database = 0;

/** A database of its own on both engines. */
async function newEngines() {
  if (postgres === null || redis === null) throw new Error("skipped where an engine is missing");
  database += 1;
  return newPlace({ DATABASE_URL: await postgres.createDatabase(), REDIS_URL: `${redis.url}/${database}` });
}

describe.skipIf(postgres === null || redis === null)("on PostgreSQL and Redis", () => {
  test("posts are answered from at once, and after a restart", { timeout: 180_000 }, async () =>
    loopSurvivesARestart(await newEngines()),
  );

  test("kill -9 in a flood of posts loses nothing that was acknowledged", { timeout: 180_000 }, async () => {
    const { acknowledged } = await killInAPostFlood(await newEngines());
    expect(acknowledged).toBeGreaterThanOrEqual(600);
  });

  test("the main job on the sample log", { timeout: 180_000 }, async () =>
    importsAndServes(await newEngines(), {
      file: join(root, "src/app/demo/sample-log.csv"),
      rows: 4700,
      items: 199,
      skills: 18,
      learner: { id: "ada", answers: 141, title: /^Item / },
    }),
  );

  test("one process takes posts, another folds them, and both answer with them at once", {
    timeout: 180_000,
  }, async () => {
    const place = await newEngines();
    const folding = await serve(place);
    const role = { PROXIMAL_ROLE: "api" };
    const taking = await serve({ ...place, environment: { ...place.environment, ...role }, key: folding.key });
    const item = { itemId: "i", title: "An item", skillIds: [] };
    expect((await taking.post("/v1/items", item)).status).toBe(201);
    for (let revision = 1; revision <= 20; revision += 1) {
      const [to, from] = revision % 2 === 0 ? [taking, folding] : [folding, taking];
      const posted = await to.post("/v1/interactions", {
        ...{ id: `a${revision}`, learnerId: "ann", itemId: "i", kind: "answer", correct: true },
      });
      const query = `/v1/learners/ann/next?after=${posted.body.tokens.ann}`;
      expect((await from.get(query)).body).toMatchObject({ source: "personal", revision, fresh: true });
      expect((await to.get(query)).body).toMatchObject({ source: "personal", revision, fresh: true });
    }
    const lag = (await taking.get("/v1/ops/lag")).body.projections;
    expect(lag[0]).toMatchObject({ projection: "learners", started: true, behindEvents: 0 });
    expect((await taking.get("/v1/ops/parked")).body).toEqual({ count: 0, parked: [] });
    expect(await taking.end("SIGTERM")).toBe(0);
    expect((await folding.get("/v1/learners/ann/next")).body.revision).toBe(20);
    expect(await folding.end("SIGTERM")).toBe(0);
  });

  test("it says what it runs on, without the password, and doctor finds it well", { timeout: 180_000 }, async () => {
    const place = await newEngines();
    const server = await serve(place);
    const { stdout } = server.output();
    expect(stdout).toMatch(/event log {6}PostgreSQL at postgres(ql)?:\/\/\S+, 0 events/);
    expect(stdout).toMatch(/read models {4}Redis at redis:\/\/\S+/);
    expect(await server.end("SIGINT")).toBe(0);
    const doctor = await run({ environment: { ...place.environment, PORT: "0" } }, ["doctor", "--json"]);
    expect(doctor.code, doctor.stdout).toBe(0);
    const { checks } = JSON.parse(doctor.stdout);
    const found = new Map<string, string>(checks.map((c: { what: string; found: string }) => [c.what, c.found]));
    expect(found.get("event log")).toMatch(/^PostgreSQL \d+\.\d+ at /);
    expect(found.get("migrations")).toMatch(/^(\d+) of \1$/);
    expect(found.get("read models")).toMatch(/^Redis \d+\.\d+\.\d+ at /);
  });

  test("a Redis with the rows of another log is refused in one line", { timeout: 180_000 }, async () => {
    const place = await newEngines();
    const server = await serve(place);
    await server.post("/v1/interactions", { learnerId: "ann", itemId: "i", kind: "view" });
    expect(await server.end("SIGINT")).toBe(0);
    const other = await newEngines();
    const mixed = { environment: { ...other.environment, REDIS_URL: place.environment.REDIS_URL ?? "" } };
    const { code, stderr } = await run(mixed, ["serve", "--port", "0"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^proximal: Redis at \S+ \(REDIS_URL\) holds the read models of another event log: .*\n$/);
  });

  test("engines that are not there are one line each", { timeout: 180_000 }, async () => {
    const once = { PROXIMAL_START_TIMEOUT_S: "0" };
    const nothing = newPlace({ DATABASE_URL: "postgres://me:secret@127.0.0.1:1/x", ...once });
    const noPostgres = await run(nothing, ["serve", "--port", "0"]);
    expect(noPostgres.code).toBe(1);
    expect(noPostgres.stderr).toMatch(
      /^proximal: PostgreSQL at postgres:\/\/…@127\.0\.0\.1:1\/x \(DATABASE_URL\) cannot be used: .*\n$/,
    );
    const noRedis = await run(newPlace({ REDIS_URL: "redis://127.0.0.1:1", ...once }), ["serve", "--port", "0"]);
    expect(noRedis.code).toBe(1);
    expect(noRedis.stderr).toMatch(/^proximal: Redis at redis:\/\/127\.0\.0\.1:1 \(REDIS_URL\) cannot be used: .*\n$/);
  });
});
