import { setTimeout as sleep } from "node:timers/promises";
import { startPostgres } from "../../test/support/postgres.ts";
import { startRedis } from "../../test/support/redis.ts";
import { freePort } from "../../test/support/servers.ts";
import { answer, items, learnerOf, skills, track } from "./course.ts";
import { linesOf, type NodeProcess, onEnd, startNode } from "./processes.ts";

/** Proximal as it is deployed, on engines of its own, and the ways in that the bench needs. */
export interface App {
  readonly url: string;
  readonly key: string;
  readonly server: NodeProcess;
  /** Settings it was started with. */
  readonly env: Readonly<Record<string, string>> & { readonly DATABASE_URL: string; readonly REDIS_URL: string };
  request(method: "GET" | "POST", path: string, body?: unknown): Promise<Reply>;
  /**
   * Starts a second process on the same engines that answers and does nothing else, as where each role has its process,
   * with these settings besides. The first stands still until this one is stopped: on two cores it would be measured too.
   */
  startApiOnly(
    settings?: Readonly<Record<string, string>>,
  ): Promise<Pick<App, "url" | "server"> & { stop(): Promise<void> }>;
  /** Resolves when every projection has folded in all that stands in the log now. */
  caughtUp(): Promise<void>;
}

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Starts PostgreSQL (fsync on), Redis and Proximal. Throws where an engine is not installed. */
export async function startApp(): Promise<App> {
  const postgres = await startPostgres();
  if ("skip" in postgres) throw new Error(postgres.skip);
  onEnd(() => postgres.stop());
  const redis = await startRedis({ settings: { "maxmemory-policy": "noeviction" } });
  if ("skip" in redis) throw new Error(redis.skip);
  onEnd(() => redis.stop());
  const databaseUrl = await postgres.createDatabase();
  const port = await freePort();
  const env = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redis.url,
    PORT: String(port),
    HOST: "127.0.0.1",
    PROXIMAL_RATE_LIMIT: "0",
    // What makes the event loop late here is the machine: a refused request would be one that was not measured.
    PROXIMAL_SHED_DELAY_MS: "10000",
    LOG_LEVEL: "warn",
  };
  const create = ["keys", "create", "--name", "bench", "--json"];
  const scopes = ["client", "author", "analyst", "operator"].flatMap((scope) => ["--scope", scope]);
  const { key } = JSON.parse((await linesOf("bin/proximal.js", [...create, ...scopes], env)).join("\n"));
  const app = startServe(env, key);
  await untilReady(app);
  return {
    ...{ ...app, key, env },
    startApiOnly: (settings = {}) => startApiOnly(app, { ...env, ...settings }, key),
    caughtUp: () => untilCaughtUp(app.request),
  };
}

async function startApiOnly(
  { server: { pid } }: Pick<App, "server">,
  env: { readonly PORT: string },
  key: string,
): ReturnType<App["startApiOnly"]> {
  const role = { PROXIMAL_ROLE: "api" };
  const api = startServe({ ...env, ...role, PORT: String(await freePort()) }, key);
  await untilReady(api);
  process.kill(pid, "SIGSTOP");
  const goOn = (): void => void process.kill(pid, "SIGCONT");
  const stop = async (): Promise<void> => {
    goOn();
    await api.server.stop();
  };
  // A stopped process does not hear that it is to end.
  onEnd(async () => goOn());
  return { ...api, stop };
}

/** Starts `proximal serve`, and does not wait for it. */
export function startServe(env: { readonly PORT: string }, key: string): Pick<App, "url" | "server" | "request"> {
  const url = `http://127.0.0.1:${env.PORT}`;
  return { url, server: startNode("bin/proximal.js", ["serve"], env), request: requesting(url, key) };
}

function requesting(url: string, key: string): App["request"] {
  return async (method, path, body) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text.slice(0, 500)}`);
    return { status: response.status, type: response.headers.get("content-type") ?? "", text };
  };
}

async function untilReady({ request, server: { child } }: Pick<App, "request" | "server">): Promise<void> {
  for (const end = Date.now() + 180_000; ; await sleep(50)) {
    const ended = child.exitCode ?? child.signalCode;
    if (ended !== null) throw new Error(`proximal serve ended with ${ended}`);
    try {
      await request("GET", "/readyz");
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

async function untilCaughtUp(request: App["request"]): Promise<void> {
  for (const end = Date.now() + 300_000; Date.now() < end; await sleep(100)) {
    const { projections } = JSON.parse((await request("GET", "/v1/ops/lag")).text);
    if (projections.every((lag: { behindEvents: number }) => lag.behindEvents === 0)) return;
  }
  throw new Error("the projections did not catch up within 5 minutes");
}

/** Publishes the course and posts a history for each learner, so that next lists are personal. */
export async function seed(app: App, learners: number, answersEach: number): Promise<void> {
  await app.request("POST", "/v1/skills", skills);
  await app.request("POST", "/v1/items", items);
  await app.request("POST", "/v1/tracks", track);
  for (let n = 0; n < answersEach; n += 1) {
    for (let from = 0; from < learners; from += 500) {
      const count = Math.min(500, learners - from);
      const batch = Array.from({ length: count }, (_, i) => answer(from + i, n));
      await app.request("POST", "/v1/interactions", batch);
    }
  }
  await app.caughtUp();
}

export const nextPath = (learner: number): string => `/v1/learners/${learnerOf(learner)}/next`;
