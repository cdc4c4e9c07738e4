import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { privateRedis, sharedPostgres } from "../support/engines.ts";
import { eventually, newPlace, publishChain, type Running, run, serve } from "./proximal.ts";

// Tries to break several processes on one port: one is killed in a flood of posts, limits are shared, a stop drops nobody.

const postgres = await sharedPostgres();
const redis = await privateRedis();
/** Each log has rows of its own. */
let database = 0;

async function newCluster(more: Readonly<Record<string, string>> = {}) {
  database += 1;
  const place = newPlace({
    ...{ DATABASE_URL: (await postgres?.createDatabase()) ?? "", REDIS_URL: `${redis?.url}/${database}` },
    ...{ LOG_LEVEL: "info", LOG_FORMAT: "json", PROXIMAL_PROCESSES: "2", ...more },
  });
  const scopes = ["client", "author", "analyst", "operator"].flatMap((scope) => ["--scope", scope]);
  const { stdout } = await run(place, ["keys", "create", "--name", "test", "--json", ...scopes]);
  return serve({ ...place, key: JSON.parse(stdout).key }, "--role", "api");
}

/** On a connection of its own: connections are dealt out to the workers in turn. */
async function post(server: Running, id: string): Promise<number> {
  const response = await fetch(`${server.url}/v1/interactions`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, "content-type": "application/json", connection: "close" },
    body: JSON.stringify({ id, learnerId: `learner-${id.length}`, itemId: "add-1", kind: "answer", correct: true }),
  });
  await response.text();
  return response.status;
}

/** Process ids of workers in the order in which they began to serve. */
function workersOf(server: Running): number[] {
  const lines = server.output().stderr.split("\n");
  return lines.flatMap((line) => (line.includes('"worker serves"') ? [JSON.parse(line).worker as number] : []));
}

async function metricOf(server: Running, line: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(
    text
      .split("\n")
      .find((one) => one.startsWith(`${line} `))
      ?.slice(line.length + 1),
  );
}

async function storedIds(server: Running): Promise<Set<string>> {
  const response = await fetch(`${server.url}/v1/events?type=InteractionRecorded`, {
    headers: { authorization: `Bearer ${server.key}` },
  });
  const lines = (await response.text()).split("\n").filter((line) => line !== "");
  return new Set(lines.map((line) => JSON.parse(line).data.interactionId));
}

describe.skipIf(postgres === null || redis === null)("processes on one port", () => {
  test("kill -9 of one under load: nothing accepted is lost, the other goes on, and it is replaced", {
    timeout: 180_000,
  }, async () => {
    const server = await newCluster();
    await publishChain(server);
    await expect.poll(() => workersOf(server).length).toBe(2);
    const [accepted, failed]: [string[], unknown[]] = [[], []];
    let killed = false;
    let acceptedSince = 0;
    let flooding = true;
    const callers = Array.from({ length: 8 }, async (_, caller) => {
      for (let n = 0; flooding; n += 1) {
        const id = `${"x".repeat(caller % 7)}-${caller}-${n}`;
        try {
          const status = await post(server, id);
          if (status !== 201) throw new Error(`answered with ${status}`);
          accepted.push(id);
          if (killed) acceptedSince += 1;
        } catch (error) {
          failed.push(error);
        }
      }
    });
    await expect.poll(() => accepted.length, { timeout: 60_000 }).toBeGreaterThan(100);
    const [victim = 0] = workersOf(server);
    process.kill(victim, "SIGKILL");
    killed = true;
    await expect.poll(() => acceptedSince, { timeout: 60_000 }).toBeGreaterThan(100);
    await expect.poll(() => workersOf(server).length, { timeout: 60_000 }).toBe(3);
    flooding = false;
    await Promise.all(callers);
    // What was on its way to the one that died, and no more.
    expect(failed.length).toBeLessThanOrEqual(8);
    const stored = await storedIds(server);
    expect(accepted.filter((id) => !stored.has(id))).toEqual([]);

    // Metrics are those of all, whoever is asked.
    expect(await metricOf(server, 'cluster_workers{state="alive"}')).toBe(2);
    expect(await metricOf(server, 'cluster_worker_exits_total{by="SIGKILL"}')).toBe(1);
    const before = await metricOf(server, 'interactions_total{status="accepted"}');
    for (let n = 0; n < 10; n += 1) expect(await post(server, `counted-${n}`)).toBe(201);
    expect(await metricOf(server, 'interactions_total{status="accepted"}')).toBe(before + 10);
    expect(await server.end("SIGTERM")).toBe(0);
    expect(server.output().stderr).toContain("proximal: stopped; everything accepted is in the log");
  });

  test("a rate limit is that of all together, but for a tenth of a second", { timeout: 180_000 }, async () => {
    const limit = 60;
    const server = await newCluster({ PROXIMAL_RATE_LIMIT: String(limit) });
    // Not across the turn of a minute.
    await sleep(Math.max(0, new Date().getSeconds() > 45 ? (60 - new Date().getSeconds()) * 1000 + 100 : 0));
    const statuses: number[] = [];
    for (let n = 0; n < 2 * limit; n += 1) {
      statuses.push(await post(server, `${n}`));
      await sleep(10);
    }
    const passed = statuses.filter((status) => status !== 429).length;
    expect(passed).toBeGreaterThanOrEqual(limit);
    expect(passed).toBeLessThan(limit * 1.5);
    expect(await server.end("SIGTERM")).toBe(0);
  });

  test("one process that does everything refuses it, in one line", { timeout: 180_000 }, async () => {
    const { code, stderr } = await run(newPlace({ PROXIMAL_PROCESSES: "auto" }), ["serve", "--port", "0"]);
    expect({ code, stderr }).toEqual({
      code: 64,
      stderr:
        "proximal: PROXIMAL_PROCESSES=auto (--processes) is for the roles api and query: the embedded log, rows in memory and what folds them belong to one process\n",
    });
  });

  test("what is wrong is said once, and the exit code is that of a process by itself", {
    timeout: 180_000,
  }, async () => {
    const place = newPlace({ DATABASE_URL: "postgres://nobody@127.0.0.1:1/none", REDIS_URL: redis?.url ?? "" });
    const args = ["serve", "--role", "api", "--processes", "3", "--port", "0"];
    const { code, stderr } = await run({ environment: { ...place.environment, PROXIMAL_START_TIMEOUT_S: "0" } }, args);
    expect(code).toBe(1);
    expect(stderr.split("\n").filter((line) => line.startsWith("proximal: PostgreSQL"))).toHaveLength(1);
  });

  test("a worker told to end leaves politely and is replaced", { timeout: 180_000 }, async () => {
    const server = await newCluster();
    await expect.poll(() => workersOf(server).length).toBe(2);
    const failures: unknown[] = [];
    let asking = true;
    const callers = Array.from({ length: 4 }, async (_, caller) => {
      for (let n = 0; asking; n += 1) {
        const status = await post(server, `${caller}-${n}`).catch((error: unknown) => error);
        // Sent away while it stops: 503 with Retry-After.
        if (status !== 201 && status !== 503) failures.push(status);
        await sleep(5);
      }
    });
    process.kill(workersOf(server)[0] ?? 0, "SIGTERM");
    await eventually(
      "a third worker",
      async () => workersOf(server).length,
      (count) => count === 3,
      90_000,
    );
    asking = false;
    await Promise.all(callers);
    expect(failures).toEqual([]);
    expect(await server.end("SIGINT")).toBe(0);
  });
});
