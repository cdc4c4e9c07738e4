import { randomUUID } from "node:crypto";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import { pino } from "pino";
import { createMemoryApiKeys } from "../../src/adapters/api-keys/memory.ts";
import { createMemoryBlobs } from "../../src/adapters/blobs/memory.ts";
import { createMemoryLog } from "../../src/adapters/event-store/memory.ts";
import { createMemoryPresence } from "../../src/adapters/presence/memory.ts";
import { createMemoryReadModels } from "../../src/adapters/read-models/memory.ts";
import { createApiKey } from "../../src/commands/api-keys.ts";
import { learnerModels } from "../../src/domain/learner-model/models.ts";
import { buildServer } from "../../src/http/server.ts";
import type { ServerDeps } from "../../src/http/server-deps.ts";
import type { Scope } from "../../src/ports/api-keys.ts";
import { createCatalogueFollower } from "../../src/workers/catalogue-follower.ts";
import { createModelFollower } from "../../src/workers/model-follower.ts";
import { createProjector } from "../../src/workers/projector.ts";
import { memoryReplays } from "./replays.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
}

export interface CallOptions {
  /** Key to send; the operator's when left out, none for null. */
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
  /** Sent as it is when a string or bytes, else as JSON. */
  readonly body?: unknown;
}

export interface TestApi {
  readonly app: FastifyInstance;
  readonly deps: ServerDeps;
  readonly operatorKey: string;
  /** Milliseconds added to the clock of everything. */
  readonly clock: { now(): number; advance(ms: number): void };
  /** Everything logged so far, at every level. */
  readonly logged: string[];
  key(...scopes: Scope[]): Promise<string>;
  call(method: "GET" | "POST" | "DELETE" | "OPTIONS", url: string, options?: CallOptions): Promise<Reply>;
  /** Resolves once projections and catalogue hold everything in the log. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** The whole service in memory: log, projections, HTTP; nothing is faked. `override` replaces single dependencies. */
export async function startTestApi(override: (deps: ServerDeps) => Partial<ServerDeps> = () => ({})): Promise<TestApi> {
  const memoryLog = createMemoryLog();
  const readModels = createMemoryReadModels();
  const apiKeys = createMemoryApiKeys();
  const blobs = createMemoryBlobs();
  const logged: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void logged.push(line) });
  let ahead = 0;
  const clock = {
    now: () => Date.now() + ahead,
    advance: (ms: number) => {
      ahead += ms;
    },
  };
  const learnerModel = learnerModels["lr-full"];
  const catalogue = createCatalogueFollower({ feed: memoryLog, log, pauseMs: 1 });
  const model = createModelFollower({ feed: memoryLog, blobs, model: learnerModel, log });
  const projector = createProjector(
    { feed: memoryLog, store: memoryLog, blobs, readModels, model: learnerModel, clock, log },
    { popularTickMs: 10 },
  );
  await Promise.all([catalogue.start(), model.catchUp(), projector.start()]);
  const base: ServerDeps = {
    ...{ eventStore: memoryLog, feed: memoryLog, readModels, blobs, catalogue, model, apiKeys, clock },
    randomId: randomUUID,
    log: log as unknown as FastifyBaseLogger,
    followers: [
      { name: "learners", position: async () => projector.position() },
      {
        name: "catalogue",
        filter: { categories: ["item", "skill", "track"] },
        position: async () => catalogue.position(),
      },
    ],
    operations: projector.operations,
    parkedHere: () => projector.parked().length,
    presence: createMemoryPresence(clock),
    replays: memoryReplays({ clock }).replays,
  };
  const deps = { ...base, ...override(base) };
  const app = await buildServer(deps);
  const makeKey = async (...scopes: Scope[]): Promise<string> =>
    (await createApiKey({ apiKeys, clock }, { name: scopes.join(" "), scopes })).key;
  const operatorKey = await makeKey("operator");
  return {
    ...{ app, deps, operatorKey, clock, logged, key: makeKey },
    async call(method, url, { key = operatorKey, headers = {}, body } = {}) {
      const raw = typeof body === "string" || Buffer.isBuffer(body);
      const response = await app.inject({
        ...{ method, url },
        headers: {
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { payload: raw ? body : JSON.stringify(body) }),
      });
      return {
        ...{ status: response.statusCode, headers: response.headers, text: response.body },
        get json() {
          return JSON.parse(response.body);
        },
      };
    },
    async settled() {
      await catalogue.catchUp();
      await projector.caughtUp();
    },
    async stop() {
      await app.close();
      await Promise.all([projector.stop(), catalogue.stop(), model.stop()]);
    },
  };
}

/** A small course: counting before adding before multiplying, five items each, and a track of all of it. */
export async function publishCourse(api: TestApi): Promise<void> {
  const skills = ["counting", "adding", "multiplying"];
  await expectOk(
    api.call("POST", "/v1/skills", {
      body: skills.map((skillId, at) => ({
        ...{ skillId, title: `The skill of ${skillId}` },
        prerequisites: at === 0 ? [] : [{ skillId: skills[at - 1] }],
      })),
    }),
  );
  const items = skills.flatMap((skillId) =>
    [1, 2, 3, 4, 5].map((n) => ({
      ...{ itemId: `${skillId}-${n}`, title: `${skillId} no. ${n}`, skillIds: [skillId], difficulty: n - 3 },
    })),
  );
  await expectOk(api.call("POST", "/v1/items", { body: items }));
  await expectOk(
    api.call("POST", "/v1/tracks", { body: { trackId: "arithmetic", title: "Arithmetic", skillIds: skills } }),
  );
  await api.settled();
}

async function expectOk(reply: Promise<Reply>): Promise<void> {
  const { status, text, json } = await reply;
  if (status >= 300 || json.refused > 0) throw new Error(text);
}

let answers = 0;
/** An answer fit to be posted; each has its own id. */
export function answer(learnerId: string, itemId: string, correct = true): Record<string, unknown> {
  answers += 1;
  return { id: `answer-${answers}`, learnerId, itemId, kind: "answer", correct, durationMs: 4_000 };
}
