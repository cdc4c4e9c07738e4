import { createHash, randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AppendRequest, AppendResult, ExpectedRevision, StoredEvent } from "../../ports/event-store.ts";
import { type LogAbilities, type OpenedLog, placeOf, readAll, recordedAt } from "./support.contract.ts";

const streams = ["learner-a", "learner-b", "item-a", "model"];
const types = ["One", "Two"];

interface RandomRequest {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  /** Few, so that ids meet again: in the request, the batch, the stream, and in other streams. */
  readonly ids: readonly number[];
}

const randomRequest: fc.Arbitrary<RandomRequest> = fc.record({
  stream: fc.constantFrom(...streams),
  expected: fc.oneof(
    { weight: 3, arbitrary: fc.constant<ExpectedRevision>("any") },
    { weight: 1, arbitrary: fc.constant<ExpectedRevision>("none") },
    { weight: 2, arbitrary: fc.nat({ max: 8 }) },
  ),
  ids: fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 4 }),
});
const batches = fc.array(fc.array(randomRequest, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 });

/** The log as the port describes it, with no thought of speed: one list. */
class ReferenceLog {
  readonly events: { id: string; stream: string; revision: number; type: string }[] = [];
  readonly #idsAcrossStreams: boolean;
  constructor({ idsAcrossStreams }: LogAbilities) {
    this.#idsAcrossStreams = idsAcrossStreams;
  }

  append({ stream, expected, events }: AppendRequest): string {
    const ids = events.map((event) => event.eventId);
    const own = this.events.filter((event) => event.stream === stream);
    const known = (this.#idsAcrossStreams ? this.events : own).filter((event) => ids.includes(event.id));
    const last = own.length;
    const isDuplicate = new Set(ids).size === ids.length && known.length === ids.length;
    if (isDuplicate && known.every((event) => event.stream === stream)) {
      const revisions = ids.map((id) => own.find((event) => event.id === id)?.revision);
      return `duplicate ${revisions.at(-1)} [${revisions}]`;
    }
    const wanted = expected === "any" ? last : expected === "none" ? 0 : expected;
    if (new Set(ids).size < ids.length || known.length > 0 || wanted !== last) return `conflict ${last}`;
    events.forEach((event, i) => {
      this.events.push({ id: event.eventId, stream, revision: last + i + 1, type: event.type });
    });
    return `appended ${last + events.length}`;
  }
}

/** A result in the reference's words. */
function inWords(result: AppendResult): string {
  if (result.status === "conflict") return `conflict ${result.actual}`;
  if (result.status === "appended") return `appended ${result.revision}`;
  return `duplicate ${result.revision} [${result.existing.map((event) => event.revision)}]`;
}

export function randomAppendsContract(open: () => Promise<OpenedLog>, abilities: LogAbilities): void {
  let opened: OpenedLog;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close());

  test("any batches: results, streams, feed and backlog are those of a one-list reference", {
    timeout: 120_000,
  }, async () => {
    const { log } = opened;
    await fc.assert(
      fc.asyncProperty(batches, async (randomBatches) => {
        const run = randomUUID();
        const base = await log.head();
        const reference = new ReferenceLog(abilities);
        const placed: { stream: string; revision: number; position: number }[] = [];
        for (const batch of randomBatches) {
          const requests = batch.map((random) => toRequest(random, run));
          const results = await log.append(requests);
          expect(results.map(inWords)).toEqual(requests.map((one) => reference.append(one)));
          for (const [i, result] of results.entries()) {
            if (result.status !== "conflict") placed.push({ stream: requests[i]?.stream ?? "", ...result });
          }
        }
        const feed = await compareReads(opened, reference, base, run, abilities);
        for (const { stream, revision, position } of placed) {
          expect(placeOf(feed, stream, revision)).toEqual({ revision, position });
        }
      }),
      { numRuns: 150 },
    );
  });
}

/** Gives what the feed has. */
async function compareReads(
  { log }: OpenedLog,
  reference: ReferenceLog,
  base: number,
  run: string,
  { densePositions, ordersStreams }: LogAbilities,
): Promise<readonly StoredEvent[]> {
  const feed = (await readAll(log, base, 5)).events;
  const asIn = feed.map(({ eventId, stream, revision, type }) => ({ id: eventId, stream, revision, type }));
  // Where streams are not ordered among each other, each is by itself.
  const inOrder = <E extends { stream: string }>(events: readonly E[]): readonly E[] =>
    ordersStreams ? events : streams.flatMap((name) => events.filter((event) => event.stream === `${name}-${run}`));
  expect(inOrder(asIn)).toEqual(inOrder(reference.events));
  const positions = feed.map((event) => event.position);
  if (densePositions) expect(positions).toEqual(feed.map((_, i) => base + i + 1));
  else expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
  for (const name of streams) {
    const stream = `${name}-${run}`;
    const own = feed.filter((event) => event.stream === stream);
    expect(await log.readStream(stream, { limit: 1_000 })).toEqual(own);
    expect(await log.readStream(stream, { limit: 1_000, direction: "backwards" })).toEqual([...own].reverse());
  }
  const filter = { categories: ["learner", "model"], types: ["One"] };
  const matching = feed.filter((event) => /^(learner|model)-/.test(event.stream) && event.type === "One");
  expect((await readAll(log, base, 2, filter)).events).toEqual(matching);
  expect((await log.behind(base, filter)).events).toBe(matching.length);
  expect((await log.behind(base)).events).toBe(feed.length);
  return feed;
}

/** Streams and ids are the run's own, so that one log serves all runs. */
function toRequest({ stream, expected, ids }: RandomRequest, run: string): AppendRequest {
  const events = ids.map((id) => {
    const hex = createHash("sha256").update(`${run} ${id}`).digest("hex");
    const eventId = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
    return { eventId, type: types[id % 2] ?? "", data: { id }, metadata: { schemaVersion: 1 }, recordedAt };
  });
  return { stream: `${stream}-${run}`, expected, events };
}
