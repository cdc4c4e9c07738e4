// A child process: the least a Fastify server can do for the same answer. It is the limit that ours is held against.
// GET gives fixed bytes, its own or those of one key of Redis; POST checks the body with the very schema of POST /v1/interactions and gives fixed bytes.

import { fastify } from "fastify";
import { Redis } from "ioredis";
import { isInteractionInput } from "../../src/commands/interaction-input.ts";

export interface BareOrder {
  /** Body and content type of each answer, as the real server gave them. */
  readonly get: { readonly body: string; readonly type: string };
  readonly post: { readonly body: string; readonly type: string; readonly status: number };
  /** Where GET reads its body from each time; left out: it has it. */
  readonly redis?: { readonly url: string; readonly key: string };
}

process.once("message", async ({ get, post, redis }: BareOrder) => {
  const server = fastify();
  if (redis === undefined) {
    server.get("/v1/learners/:id/next", (_request, reply) => reply.type(get.type).send(get.body));
  } else {
    const client = new Redis(redis.url, { enableAutoPipelining: true });
    await client.set(redis.key, get.body);
    server.get("/v1/learners/:id/next", async (_request, reply) => {
      reply.type(get.type);
      return client.get(redis.key);
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
