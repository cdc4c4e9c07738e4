import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { privateRedis, sharedPostgres } from "../support/engines.ts";
import { privateKafka } from "../support/kafka.ts";
import { seededRandom } from "../support/random.ts";
import { startRedis } from "../support/redis.ts";
import { freePort } from "../support/servers.ts";
import { eventually, newPlace, publishChain, type Running, root, run, serve } from "./proximal.ts";

const postgres = await sharedPostgres();
const redis = await privateRedis({ settings: { "maxmemory-policy": "noeviction", databases: "64" } });
let database = 0;

/** Engines of a deployment, and a key of it. */
async function newDeployment(more: Readonly<Record<string, string>> = {}) {
  if (postgres === null || redis === null) throw new Error("skipped where an engine is missing");
  database += 2;
  const place = newPlace({
    ...{ DATABASE_URL: await postgres.createDatabase(), REDIS_URL: `${redis.url}/${database}` },
    ...{ JOBS_REDIS_URL: `${redis.url}/${database + 1}`, PROXIMAL_PARTITIONS: "2", ...more },
  });
  const scopes = ["client", "author", "analyst", "operator"].flatMap((scope) => ["--scope", scope]);
  const made = await run(place, ["keys", "create", "--name", "test", "--json", ...scopes]);
  const { key } = JSON.parse(made.stdout);
  return { place, key: key as string, start: (role: string) => serve({ ...place, key }, "--role", role) };
}

