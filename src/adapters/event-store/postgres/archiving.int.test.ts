import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { sharedPostgres } from "../../../../test/support/engines.ts";
import { temporaryFolder } from "../../../../test/support/folders.ts";
import { useSmallSegments } from "../../../../test/support/small-segments.ts";
import { archiveEvents } from "../../../commands/archive-events.ts";
import { mulberry32 } from "../../../domain/random.ts";
import { ArchiveUnreadable, type EventArchive } from "../../../ports/event-archive.ts";
import { type AppendRequest, LogUnavailable } from "../../../ports/event-store.ts";
import { openArchiveFolder } from "../../archive/folder.ts";
import { createPostgres } from "../../engines/postgres.ts";
import type { Sql, SqlSession } from "../../engines/sql.ts";
import { newEvent, readAll, request } from "../support.contract.ts";
import { openPostgresLog, type PostgresLog } from "./log.ts";
import { createPostgresSegments } from "./segments.ts";

const postgres = await sharedPostgres();
const seed = Number(process.env.PROXIMAL_SEED ?? 11);
const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 1);
const everything = { position: Number.MAX_SAFE_INTEGER };
const never = new AbortController().signal;

const streams = [...Array.from({ length: 40 }, (_, n) => `learner-${n}`), "item-a", "skill-b", "model"];

/** Requests of one to four events; the log is the same for the same seed, but for the ids. */
function randomRequests(random: () => number, events: number): AppendRequest[] {
  const requests: AppendRequest[] = [];
  for (let made = 0; made < events; ) {
    const r = random();
    // Few events of the last streams: pages that look for them pass over whole blocks.
    const stream = streams[r < 0.995 ? Math.floor(random() * 40) : 40 + Math.floor(random() * 3)] ?? "";
    const count = Math.min(events - made, 1 + Math.floor(random() * 4));
    const type = random() < 0.9 ? "One" : "Two";
    const made2 = Array.from({ length: count }, (_, n) => newEvent({ type, data: { n: made + n, text: "ä\u0000🙂" } }));
    requests.push(request(stream, made2));
    made += count;
  }
  return requests;
}

async function newLog(segmentSize: number, archive: EventArchive | null) {
  const url = (await postgres?.createDatabase()) ?? "";
  await useSmallSegments(url, segmentSize);
  const sql = createPostgres({ url });
  const log = await openPostgresLog({ sql }, archive);
  const close = async () => {
    await log.close();
    await sql.close();
  };
  return { url, sql, log, segments: createPostgresSegments(sql), close };
}

/** Everything that can be asked of a log, asked. */
async function allAnswers(log: PostgresLog, requests: readonly AppendRequest[]) {
  const filters = [
    {},
    { categories: ["learner"] },
    { types: ["Two"] },
    { categories: ["item", "model"], types: ["One"] },
  ];
  const answers: unknown[] = [await log.head(), (await readAll(log, 0, 5_000)).events];
  for (const filter of filters) {
    for (const after of [0, 1, 999, 1_000, 2_500, 2_501, 5_999]) {
      const { events, position } = await readAll(log, after, 700, filter);
      answers.push(
        events.map(({ eventId }) => eventId),
        position,
        await log.behind(after, filter),
      );
    }
  }
  for (const stream of ["learner-0", "learner-7", "learner-31", "item-a", "model", "learner-nobody"]) {
    for (const from of [1, 17, 60, 10_000]) {
      for (const limit of [1, 30, 10_000]) {
        for (const direction of ["forwards", "backwards"] as const) {
          answers.push(await log.readStream(stream, { from, limit, direction }));
        }
      }
    }
    answers.push(await log.readStream(stream, { limit: 5, direction: "backwards" }));
  }
  const again = await log.append(requests.filter((_, i) => i % 50 === 0));
  expect(again.every(({ status }) => status === "duplicate")).toBe(true);
  answers.push(again);
  return answers;
}

