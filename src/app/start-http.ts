import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import type { Logger } from "pino";
import {
  buildOperatorServer,
  buildServer,
  type OperatorDeps,
  type ServerDeps,
  type ServerOptions,
} from "../http/server.ts";
import type { Config } from "./config.ts";
import { Explained } from "./explained.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { urlOf } from "./url.ts";
import { reasonOf } from "./wait-for-engine.ts";

/** The address is not to be had: one line that says what to do. */
export class CannotListen extends Explained {
  override readonly name = "CannotListen";
}

type Given<Deps> = Omit<Deps, "clock" | "randomId" | "log" | "leaving" | "options">;

/**
 * Listens, and resolves with the address as reached from this machine. With `answering` it serves commands and queries,
 * without only operators. Its undo leaves first (see http/drain.ts), then answers what is under way.
 */
export async function startHttp(
  config: Config,
  given: Given<OperatorDeps>,
  answering: Omit<ServerDeps, keyof OperatorDeps> | null,
  life: Lifecycle,
  log: Logger,
): Promise<string> {
  const leaving = new AbortController();
  const deps: OperatorDeps = {
    ...given,
    ...{ clock: { now: Date.now }, randomId: randomUUID, log: log as unknown as FastifyBaseLogger },
    ...{ leaving: leaving.signal, options: serverOptions(config) },
  };
  const app = await life.acquire(
    "HTTP",
    () => (answering === null ? buildOperatorServer(deps) : buildServer({ ...deps, ...answering })),
    async (server) => {
      leaving.abort();
      if (server.server.listening) await sleep(config.drainMs);
      await server.close();
    },
  );
  return listen(app, config);
}

function serverOptions(config: Config): ServerOptions {
  return {
    rateLimitPerMinute: config.rateLimitPerMinute === 0 ? null : config.rateLimitPerMinute,
    corsOrigins: config.corsOrigins,
    bodyLimit: config.bodyLimitBytes,
    ndjsonLineLimit: config.lineLimitBytes,
    openMetrics: config.openMetrics,
    staleAfterSeconds: config.staleAfterSeconds,
    freshnessWaitMs: config.afterWaitMs,
    shedDelayMs: config.shedDelayMs,
    servedShare: config.servedSample,
    rowBytesMax: config.rowCacheMegabytes * 1024 * 1024,
    warmUpMs: config.warmUpMs,
    trustProxy: config.trustProxy,
    readOnly: config.role === "query",
    groupCommit: {
      ...{ delayMs: config.groupCommitDelayMs, maxBatch: config.groupCommitEvents },
      ...{ maxWaitMs: config.ingestWaitMs, maxQueued: config.ingestQueue },
    },
  };
}

async function listen(app: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      throw new CannotListen(`port ${port} on ${host} is in use: stop what runs there, or start with --port (PORT)`);
    }
    throw new CannotListen(`cannot listen on ${host}:${port} (HOST, PORT): ${reasonOf(error)}`, { cause: error });
  }
  const address = app.server.address() as AddressInfo;
  return urlOf({ host, port: address.port });
}