interface Asked {
  readonly answered: number;
  /** Polite refusals of a server that stops. */
  readonly sentAway: number;
  /** Anything else that a client would call a failure. */
  readonly failures: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** On a connection that is kept for the next request, as clients do. */
async function request(server: Running, agent: Agent, path: string, body?: unknown): Promise<Answer> {
  const headers = { authorization: `Bearer ${server.key}`, ...(body ? { "content-type": "application/json" } : {}) };
  const sent = httpRequest(`${server.url}${path}`, { agent, headers, method: body === undefined ? "GET" : "POST" });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const { statusCode = 0, headers: received } = response;
  return { status: statusCode, headers: received, body: await text(response) };
}

/**
 * Asks from several callers at once, each on a connection of its own, until the server is gone. A request that was
 * refused a connection is the end.
 */
function askUntilGone(callers: number, ask: (agent: Agent) => Promise<Answer>) {
  let [answered, sentAway] = [0, 0];
  const failures: string[] = [];
  async function caller(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (;;) {
      try {
        const { status, headers, body } = await ask(agent);
        if (status < 300) answered += 1;
        else if (status === 503 && headers["retry-after"] === "1" && JSON.parse(body).code === "not_ready") {
          expect(headers["content-type"]).toMatch(/^application\/problem\+json/);
          sentAway += 1;
        } else failures.push(`${status} ${body}`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ECONNREFUSED") failures.push(String(error));
        return agent.destroy();
      }
    }
  }
  const done = Promise.all(Array.from({ length: callers }, caller));
  return {
    answered: () => answered,
    end: async (): Promise<Asked> => {
      await done;
      return { answered, sentAway, failures };
    },
  };
}

const replacements = Number(process.env.PROXIMAL_FAULT_RUNS ?? 1);
const seed = Number(process.env.PROXIMAL_SEED ?? 1);
const patience = Math.max(300_000, replacements * 20_000);
let posted = 0;
const post = (server: Running, agent: Agent) => {
  posted += 1;
  const answer = { id: `i${posted}`, learnerId: `l${posted % 7}`, itemId: `add-${(posted % 6) + 1}` };
  return request(server, agent, "/v1/interactions", { ...answer, kind: "answer", correct: posted % 3 > 0 });
};

const caughtUp = (server: Running) =>
  eventually(
    "no lag",
    () => server.get("/v1/ops/lag"),
    ({ body }) =>
      body.projections.every(
        (one: { started: boolean; behindEvents: number }) => one.started && one.behindEvents === 0,
      ),
    60_000,
  );

/**
 * Invariants 1 and 3: an accepted interaction is durable, and its effect is there once, while each role's process is
 * stopped by SIGTERM in the middle of its work and another takes over.
 */
async function everyRoleIsReplacedUnderLoad(more: Readonly<Record<string, string>>, workers: readonly string[]) {
  posted = 0;
  const random = seededRandom(seed);
  const { start } = await newDeployment(more);
  const api = await start("api");
  await publishChain(api);
  const startAs = async (role: string) => [role, await start(role)] as const;
  const [query, running] = await Promise.all([
    start("query"),
    Promise.all(workers.map(startAs)).then((started) => new Map<string, Running>(started)),
  ]);

  const posting = askUntilGone(6, (agent) => post(api, agent));
  const asking = askUntilGone(4, (agent) => request(query, agent, `/v1/learners/l${posted % 7}/next`));
  // Each once, and then any: PROXIMAL_FAULT_RUNS=<n> replaces so many, PROXIMAL_SEED=<n> chooses which.
  const replaced = Array.from({ length: Math.max(workers.length, replacements) }, (_, at) =>
    at < workers.length ? (workers[at] ?? "") : random.pick(workers),
  );
  for (const role of replaced) {
    const before = posting.answered();
    await eventually(
      "more posts",
      async () => posting.answered(),
      (answered) => answered > before + 50,
    );
    expect(await running.get(role)?.end("SIGTERM"), `${role}: ${running.get(role)?.output().stderr}`).toBe(0);
    running.set(role, await start(role));
  }
  expect(await query.end("SIGTERM")).toBe(0);
  const asked = await asking.end();
  expect(asked.failures).toEqual([]);
  expect(asked.answered).toBeGreaterThan(50);
  expect(await api.end("SIGTERM"), api.output().stderr).toBe(0);
  const accepted = await posting.end();
  expect(accepted.failures).toEqual([]);
  expect(accepted.answered).toBeGreaterThan(200);

  const after = await start("api");
  await caughtUp(after);
  let answers = 0;
  for (let learner = 0; learner < 7; learner += 1) {
    answers += (await after.get(`/v1/learners/l${learner}/scores`)).body.answers;
  }
  expect(answers).toBe(accepted.answered);
  expect((await after.get("/readyz")).status).toBe(200);
  const ends = [after, ...running.values()].map(async (one) => ({ code: await one.end("SIGTERM"), ...one.output() }));
  for (const { code, stderr } of await Promise.all(ends)) expect(code, stderr).toBe(0);
}

describe.skipIf(postgres === null || redis === null)("roles", () => {
  test(
    `each is stopped under load and replaced: nothing accepted is lost, no request fails; seed ${seed}`,
    { timeout: patience },
    () => everyRoleIsReplacedUnderLoad({}, ["projector", "trainer", "jobs"]),
  );

  test("a query process takes no commands, a worker answers operators only, and both say who is ready", {
    timeout: 180_000,
  }, async () => {
    const { start } = await newDeployment({ PROXIMAL_STALE_AFTER_S: "1" });
    const [query, trainer] = await Promise.all([start("query"), start("trainer")]);
    expect((await query.get("/healthz")).status).toBe(200);
    // Nobody has projected yet: no row is stale, not caught up.
    const unready = await query.get("/readyz");
    expect(unready).toMatchObject({ status: 503, body: { code: "not_ready" } });
    expect(unready.body.detail).toContain("learners/0: never started");
    const refused = await query.post("/v1/items", { itemId: "a", title: "A", skillIds: [] });
    expect(refused).toMatchObject({ status: 421, body: { code: "wrong_role" } });
    expect((await query.post("/v1/next", { learnerIds: ["ann"] })).status).toBe(200);

    expect((await trainer.get("/readyz")).status).toBe(200);
    expect((await trainer.get("/v1/learners/ann/next")).status).toBe(404);
    expect(await (await fetch(`${trainer.url}/metrics`)).text()).toContain(
      'projection_lag_events{projection="trainer"',
    );
    const standby = await start("trainer");
    // It does not train, and sees the learners' partitions all the same.
    const seen = (await standby.get("/v1/ops/lag")).body;
    const stranger = { projection: "learners", started: false, state: "stale" };
    expect(seen.projections).toMatchObject([
      { ...stranger, partition: 0 },
      { ...stranger, partition: 1 },
    ]);
    expect(seen.queues).toMatchObject([{ queue: "jobs" }, { queue: "replays" }]);
    expect((await standby.get("/readyz")).status).toBe(200);

    const projector = await start("projector");
    await eventually(
      "the query process ready",
      () => query.get("/readyz"),
      ({ status }) => status === 200,
    );
    expect(await projector.end("SIGTERM")).toBe(0);
    const api = await start("api");
    await publishChain(api);
    await api.post("/v1/interactions", { learnerId: "ann", itemId: "add-1", kind: "answer", correct: true });
    const stale = await eventually(
      "the query process stale",
      () => query.get("/readyz"),
      ({ status }) => status === 503,
    );
    expect(stale.body.detail).toMatch(/learners\/\d: \d+ events and \d+ s behind/);
    expect(await trainer.end("SIGTERM")).toBe(0);
    // The lease was given up: the other one need not wait for its end.
    await eventually(
      "the other trainer",
      () => standby.get("/v1/ops/lag"),
      ({ body }) => body.projections.some(({ projection }: { projection: string }) => projection === "trainer"),
    );
  });

  test("jobs are done, counted and shown, and doctor asks every engine", { timeout: 180_000 }, async () => {
    const { place, start } = await newDeployment();
    const jobs = await start("jobs");
    await eventually(
      "the first jobs done",
      async () => (await fetch(`${jobs.url}/metrics`)).text(),
      (metrics) => metrics.includes('jobs{state="waiting"} 0') && metrics.includes('jobs{state="active"} 0'),
    );
    const listed = await run(place, ["jobs", "list", "--json"]);
    expect(JSON.parse(listed.stdout)).toMatchObject({ counts: { waiting: 0, failed: 0 }, failed: [] });
    expect(await run(place, ["jobs", "retry", "17"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no failed job has the id 17"),
    });
    expect(await jobs.end("SIGTERM"), jobs.output().stderr).toBe(0);

    const more = {
      DATABASE_REPLICA_URL: place.environment.DATABASE_URL ?? "",
      KAFKA_BROKERS: "127.0.0.1:1",
      PORT: "0",
    };
    const doctor = await run({ environment: { ...place.environment, ...more } }, ["doctor", "--json"]);
    const { checks } = JSON.parse(doctor.stdout);
    const found = new Map(checks.map((one: { what: string; result: string }) => [one.what, one.result]));
    expect(Object.fromEntries(found)).toMatchObject({ jobs: "ok", replica: "warn", Kafka: "fail", "event log": "ok" });
  });

  test("a start waits for an engine that is not there yet, and says so each second", { timeout: 180_000 }, async () => {
    const port = await freePort();
    const place = newPlace({ REDIS_URL: `redis://127.0.0.1:${port}`, LOG_FORMAT: "json" });
    const spawned = Promise.withResolvers<Running["output"]>();
    const starting = serve({ ...place, onOutput: spawned.resolve });
    await expect.poll(async () => (await spawned.promise)().stderr, { timeout: 60_000 }).toContain("waiting for Redis");
    const late = await startRedis({ port });
    if ("skip" in late) throw new Error(late.skip);
    onTestFinished(() => late.stop());
    const server = await starting;
    const waits = server
      .output()
      .stderr.split("\n")
      .filter((line) => line.includes("waiting for Redis at redis://127"));
    expect(waits.length).toBeGreaterThan(0);
    expect(waits.length).toBeLessThan(10);
    expect(waits[0]).toMatch(/"why":"Redis cannot be reached.*for 30 s more \(PROXIMAL_START_TIMEOUT_S\)/);
    expect(await server.end("SIGTERM")).toBe(0);
  });

  test("a stop while it waits for an engine is a stop", { timeout: 180_000 }, async () => {
    // It takes connections, and never answers.
    const silent = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void silent.close());
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const { environment } = newPlace({ DATABASE_URL: `postgres://x:y@127.0.0.1:${port}/x` });
    const { PATH = "", HOME = "" } = process.env;
    const options = { cwd: root, env: { PATH, HOME, ...environment }, stdio: "ignore" as const };
    const child = spawn(process.execPath, [join(root, "bin/proximal.js"), "serve", "--port", "0"], options);
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(silent, "connection");
    const askedAt = performance.now();
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(performance.now() - askedAt).toBeLessThan(10_000);
  });
});

const kafka = postgres === null || redis === null ? null : await privateKafka();

describe.skipIf(kafka === null)("roles with Kafka between", () => {
  test(
    `each is stopped under load and replaced: nothing accepted is lost, no request fails; seed ${seed}`,
    { timeout: patience },
    () => everyRoleIsReplacedUnderLoad({ KAFKA_BROKERS: kafka?.brokers ?? "" }, ["relay", "projector"]),
  );
});
