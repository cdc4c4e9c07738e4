import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answersOf } from "../../../test/support/all-answers.ts";
import { privatePostgres, privateReplica } from "../../../test/support/engines.ts";
import { temporaryFolder } from "../../../test/support/folders.ts";
import { type History, learningHistory } from "../../../test/support/learning-history.ts";
import { testListSize } from "../../../test/support/live-answers.ts";
import { useSmallSegments } from "../../../test/support/small-segments.ts";
import { openArchiveFolder } from "../../adapters/archive/folder.ts";
import { openPostgresBlobs } from "../../adapters/blobs/postgres.ts";
import { createPostgres, type Postgres } from "../../adapters/engines/postgres.ts";
import { openPostgresLog, type PostgresLog } from "../../adapters/event-store/postgres/log.ts";
import { createPostgresReader } from "../../adapters/event-store/postgres/reader.ts";
import {
  openReplicaReads,
  type ReplicaAnswer,
  type ReplicaReads,
} from "../../adapters/event-store/postgres/replica.ts";
import { createPostgresSegments } from "../../adapters/event-store/postgres/segments.ts";
import { archiveEvents } from "../../commands/archive-events.ts";
import type { EventMetadata } from "../../domain/events.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { learnerModels } from "../../domain/learner-model/models.ts";
import type { Blobs } from "../../ports/blobs.ts";
import type { EventStore } from "../../ports/event-store.ts";
import type { Feed } from "../../ports/feed.ts";
import { createRun, type RunOptions } from "../replays/run.ts";
import { countersKind } from "./counters-kind.ts";
import { TooMuchHistory } from "./past-counters.ts";
import { createTimeTravel } from "./time-travel.ts";

/** `at=` on PostgreSQL, on its replica, and once old segments were moved to files: as on the log in memory, byte for byte. */
const postgres = await privatePostgres({ fsync: false });
const replica = postgres === null ? null : await privateReplica(postgres.url);
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const model = learnerModels["lr-lite"] as LearnerModel;
const clock = { now: () => Number.MAX_SAFE_INTEGER };
const never = new AbortController().signal;
const learnerIds = ["learner-0", "learner-3", "nobody"];
const itemIds = ["item-0", "item-7", "unknown-item"];

type Reads = Pick<EventStore, "readStream"> & Feed;
const travel = (log: Reads, blobs: Blobs, eventsMax = 100_000) =>
  createTimeTravel({ store: log, feed: log, blobs, model, log: silent, listSize: testListSize, eventsMax, clock });
type Travel = ReturnType<typeof travel>;

async function saidAt(past: Travel, at: string): Promise<string[]> {
  return (await past.ask(at, async (then) => ({ said: await answersOf(then, learnerIds, itemIds) }))).said;
}

describe.skipIf(postgres === null || replica === null)("on PostgreSQL", () => {
  let history: History;
  let log: PostgresLog;
  let reads: ReplicaReads;
  let blobs: Blobs;
  let sql: Postgres;
  const answers: ReplicaAnswer[] = [];
  const archive = openArchiveFolder(temporaryFolder());
  const places: string[] = [];
  const expected = new Map<string, string[]>();
  const closing: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  });

  beforeAll(async () => {
    history = await learningHistory(5, { model, events: 360, learners: 6 });
    const { events } = await history.log.read(0, 10_000);
    const url = (await postgres?.createDatabase()) ?? "";
    await useSmallSegments(url, 100);
    sql = createPostgres({ url });
    log = await openPostgresLog({ sql }, archive);
    closing.push(
      () => sql.close(),
      () => log.close(),
    );
    for (const { stream, eventId, type, data, metadata, recordedAt } of events) {
      const event = { eventId, type, data: data as object, metadata: metadata as EventMetadata, recordedAt };
      await log.append([{ stream, expected: "any", events: [event] }]);
    }
    const stored = await openPostgresBlobs({ sql });
    for (const name of await history.blobs.names("model")) {
      await stored.put("model", name, (await history.blobs.get("model", name)) ?? Buffer.alloc(0));
    }
    blobs = stored;
    reads = openReplicaReads({
      ...{ primary: log, replicaUrl: replica?.at(url) ?? "", maxLagMs: 60_000 },
      ...{ readerOn: (session) => createPostgresReader(session, archive), observe: (one) => void answers.push(one) },
    });
    closing.push(() => reads.close());
    for (let at = 60; at <= events.length; at += 55) {
      places.push(String(at), new Date(Date.parse(events[at - 1]?.recordedAt ?? "")).toISOString());
    }
    const past = travel(history.log, history.blobs);
    for (const at of places) expected.set(at, await saidAt(past, at));
  }, 120_000);

  async function asBefore(of: Reads): Promise<void> {
    const past = travel(of, blobs);
    for (const at of places) expect(await saidAt(past, at), `at ${at}`).toEqual(expected.get(at));
  }

  test("the answers are those of the log in memory, by position and by time", { timeout: 180_000 }, () =>
    asBefore(log),
  );

  test("and a replica gives them", { timeout: 180_000 }, async () => {
    const head = await log.head();
    await expect
      .poll(async () => [await reads.head(), answers.at(-1)?.answeredBy], { timeout: 30_000 })
      .toEqual([head, "replica"]);
    answers.length = 0;
    await asBefore(reads);
    expect(new Set(answers.map(({ answeredBy }) => answeredBy))).toEqual(new Set(["replica"]));
  });

  test("and both do once old segments were moved to files; so do counters kept then", {
    timeout: 180_000,
  }, async () => {
    const moved = await archiveEvents({ log: createPostgresSegments(sql), archive }, { position: 250 });
    expect(moved).toMatchObject([
      { first: 1, last: 100 },
      { first: 101, last: 200 },
    ]);
    await asBefore(log);
    await asBefore(reads);
    const at = places.at(-2) ?? "";
    await expect(saidAt(travel(log, blobs, 100), at)).rejects.toThrow(TooMuchHistory);
    const kind = countersKind({ feed: reads, eventStore: reads, blobs, model, log: silent, clock });
    await kind.run({ at }, createRun({ ...noTarget, id: "counters", signal: never, resumeFrom: null, files: [] }));
    expect(await saidAt(travel(reads, blobs, 0), at)).toEqual(expected.get(at));
  });
});

const noTarget: Pick<RunOptions, "target" | "onProgress"> = {
  onProgress: () => undefined,
  target: {
    addFile: () => Promise.reject(new Error("it makes no file")),
    append: () => Promise.reject(new Error("it makes no file")),
    checkpoint: async () => undefined,
  },
};
