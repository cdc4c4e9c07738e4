import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { Agent, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, test } from "vitest";
import { newPlace, publishChain, type Running, root, run, serve } from "./e2e/proximal.ts";
import { orSkip, privateRedis, sharedPostgres } from "./support/engines.ts";
import { findProgram, freePort, startServer, untilReady } from "./support/servers.ts";

const file = join(root, "infra/haproxy/haproxy.cfg");
const haproxy =
  findProgram("haproxy", ["/usr/sbin"]) ??
  orSkip({ skip: "HAProxy is not installed (no haproxy in PATH or /usr/sbin)" });
const postgres = await sharedPostgres();
const redis = await privateRedis();
const ports = {
  listen: await freePort(),
  metrics: await freePort(),
  api: [await freePort(), await freePort()] as const,
};
const [api1, api2] = ports.api.map((port) => `127.0.0.1:${port}`);
const env = {
  ...{
    LISTEN: `127.0.0.1:${ports.listen}`,
    METRICS: `127.0.0.1:${ports.metrics}`,
    API_1: api1 ?? "",
    API_2: api2 ?? "",
  },
  // Nobody there: questions go to the role api then.
  ...{ QUERY_1: "127.0.0.1:1", QUERY_2: "127.0.0.1:2", MAXCONN: "200" },
};
const url = `http://${env.LISTEN}`;

/** Servers of a backend by their state, as Prometheus is told. */
async function serversUp(backend: string): Promise<number> {
  const metrics = await (await fetch(`http://${env.METRICS}/metrics`)).text();
  const lines = metrics.split("\n").filter((line) => line.startsWith(`haproxy_server_status{proxy="${backend}"`));
  return lines.filter((line) => line.includes('state="UP"') && line.endsWith(" 1")).length;
}

test.skipIf(haproxy === null)("infra/haproxy/haproxy.cfg: the engine takes it, and each setting has a reason", () => {
  const { status, stdout, stderr } = spawnSync(haproxy ?? "", ["-c", "-f", file], { env, encoding: "utf8" });
  expect(status, `${stdout}${stderr}`).toBe(0);
  expect(`${stdout}${stderr}`).not.toMatch(/WARNING|ALERT/);
  const text = readFileSync(file, "utf8");
  for (const setting of ["timeout", "retry-on", "http-reuse", "balance", "default-server", "hard-stop-after"]) {
    expect(text, setting).toMatch(new RegExp(`#[^\\n]*\\n([ ]+[^#\\n]*\\n)*[ ]+${setting}\\b`));
  }
});

test.skipIf(haproxy === null)(
  "a question as soon as HAProxy listens goes to the one server that is there, of whatever role",
  async () => {
    const there = createServer((_request, response) => response.end("{}"));
    await once(there.listen(0, "127.0.0.1"), "listening");
    const { port } = there.address() as AddressInfo;
    for (const name of ["API_2", "QUERY_1"]) {
      const nobody = { API_1: "127.0.0.1:1", API_2: "127.0.0.1:2", QUERY_1: "127.0.0.1:3", QUERY_2: "127.0.0.1:4" };
      const folder = mkdtempSync(join(tmpdir(), "proximal-haproxy-"));
      const its = { cwd: folder, env: { ...env, ...nobody, [name]: `127.0.0.1:${port}` } };
      const server = startServer(haproxy ?? "", ["-f", file], folder, "SIGUSR1", its);
      const statuses: number[] = [];
      const question = async () => void statuses.push((await fetch(`${url}/v1/learners/early/next`)).status);
      await untilReady(server, question);
      for (let n = 0; n < 9; n += 1) await question();
      expect(statuses, name).toEqual(Array.from({ length: 10 }, () => 200));
      await server.stop();
    }
    there.close();
  },
);

