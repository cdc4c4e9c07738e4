// A child process: the least a Fastify server can do for the same answers. It is the limit that ours is held against.
// GET gives fixed bytes for each learner, its own or those of one key of Redis; POST checks the body with the very schema of POST /v1/interactions and gives fixed bytes.

import { fastify } from "fastify";
import { Redis } from "ioredis";
import { isInteractionInput } from "../../src/commands/interaction-input.ts";

export interface BareOrder {
  /** The answer for each learner, as the real server gave it: one for all would stay in the processor's cache, as no server's answers do. */
  readonly get: { readonly bodies: Readonly<Record<string, string>>; readonly type: string };
  /** Body and content type of the answer, likewise. */
  readonly post: { readonly body: string; readonly type: string; readonly status: number };
  /** Where GET reads the body from each time, by the learner's key; left out: it has it. */
  readonly redis?: { readonly url: string };
}

interface OfLearner {
  readonly Params: { readonly id: string };
}

process.once("message", async ({ get, post, redis }: BareOrder) => {
  const server = fastify();
  if (redis === undefined) {
    const bodies = new Map(Object.entries(get.bodies));
    server.get<OfLearner>("/v1/learners/:id/next", (request, reply) =>
      reply.type(get.type).send(bodies.get(request.params.id)),
    );
  } else {
    const client = new Redis(redis.url, { enableAutoPipelining: true });
    for (const [id, body] of Object.entries(get.bodies)) await client.set(`bench:next:${id}`, body);
    server.get<OfLearner>("/v1/learners/:id/next", async (request, reply) => {
      reply.type(get.type);
      return client.get(`bench:next:${request.params.id}`);
    });
  }
  server.post("/v1/interactions", (request, reply) => {
    if (!isInteractionInput(request.body)) return reply.status(400).send();
    return reply.status(post.status).type(post.type).send(post.body);
  });
  const url = await server.listen({ port: 0, host: "127.0.0.1" });
  process.send?.({ url });
});
process.once("SIGTERM", () => process.exit(0));
