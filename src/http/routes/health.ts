import type { FastifyRequest } from "fastify";
import pTimeout from "p-timeout";
import { z } from "zod";
import { presentedKey } from "../authentication.ts";
import { Problem } from "../problem.ts";
import { problemResponses } from "../schemas.ts";
import type { App, OperatorServices } from "../services.ts";

const readySchema = z.object({
  status: z.literal("ready"),
  position: z.number().int().optional().describe("Of the log's end; not where engines were excluded"),
});

/** What all processes of a deployment share: where it fails, it fails for each of them. */
const shared = ["projections", "engines"] as const;
const readyQuery = z.object({
  exclude: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(z.enum(shared)))
    .optional()
    .describe(
      `Not to be looked at: ${shared.join(", ")}, or both with a comma between. A balancer excludes both: what all processes share is no reason to send nobody anywhere.`,
    ),
});

/** Readiness is asked by anyone and often; what it takes to know is done once a second at most. */
const keepMs = 1_000;
const answerWithinMs = 2_000;

export function healthRoutes(app: App, services: OperatorServices): void {
  const { deps } = services;
  const readiness = createReadiness(services);

  app.route({
    method: "GET",
    url: "/healthz",
    schema: {
      tags: ["operators"],
      summary: "The process answers",
      security: [],
      response: { 200: z.object({ status: z.literal("ok") }) },
    },
    handler: async () => ({ status: "ok" as const }),
  });

  app.route({
    method: "GET",
    url: "/readyz",
    schema: {
      tags: ["operators"],
      summary: "Log and read models answer, and no projection is stale or was never started",
      security: [],
      querystring: readyQuery,
      response: { 200: readySchema, ...problemResponses },
    },
    async handler({ query: { exclude = [] } }) {
      if (deps.leaving?.aborted) throw new Problem("not_ready", { detail: "It is stopping.", retryAfterSeconds: 1 });
      if (shared.every((one) => exclude.includes(one))) return { status: "ready" as const };
      const known = await readiness();
      const faults = known.faults.filter(({ path }) => !exclude.includes(path === "engines" ? path : "projections"));
      if (faults.length === 0) return { status: "ready" as const, position: known.position };
      const errors = faults.map(({ path, message }) => ({ path, message }));
      const detail = errors.map(({ path, message }) => `${path}: ${message}`).join("; ");
      throw new Problem("not_ready", { detail, errors, retryAfterSeconds: 1 });
    },
  });

  app.route({
    method: "GET",
    url: "/metrics",
    schema: {
      tags: ["operators"],
      summary: "Metrics in Prometheus' text format; from this machine, or with an operator's key",
      response: {
        200: { description: "Metrics", content: { "text/plain": { schema: z.string() } } },
        ...problemResponses,
      },
    },
    async handler(request, reply) {
      await checkMetricsAccess(request, services);
      const { registry } = services.metrics;
      reply.type(registry.contentType);
      return reply.send((await (deps.siblings ?? registry).metrics()) as never);
    },
  });
}

interface Readiness {
  readonly faults: readonly { path: string; message: string }[];
  readonly position: number;
}

function createReadiness({ standings, deps, options }: OperatorServices): () => Promise<Readiness> {
  let asked: Promise<Readiness> | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;

  async function look(): Promise<Readiness> {
    try {
      const engines = Promise.all((deps.engines ?? []).map(({ answers }) => answers()));
      const late = { milliseconds: answerWithinMs, message: `no answer within ${answerWithinMs} ms` };
      const [lags, position] = await pTimeout(Promise.all([standings(), deps.feed.head(), engines]), late);
      const faults = lags.flatMap(({ projection, partition, started, behindSeconds, behindEvents }) => {
        const path = `${projection}/${partition}`;
        if (!started) return [{ path, message: "never started" }];
        if (behindSeconds <= options.staleAfterSeconds) return [];
        return [{ path, message: `${behindEvents} events and ${Math.round(behindSeconds)} s behind` }];
      });
      return { faults, position };
    } catch (error) {
      deps.log.warn({ err: error }, "not ready: an engine does not answer");
      const others = (deps.engines ?? []).map(({ name }) => name);
      const names = ["the log", "the read models", ...others].join(" or ");
      return { faults: [{ path: "engines", message: `${names} do not answer` }], position: 0 };
    }
  }

  return () => {
    const now = performance.now();
    if (asked === null || now - askedAt > keepMs) {
      askedAt = now;
      asked = look();
    }
    return asked;
  };
}

/** Behind a proxy on this machine everything seems to come from here, so a forwarded request never counts as local. */
async function checkMetricsAccess(
  request: FastifyRequest,
  { options, authenticator }: OperatorServices,
): Promise<void> {
  if (options.openMetrics) return;
  const { headers } = request;
  const address = request.socket.remoteAddress ?? "";
  const loopback = address === "::1" || address.startsWith("127.") || address.startsWith("::ffff:127.");
  if (loopback && headers["x-forwarded-for"] === undefined && headers.forwarded === undefined) return;
  const key = presentedKey(headers);
  const caller = key === null ? null : await authenticator.verify(key);
  if (caller?.scopes.has("operator")) return;
  if (caller !== null) throw new Problem("forbidden", { detail: "This needs a key with the scope operator." });
  throw new Problem("unauthenticated", { detail: "Metrics are for this machine or for an operator's key." });
}