describe.skipIf(postgres === null)("archiving", () => {
  test("nothing that can be asked is answered otherwise: feed, streams, backlog, repeats", async () => {
    const folder = temporaryFolder();
    const archive = openArchiveFolder(folder);
    const { log, sql, segments, close } = await newLog(2_500, archive);
    const requests = randomRequests(mulberry32(seed), 6_000);
    await log.append(requests);
    const before = await allAnswers(log, requests);
    expect(await archiveEvents({ log: segments, archive }, { position: 2_499 })).toEqual([]);
    expect(await archiveEvents({ log: segments, archive }, { time: "2026-03-01T00:00:00Z" })).toEqual([]);
    const first = await archiveEvents({ log: segments, archive }, { position: 4_999 });
    expect(first).toMatchObject([{ first: 1, last: 2_500 }]);
    expect(await allAnswers(log, requests), `PROXIMAL_SEED=${seed}`).toEqual(before);
    const second = await archiveEvents({ log: segments, archive }, { time: "2026-03-02T00:00:00Z" });
    expect(second).toMatchObject([{ first: 2_501, last: 5_000 }]);
    expect(await allAnswers(log, requests), `PROXIMAL_SEED=${seed}`).toEqual(before);
    expect((await sql.query("SELECT count(*) FROM events"))[0]).toEqual(["1000"]);
    // Another process, that has seen nothing of it.
    const other = await openPostgresLog({ sql }, openArchiveFolder(folder));
    expect(await allAnswers(other, requests)).toEqual(before);
    // Expected revisions count from the archive on.
    const known = requests.filter(({ stream }) => stream === "item-a").flatMap(({ events }) => events).length;
    expect(await log.append([request("item-a", [newEvent()], known + 1)])).toMatchObject([{ status: "conflict" }]);
    expect(await log.append([request("item-a", [newEvent()], known)])).toMatchObject([{ revision: known + 1 }]);
    await other.close();
    // What it is for people: lines of JSON, in order.
    const files = (await readdir(folder)).sort();
    expect(files.map((file) => file.replace(/-[0-9a-f]{16}\./, "-HASH."))).toEqual([
      "events-000000000001-000000002500-HASH.index.json",
      "events-000000000001-000000002500-HASH.ndjson.gz",
      "events-000000002501-000000005000-HASH.index.json",
      "events-000000002501-000000005000-HASH.ndjson.gz",
    ]);
    const lines = gunzipSync(await readFile(join(folder, files[1] ?? "")))
      .toString()
      .trimEnd()
      .split("\n");
    expect(lines.map((line) => JSON.parse(line).position)).toEqual(Array.from({ length: 2_500 }, (_, i) => i + 1));
    await close();
  });

  test("without the archive's folder what is there cannot be read, and says so; the newer part can", async () => {
    const archive = openArchiveFolder(temporaryFolder());
    const { log, sql, segments, close } = await newLog(100, archive);
    const requests = randomRequests(mulberry32(seed), 250);
    await log.append(requests);
    await archiveEvents({ log: segments, archive }, everything);
    const poor = await openPostgresLog({ sql });
    await expect(poor.read(0, 10)).rejects.toThrow(/PROXIMAL_ARCHIVE/);
    await expect(poor.read(0, 10)).rejects.toBeInstanceOf(LogUnavailable);
    await expect(poor.read(0, 10, { types: ["One"] })).rejects.toBeInstanceOf(LogUnavailable);
    await expect(poor.append(requests.slice(0, 1))).rejects.toBeInstanceOf(LogUnavailable);
    expect((await poor.read(200, 100)).events).toHaveLength(50);
    expect(await poor.append([request("learner-new", [newEvent()])])).toMatchObject([{ status: "appended" }]);
    await poor.close();
    await close();
  });

  test("a damaged, cut or missing file is told by name, and never read as something else", async () => {
    const folder = temporaryFolder();
    const archive = openArchiveFolder(folder);
    const { log, segments, close } = await newLog(3_000, archive);
    await log.append(randomRequests(mulberry32(seed), 3_100));
    const [moved] = await archiveEvents({ log: segments, archive }, everything);
    const name = moved?.name ?? "";
    const path = join(folder, `${name}.ndjson.gz`);
    const good = await readFile(path);
    const random = mulberry32(seed);
    for (let n = 0; n < 40; n += 1) {
      const bad = Buffer.from(good);
      const at = Math.floor(random() * bad.length);
      bad[at] = (bad[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      await writeFile(path, n % 4 === 0 ? bad.subarray(0, at) : bad);
      const fresh = openArchiveFolder(folder);
      await expect(fresh.verify(name), `PROXIMAL_SEED=${seed}, byte ${at}`).rejects.toBeInstanceOf(ArchiveUnreadable);
    }
    await writeFile(path, good);
    expect(await openArchiveFolder(folder).verify(name)).toEqual({ first: 1, last: 3_000 });
    await expect(openArchiveFolder(temporaryFolder()).events(name, 0)).rejects.toThrow(name);
    await close();
  });

  // Invariants 1 and 2: whatever step fails, nothing is lost, and the next run finishes it.
  test("a failure at any step loses nothing, and is made good by the next run", async () => {
    const folder = temporaryFolder();
    const real = openArchiveFolder(folder);
    // Every step where there is time for it; else each third, which ones by the seed.
    const every = runs > 1 ? 1 : 3;
    for (let failAt = 1 + (seed % every), finished = false; !finished; failAt += every) {
      const { log, sql, segments, close } = await newLog(60, real);
      const requests = randomRequests(mulberry32(seed), 150);
      await log.append(requests);
      const before = (await readAll(log, 0, 40)).events;
      let step = 0;
      const failing = <A extends unknown[], R>(work: (...args: A) => R) => {
        return (...args: A): R => {
          step += 1;
          if (step === failAt) throw new Error(`step ${failAt} fails`);
          return work(...args);
        };
      };
      const session = (one: SqlSession) => ({ ...one, query: failing(one.query), script: failing(one.script) });
      const broken: Sql = {
        ...{ ...sql, query: failing(sql.query), script: failing(sql.script) },
        session: (work) => sql.session((one) => work({ ...session(one), keepsState: one.keepsState })),
      };
      const archive = { ...real, write: failing(real.write), verify: failing(real.verify) };
      const moving = archiveEvents({ log: createPostgresSegments(broken), archive }, everything);
      const moved = await moving.catch((error: Error) => error.message);
      finished = typeof moved !== "string";
      expect((await readAll(log, 0, 40)).events, `step ${failAt}`).toEqual(before);
      await archiveEvents({ log: segments, archive: real }, everything);
      expect((await readAll(log, 0, 40)).events, `step ${failAt}`).toEqual(before);
      const tables = await sql.query("SELECT relname FROM pg_class WHERE relname ~ '^events_[0-9]+$' ORDER BY 1");
      expect(tables.flat(), `step ${failAt}`).toEqual(["events_000000000121"]);
      expect((await log.append(requests)).every(({ status }) => status === "duplicate")).toBe(true);
      await close();
      if (finished) expect(failAt).toBeGreaterThan(15);
    }
  });

  // Invariant 2.
  test("readers that follow while segments are made, filled and archived miss nothing; two archivers are one", async () => {
    const archive = openArchiveFolder(temporaryFolder());
    const { log, url, segments, close } = await newLog(50, archive);
    const other = createPostgres({ url });
    const otherSegments = createPostgresSegments(other);
    const total = runs * 1_000;
    const requests = randomRequests(mulberry32(seed), total);
    let done = false;
    const write = async () => {
      for (let from = 0; from < requests.length; from += 7) await log.append(requests.slice(from, from + 7));
      done = true;
    };
    const archiveAll = async (which: typeof segments) => {
      while (!done) await archiveEvents({ log: which, archive }, everything);
    };
    const read = async (filter: { types?: string[] } | undefined, behindBy: number) => {
      const seen: number[] = [];
      let position = 0;
      while (position < total) {
        // One follows the head, the other comes after it, where segments are on the move.
        if (!done && (await log.head()) < position + behindBy) await log.waitForMore(position + behindBy, 200, never);
        const page = await log.read(position, 30, filter);
        seen.push(...page.events.map((event) => event.position));
        position = page.position;
      }
      return seen;
    };
    const readers = [read(undefined, 0), read(undefined, 60), read({ types: ["One", "Two"] }, 60)];
    const hammered = async () => {
      const stream = "learner-7";
      for (let known = 0; !done; ) {
        const events = await log.readStream(stream, { limit: 10_000 });
        expect(events.map(({ revision }) => revision)).toEqual(events.map((_, i) => i + 1));
        expect(events.length).toBeGreaterThanOrEqual(known);
        known = events.length;
      }
    };
    await Promise.all([write(), archiveAll(segments), archiveAll(otherSegments), hammered(), ...readers]);
    for (const seen of await Promise.all(readers)) expect(seen).toEqual(Array.from({ length: total }, (_, i) => i + 1));
    await other.close();
    await close();
  });

  test("an archiver whose segment another one takes away as it reads goes on with the next", async () => {
    const folder = temporaryFolder();
    const archive = openArchiveFolder(folder);
    const { log, segments, close } = await newLog(50, archive);
    await log.append(randomRequests(mulberry32(seed), 150));
    let overtaken = false;
    const slow: typeof segments = {
      ...segments,
      async *read(range) {
        if (!overtaken) {
          overtaken = true;
          await archiveEvents({ log: segments, archive }, { position: range.last });
        }
        yield* segments.read(range);
      },
    };
    const moved = await archiveEvents({ log: slow, archive }, everything);
    expect(moved.map(({ first }) => first)).toEqual([51, 101]);
    expect((await readdir(folder)).filter((name) => name.endsWith(".partial"))).toEqual([]);
    const positions = (await readAll(log, 0, 1_000)).events.map(({ position }) => position);
    expect(positions).toEqual(Array.from({ length: 150 }, (_, at) => at + 1));
    await close();
  });

  test("segments are made before they are needed, by whoever appends, and follow each other", async () => {
    const { log, url, segments, close } = await newLog(100, null);
    const others = await Promise.all([openPostgresLog({ url }), openPostgresLog({ url })]);
    const requests = randomRequests(mulberry32(seed), 1_250);
    await Promise.all(
      [log, ...others].map(async (one, k) => {
        for (let i = k; i < requests.length; i += 3) await one.append(requests.slice(i, i + 1));
      }),
    );
    const ranges = (await segments.segments()).map(({ first, last }) => [first, last]);
    expect(ranges).toEqual(Array.from({ length: 13 }, (_, i) => [i * 100 + 1, i * 100 + 100]));
    // A batch of more than a segment.
    await log.append([
      request(
        "learner-x",
        Array.from({ length: 450 }, () => newEvent()),
      ),
    ]);
    expect((await readAll(log, 0, 1_000)).events).toHaveLength(1_700);
    await Promise.all([close(), ...others.map((one) => one.close())]);
  });
});
