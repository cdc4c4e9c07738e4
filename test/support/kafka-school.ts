import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { openPostgresBlobs } from "../../src/adapters/blobs/postgres.ts";
import { createPostgres } from "../../src/adapters/engines/postgres.ts";
import { openPostgresLog } from "../../src/adapters/event-store/postgres/log.ts";
import { openKafka } from "../../src/adapters/event-stream/kafka.ts";
import { openRedisReadModels } from "../../src/adapters/read-models/redis.ts";
import type { LearnerModel } from "../../src/domain/learner-model/learner-model.ts";
import { lrLite } from "../../src/domain/learner-model/models.ts";
import type { NewEvent } from "../../src/ports/event-store.ts";
import type { StreamMessage } from "../../src/ports/event-stream.ts";
import { type Comparison, compareNamespaces } from "../../src/projections/digest.ts";
import { pipelineOf, runToHead } from "../../src/projections/invariants.contract.ts";
import { readView, storedPosition } from "../../src/projections/live-view.ts";
import { namespaceOf } from "../../src/projections/rows.ts";
import { ownerOf } from "../../src/workers/stream-projector-input.ts";
import type { WorkerEngines } from "./kafka-worker.ts";
import { historyStart, learningHistory } from "./learning-history.ts";
import { killAtProcessEnd } from "./process-end.ts";

const model = lrLite as LearnerModel;
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const script = fileURLToPath(new URL("./kafka-worker.ts", import.meta.url));

export interface Worker {
  readonly child: ChildProcess;
  /** SIGKILL: as a machine that goes. SIGTERM: in good order, which is checked. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** A school on PostgreSQL, Redis and Kafka whose workers are processes of their own. */
export interface KafkaSchool {
  readonly engines: WorkerEngines;
  start(role: "relay" | "projector", settings?: Partial<WorkerEngines>): Promise<Worker>;
  /** Learners go on: so many more events in the log. */
  grow(events: number): Promise<void>;
  /** Resolves when the rows hold the whole log. */
  settled(): Promise<void>;
  /** The rows beside those of a rebuild from the log. */
  compare(): Promise<Comparison>;
  /** What stands in the topic: by partition, from its beginning, until it tells of the whole log. */
  topic(): Promise<readonly (readonly StreamMessage[])[]>;
  close(): Promise<void>;
}

export async function kafkaSchool(engines: WorkerEngines, seed: number): Promise<KafkaSchool> {
  const history = await learningHistory(seed, { model, events: 40, learners: 30 });
  const sql = createPostgres({ url: engines.postgres, connections: 2 });
  const log = await openPostgresLog({ sql });
  const blobs = await openPostgresBlobs({ sql });
  const readModels = await openRedisReadModels({ url: engines.redis });
  const workers = new Set<Worker>();
  let copied = 0;
  let rebuilds = 100;

  /** Copies what the history has and the log has not, event by event: the positions come out the same. */
  async function pour(): Promise<void> {
    for (;;) {
      const { events, atHead } = await history.log.read(copied, 50);
      for (const name of await history.blobs.names("model")) {
        const bytes = await history.blobs.get("model", name);
        if (bytes !== null && (await blobs.get("model", name)) === null) await blobs.put("model", name, bytes);
      }
      const results = await log.append(
        events.map((event) => ({ stream: event.stream, expected: "any" as const, events: [event as NewEvent] })),
      );
      for (const result of results) if (result.status !== "appended") throw new Error(`append: ${result.status}`);
      copied = events.at(-1)?.position ?? copied;
      if (atHead) return;
    }
  }

  await pour();
  return {
    engines,
    async start(role, settings = {}) {
      const worker = await startWorker(role, { ...engines, ...settings });
      workers.add(worker);
      return worker;
    },
    async grow(events) {
      await history.grow(events);
      await pour();
    },
    async settled() {
      const head = await log.head();
      // What each partition's last event is: its checkpoint need not tell of more.
      const last = await lastPositions(log, engines.partitions);
      const behind = async (): Promise<number[]> => {
        const stored = await Promise.all(last.map((_, partition) => storedPosition(readModels, partition)));
        return last.flatMap((position, partition) => ((stored[partition] ?? 0) < position ? [partition] : []));
      };
      await expect.poll(behind, { timeout: 60_000, interval: 50, message: `head ${head}` }).toEqual([]);
    },
    async compare() {
      const { view } = await readView(readModels);
      rebuilds += 1;
      const rebuilt = namespaceOf(rebuilds, model.name, engines.partitions);
      const deps = { feed: log, store: log, blobs, readModels, model, clock: { now: () => historyStart }, log: silent };
      for (let partition = 0; partition < engines.partitions; partition += 1) {
        await runToHead(deps, pipelineOf(deps, rebuilt, partition, engines.partitions), 100_000);
      }
      return compareNamespaces(readModels, view?.namespace ?? "", rebuilt);
    },
    async topic() {
      const head = await log.head();
      const { brokers, topic, partitions } = engines;
      const stream = await openKafka({ brokers: [brokers], topic, partitions, group: randomUUID(), log: silent });
      const read: StreamMessage[][] = Array.from({ length: partitions }, () => []);
      stream.consume({
        assigned: async () => undefined,
        handle: async (partition, messages) => void read[partition]?.push(...messages),
      });
      const told = () => Math.min(...read.map((messages) => messages.at(-1)?.position ?? 0));
      await expect.poll(told, { timeout: 60_000, interval: 100 }).toBe(head);
      await stream.close();
      return read;
    },
    async close() {
      await Promise.all(Array.from(workers, (worker) => worker.end("SIGKILL")));
      await readModels.close();
      await log.close();
      await sql.close();
    },
  };
}

async function lastPositions(log: Awaited<ReturnType<typeof openPostgresLog>>, partitions: number): Promise<number[]> {
  const last = Array.from({ length: partitions }, () => 0);
  for (let after = 0, atHead = false; !atHead; ) {
    const page = await log.read(after, 10_000);
    for (const event of page.events) {
      const owner = ownerOf(event, partitions);
      // A change of the catalogue alone is no reason to write a checkpoint.
      if (typeof owner === "number") last[owner] = event.position;
    }
    ({ position: after, atHead } = page);
  }
  return last;
}

async function startWorker(role: string, engines: WorkerEngines): Promise<Worker> {
  const args = ["--disable-warning=ExperimentalWarning", script, role, JSON.stringify(engines)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk).slice(-5_000);
    if (process.env.PROXIMAL_SHOW_WORKERS === "1") process.stderr.write(chunk);
  });
  const closed = new Promise<void>((resolve) => child.on("close", () => resolve()));
  killAtProcessEnd(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      if (chunk.includes("ready")) resolve();
    });
    void closed.then(() => reject(new Error(`the ${role} ended by itself: ${complaint}`)));
  });
  let ended = false;
  return {
    child,
    async end(signal) {
      if (ended) return;
      ended = true;
      child.kill(signal);
      const patience = setTimeout(() => child.kill("SIGKILL"), 60_000);
      await closed;
      clearTimeout(patience);
      if (signal === "SIGTERM" && child.exitCode !== 0) {
        throw new Error(`the ${role} did not end well (${child.exitCode}, ${child.signalCode}): ${complaint}`);
      }
    },
  };
}
