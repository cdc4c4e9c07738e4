import { describe, expect, test } from "vitest";
import { newPlace, publishChain, type Running, serve } from "../e2e/proximal.ts";
import { privatePostgres, privateRedis } from "../support/engines.ts";

// Tries to break the circuit breakers of a whole process: an engine dies and comes back under posts and queries.

const postgres = await privatePostgres({ fsync: false });
const redis = await privateRedis();

const post = async (server: Running, id: string) => {
  const startedAt = performance.now();
  const response = await fetch(`${server.url}/v1/interactions`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify({ id, learnerId: "ada", itemId: "add-1", kind: "answer", correct: true }),
  });
  const { code } = (await response.json()) as { code?: string };
  const retryAfter = response.headers.get("retry-after");
  return { status: response.status, code, retryAfter, ms: performance.now() - startedAt };
};

const metric = async (server: Running, line: string): Promise<number> => {
  const found = (await (await fetch(`${server.url}/metrics`)).text()).split("\n").find((one) => one.startsWith(line));
  return Number(found?.slice(line.length));
};

async function untilPost(server: Running, wanted: string | undefined, prefix: string) {
  for (let n = 0; ; n += 1) {
    const answer = await post(server, `${prefix}-${n}`);
    if (answer.code === wanted) return { ...answer, n };
    if (n > 400) throw new Error(`no post was answered with ${wanted}; the last: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe.skipIf(postgres === null || redis === null)("an engine dies under load", () => {
  test("posts are refused at once while PostgreSQL is down, queries go on, and all is well again after", {
    timeout: 180_000,
  }, async () => {
    const place = newPlace({ DATABASE_URL: (await postgres?.createDatabase()) ?? "", REDIS_URL: redis?.url ?? "" });
    const server = await serve(place);
    await publishChain(server);
    expect((await post(server, "before")).status).toBe(201);

    await postgres?.crash();
    const open = await untilPost(server, "log_circuit_open", "during");
    expect(open).toMatchObject({ status: 503, retryAfter: "1" });
    // Which of the process's many statements finds it open does not matter: it is the server that is gone.
    const refusals = await Promise.all(Array.from({ length: 50 }, (_, n) => post(server, `refused-${n}`)));
    const atOnce = refusals.filter(({ code }) => code === "log_circuit_open");
    expect(atOnce.length).toBeGreaterThanOrEqual(45);
    expect(atOnce.map(({ ms }) => ms).toSorted((a, b) => a - b)[atOnce.length >> 1]).toBeLessThan(500);
    expect((await server.get("/v1/learners/ada/next?count=1")).status).toBe(200);
    expect(await metric(server, 'engine_breaker_opened_total{engine="postgresql"} ')).toBeGreaterThan(0);

    await postgres?.restart("immediate");
    await untilPost(server, undefined, "after");
    expect(await metric(server, 'engine_breaker_state{engine="postgresql"} ')).toBe(0);
    const history = await server.get("/v1/learners/ada/history?count=100");
    const stored: string[] = history.body.events.map(
      (one: { data: { interactionId: string } }) => one.data.interactionId,
    );
    expect(stored).toContain("before");
    const notAsked = refusals.flatMap(({ code }, n) => (code === "log_circuit_open" ? [`refused-${n}`] : []));
    expect(stored.filter((id) => notAsked.includes(id))).toEqual([]);
    const { stderr } = server.output();
    expect(stderr).toContain("circuit open: engine not asked");
    expect(await server.end("SIGINT")).toBe(0);
  });
});
