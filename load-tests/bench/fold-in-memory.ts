import { Redis } from "ioredis";
import { openPostgresBlobs } from "../../src/adapters/blobs/postgres.ts";
import { createPostgres } from "../../src/adapters/engines/postgres.ts";
import { openPostgresLog } from "../../src/adapters/event-store/postgres/log.ts";
import { decodeEvent } from "../../src/domain/decode-event.ts";
import type { EventOf } from "../../src/domain/events.ts";
import { evolveLearner, newLearnerState } from "../../src/domain/learner/learner-state.ts";
import { learnerModels } from "../../src/domain/learner-model/models.ts";
import { idOf } from "../../src/domain/streams.ts";
import { createContext, projected } from "../../src/projections/context.ts";
import { type LearnerEntry, newEntry, selectLists } from "../../src/projections/learner-rows.ts";
import { encodeLearnerState } from "../../src/projections/learner-scores.ts";
import { nextListSize } from "../../src/projections/rows.ts";
import type { Sample } from "./result.ts";

type Interaction = EventOf<"InteractionRecorded">;

/** As many as a projector reads at once. */
const pageSize = 20_000;
/** SETs in a pipeline, and pipelines under way. */
const pipelined = { commands: 500, underWay: 2 };

export interface FoldOrder {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

/**
 * The least that makes the same rows of the same log: every interaction, decoded beforehand, is folded into a state in
 * memory; after each page the list of each learner in it is selected, list and state are written as bytes, and the bytes go
 * to Redis by pipelined SET. No reading of the log or of rows, no guard, no counters, no checkpoint. What is left when lists
 * are not selected, and the bytes only SET again, is told beside it.
 *
 * To be called once in a process: what it is held against has just started too, and V8 has compiled as little of it. Its first page does
 * not count, as the other is looked at once it has one.
 */
async function foldInMemory({ databaseUrl, redisUrl }: FoldOrder): Promise<Sample> {
  const model = learnerModels["lr-full"];
  const sql = createPostgres({ url: databaseUrl });
  const feed = await openPostgresLog({ sql });
  const blobs = await openPostgresBlobs({ sql });
  const silent = { debug() {}, info() {}, warn: console.warn, error: console.error };
  const context = createContext({ feed, blobs, model, log: silent });
  const pages: Interaction[][] = [];
  try {
    for (let position = 0, atHead = false; !atHead; ) {
      const page = await feed.read(position, pageSize, projected);
      const decoded = page.events.filter(({ type }) => type === "InteractionRecorded").map(decodeEvent);
      pages.push(decoded as Interaction[]);
      ({ position, atHead } = page);
    }
    await context.moveTo(await feed.head());
  } finally {
    await feed.close();
    await sql.close();
  }
  const events = pages.slice(1).reduce((sum, page) => sum + page.length, 0);
  const { weights } = context.current;

  function fold(page: readonly Interaction[], learners: Map<string, LearnerEntry>): Set<LearnerEntry> {
    const touched = new Set<LearnerEntry>();
    for (const event of page) {
      const { stream } = event;
      let entry = learners.get(stream);
      if (entry === undefined) {
        entry = newEntry(idOf(stream), stream, newLearnerState(model));
        learners.set(stream, entry);
      }
      const policy = context.policyAt(event.data.trackId, event.position);
      evolveLearner(entry.state, event, { model, weights, policy });
      touched.add(entry);
    }
    return touched;
  }

  const rowOf = (entry: LearnerEntry): Buffer => {
    const lists = selectLists(entry, { model, bankOf: context.bank, weights: context.current, size: nextListSize });
    return Buffer.concat([...lists.values(), encodeLearnerState(entry.state, model)]);
  };

  const redis = new Redis(redisUrl);
  const learners = new Map<string, LearnerEntry>();
  const rows: [string, Buffer][][] = [];
  async function foldPage(page: readonly Interaction[]): Promise<void> {
    const made = Array.from(fold(page, learners), (entry): [string, Buffer] => [entry.stream, rowOf(entry)]);
    rows.push(made);
    await setAll(redis, made);
  }
  const [first = [], ...others] = pages;
  try {
    await foldPage(first);
    const whole = await timed(events, async () => {
      for (const page of others) await foldPage(page);
    });
    const again = new Map<string, LearnerEntry>();
    fold(first, again);
    const least = await timed(events, async () => {
      for (const [at, page] of others.entries()) {
        fold(page, again);
        await setAll(redis, rows[at + 1] ?? []);
      }
    });
    return { ...whole, context: { without_selection_per_s: least.figure, without_selection_cpu_us: least.cpuUs } };
  } finally {
    redis.disconnect();
  }
}

async function timed(events: number, work: () => Promise<void>): Promise<{ figure: number; cpuUs: number }> {
  const [cpu, startedAt] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { figure: events / ((performance.now() - startedAt) / 1000), cpuUs: (user + system) / events };
}

async function setAll(redis: Redis, rows: readonly (readonly [string, Buffer])[]): Promise<void> {
  const underWay: Promise<unknown>[] = [];
  for (let from = 0; from < rows.length; from += pipelined.commands) {
    if (underWay.length >= pipelined.underWay) await underWay.shift();
    const pipeline = redis.pipeline();
    for (const [key, value] of rows.slice(from, from + pipelined.commands)) pipeline.set(key, value);
    underWay.push(pipeline.exec());
  }
  await Promise.all(underWay);
}

// A child process of the bench.
process.once("message", async (order: FoldOrder) => {
  process.send?.(await foldInMemory(order));
  process.disconnect();
});