describe.skipIf(haproxy === null || postgres === null || redis === null)("HAProxy before two processes", () => {
  const stops: (() => Promise<unknown>)[] = [];
  afterAll(async () => void (await Promise.all(stops.map((stop) => stop()))));

  test("a rolling restart under posts and reads: no request fails, and what was accepted is stored once", {
    timeout: 240_000,
  }, async () => {
    const place = newPlace({
      ...{ DATABASE_URL: (await postgres?.createDatabase()) ?? "", REDIS_URL: redis?.url ?? "" },
      ...{ PROXIMAL_TRUST_PROXY: "on", PROXIMAL_DRAIN_MS: "3000", PROXIMAL_STOP_TIMEOUT_MS: "30000" },
    });
    const scopes = ["client", "author", "analyst", "operator"].flatMap((scope) => ["--scope", scope]);
    const { key } = JSON.parse((await run(place, ["keys", "create", "--name", "test", "--json", ...scopes])).stdout);
    const start = (port: number): Promise<Running> =>
      serve({ ...place, key, environment: { ...place.environment } }, "--role", "api", "--port", String(port));
    const first = await start(ports.api[0]);
    const second = await start(ports.api[1]);
    const folder = mkdtempSync(join(tmpdir(), "proximal-haproxy-"));
    const server = startServer(haproxy ?? "", ["-f", file], folder, "SIGUSR1", { cwd: folder, env });
    stops.push(() => server.stop());
    const headers = { authorization: `Bearer ${key}` };
    const early: number[] = [];
    const comeEarly = async () => {
      early.push((await fetch(`${url}/v1/learners/early/next`, { headers })).status);
    };
    await untilReady(server, comeEarly);
    // Whoever comes as soon as it listens is answered, though those of the backend query are not there and were not checked yet.
    for (let n = 0; n < 9; n += 1) await comeEarly();
    expect(early).toEqual(Array.from({ length: 10 }, () => 200));
    await publishChain(first);

    const failures: string[] = [];
    let [stopped, answered] = [false, 0];
    const acknowledged = new Set<string>();
    const ask = async (agent: Agent, path: string, body?: unknown): Promise<{ status: number; body: string }> => {
      const headers = { authorization: `Bearer ${key}`, ...(body ? { "content-type": "application/json" } : {}) };
      const sent = httpRequest(`${url}${path}`, { agent, headers, method: body === undefined ? "GET" : "POST" });
      sent.end(body === undefined ? undefined : JSON.stringify(body));
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      return { status: response.statusCode ?? 0, body: await text(response) };
    };
    /** Each a client that keeps its connection, as apps do. */
    const client = async (name: string): Promise<void> => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let n = 0; !stopped; n += 1) {
        const id = `${name}-${n}`;
        const interaction = { id, learnerId: name, itemId: `add-${(n % 4) + 1}`, kind: "answer", correct: true };
        for (const [path, body] of [["/v1/interactions", interaction], [`/v1/learners/${name}/next`]] as const) {
          try {
            const reply = await ask(agent, path, body);
            if (reply.status >= 300) failures.push(`${path} ${reply.status} ${reply.body}`);
            else answered += 1;
            if (body !== undefined && reply.status === 201) acknowledged.add(id);
          } catch (error) {
            failures.push(`${path} ${error}`);
          }
        }
      }
      agent.destroy();
    };
    const clients = Promise.all(["ann", "bob", "cy", "di"].map(client));
    const more = async (n: number): Promise<void> => {
      const wanted = answered + n;
      await expect.poll(() => answered, { timeout: 60_000 }).toBeGreaterThan(wanted);
    };
    await more(40);
    for (const [old, port] of [
      [first, ports.api[0]],
      [second, ports.api[1]],
    ] as const) {
      expect(await old.end("SIGTERM")).toBe(0);
      await more(20);
      await start(port);
      await expect.poll(() => serversUp("api"), { timeout: 60_000 }).toBe(2);
      await more(20);
    }
    stopped = true;
    await clients;
    expect(failures).toEqual([]);
    const exported = await run(place, ["events", "export"]);
    const stored = exported.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).data.interactionId)
      .filter((id) => id !== undefined);
    expect(new Set(stored).size).toBe(stored.length);
    expect(stored.sort()).toEqual([...acknowledged].sort());
    // What operators ask of a process is not to be had from outside.
    for (const path of ["/metrics", "/readyz", "/healthz"]) expect((await fetch(`${url}${path}`)).status).toBe(404);
  });
});
