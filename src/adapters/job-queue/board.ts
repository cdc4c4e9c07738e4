import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import { Queue } from "bullmq";
import { newRedis, prefix } from "./bullmq.ts";

export interface JobsBoard {
  /** The page of the queues as a plugin of Fastify, to be registered under this path. */
  plugin(path: string): ReturnType<FastifyAdapter["registerPlugin"]>;
  close(): Promise<void>;
}

/** Looks at queues that others work on. Connects when it is asked for something, so a Redis that is away keeps nobody from starting. */
export function createJobsBoard(options: { readonly url: string; readonly queues: readonly string[] }): JobsBoard {
  const connection = newRedis(options.url, { maxRetriesPerRequest: 1 });
  // Whoever looks is told; the queues themselves are watched by those that work on them.
  connection.on("error", () => undefined);
  const queues = options.queues.map((name) => {
    const queue = new Queue(name, { connection, prefix, skipMetasUpdate: true });
    queue.on("error", () => undefined);
    return queue;
  });
  return {
    plugin(path) {
      const serverAdapter = new FastifyAdapter().setBasePath(path);
      createBullBoard({
        queues: queues.map((queue) => new BullMQAdapter(queue)),
        serverAdapter,
        options: { uiConfig: { boardTitle: "Proximal: jobs", hideRedisDetails: true } },
      });
      return serverAdapter.registerPlugin();
    },
    async close() {
      for (const queue of queues) await queue.close();
      connection.disconnect();
    },
  };
}
