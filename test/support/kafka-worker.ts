import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { openPostgresBlobs } from "../../src/adapters/blobs/postgres.ts";
import { createPostgres } from "../../src/adapters/engines/postgres.ts";
import { openPostgresLog } from "../../src/adapters/event-store/postgres/log.ts";
import { openKafka } from "../../src/adapters/event-stream/kafka.ts";
import { openPostgresLease } from "../../src/adapters/lease/postgres.ts";
import { openRedisReadModels } from "../../src/adapters/read-models/redis.ts";
import type { LearnerModel } from "../../src/domain/learner-model/learner-model.ts";
import { lrLite } from "../../src/domain/learner-model/models.ts";
import { createRelay } from "../../src/workers/relay.ts";
import { createStreamProjector } from "../../src/workers/stream-projector.ts";

/**
 * A process to be killed: a relay or a projector on real engines, as a role of the product is. It says `ready` on a line
 * once it takes part, and ends on SIGTERM in good order.
 *
 *     node kafka-worker.ts relay|projector '{"postgres": ..., "redis": ..., "brokers": ..., "topic": ..., "partitions": ...}'
 */
export const workerEngines = z.object({
  postgres: z.string(),
  redis: z.string(),
  brokers: z.string(),
  topic: z.string(),
  partitions: z.number(),
  /** Of a relay: how long it sleeps between the stream's acknowledgement and the saving of its position. */
  saveEveryMs: z.number().default(100),
});
export type WorkerEngines = z.input<typeof workerEngines>;

const log = {
  debug() {},
  info() {},
  warn: (fields: object, message: string) => tell("warn", fields, message),
  error: (fields: object, message: string) => tell("error", fields, message),
};

function tell(level: string, fields: object, message: string): void {
  const err = "err" in fields ? String(fields.err) : "";
  process.stderr.write(`${new Date().toISOString()} ${process.pid} ${level} ${message} ${err}\n`);
}

async function main(role: string, engines: z.infer<typeof workerEngines>): Promise<void> {
  const { topic, partitions } = engines;
  const sql = createPostgres({ url: engines.postgres, connections: 2 });
  const events = await openPostgresLog({ sql });
  const blobs = await openPostgresBlobs({ sql });
  const stream = await openKafka({
    brokers: [engines.brokers],
    topic,
    partitions,
    log,
    deadlineMs: 5_000,
    times: { sessionMs: 2_000, heartbeatMs: 300, rebalanceMs: 6_000, silenceMs: 4_000, restartMs: 100, leaveMs: 3_000 },
  });
  const end: (() => Promise<void>)[] = [];
  if (role === "relay") {
    const lease = await openPostgresLease({ sql });
    const relay = createRelay(
      { feed: events, stream, blobs, lease, holder: String(process.pid), log },
      { batchSize: 100, leaseMs: 1_500, saveEveryMs: engines.saveEveryMs, markEveryMs: 200, remindEveryMs: 1_000 },
    );
    await relay.start();
    end.push(() => relay.stop());
  } else {
    const readModels = await openRedisReadModels({ url: engines.redis });
    const model = lrLite as LearnerModel;
    const projector = createStreamProjector(
      { feed: events, store: events, blobs, readModels, model, clock: { now: () => Date.now() }, log, stream },
      { batchSize: 50, viewPollMs: 200, listSize: 8, learnersInMemory: 50 },
    );
    await projector.start();
    end.push(
      () => projector.stop(),
      () => readModels.close(),
    );
  }
  process.once("SIGTERM", () => {
    void (async () => {
      for (const stop of end) await stop();
      await stream.close();
      await events.close();
      await sql.close();
      // kafkajs leaves timers of its own behind; what matters has ended.
      await sleep(10);
      process.exit(0);
    })();
  });
  process.stdout.write("ready\n");
}

if (import.meta.main) {
  const [, , role = "", engines = ""] = process.argv;
  await main(role, workerEngines.parse(JSON.parse(engines)));
}
