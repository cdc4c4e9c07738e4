import fc from "fast-check";
import { parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { learningHistory } from "../../../test/support/learning-history.ts";
import { liveOn } from "../../../test/support/live-answers.ts";
import { memoryTarget } from "../../../test/support/memory-target.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { lrLite } from "../../domain/learner-model/models.ts";
import { exportInput, exportKind } from "./export-kind.ts";
import { formats } from "./table-writer.ts";
import type { TableName } from "./tables.ts";

const model = lrLite as LearnerModel;
const now = Date.parse("2026-06-01T08:00:00Z");
const tables = ["scores", "next", "items", "popular"] as const satisfies readonly TableName[];
let history: Awaited<ReturnType<typeof learningHistory>>;
let live: Awaited<ReturnType<typeof liveOn>>;
let middle: number;

beforeAll(async () => {
  history = await learningHistory(7, { model, events: 300, learners: 9 });
  live = await liveOn(history, model);
  middle = await history.log.head();
  await history.grow(200);
  await live.at(middle, now);
});
afterAll(() => live.stop());

const kindOf = (pace?: { pageSize: number; between: number }) =>
  exportKind({
    ...{ eventStore: live.store, feed: history.log, clock: { now: () => now }, ...(pace && { pace }) },
    serving: async () => live,
    pseudonymKey: async () => "a key of sixteen or more",
  });

const fileOf = (target: ReturnType<typeof memoryTarget>, { what, format }: { what: string; format: string }) =>
  target.content(`${what}.${format}`) ?? Buffer.alloc(0);

describe("an export of rows", () => {
  test("cut off anywhere goes on after the last learner, item or scope that was saved: the same file to the byte", async () => {
    let resumed = 0;
    const pace = fc.record({ pageSize: fc.integer({ min: 1, max: 5 }), between: fc.integer({ min: 1, max: 60 }) });
    const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...tables),
        fc.constantFrom(...formats),
        pace,
        cuts,
        async (what, format, pace, at) => {
          const input = exportInput.parse({ what, format });
          const kind = kindOf(pace);
          const whole = memoryTarget();
          const summary = await kind.run(input, whole.begin());
          const target = memoryTarget();
          for (const cut of at) {
            const run = target.begin(cut);
            await kind.run(input, run).catch(() => undefined);
          }
          const last = target.begin();
          if (last.resumeFrom !== null) resumed += 1;
          expect(await kind.run(input, last)).toEqual(summary);
          expect(fileOf(target, input).equals(fileOf(whole, input))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
    expect(resumed).toBeGreaterThan(20);
  });

  test("Parquet that was cut between groups reads as the rows that NDJSON has", async () => {
    const read = async (format: "ndjson" | "parquet", between: number) => {
      const target = memoryTarget();
      const input = exportInput.parse({ what: "next", format });
      await kindOf({ pageSize: 2, between }).run(input, target.begin());
      return fileOf(target, input);
    };
    const rows = (await parquetReadObjects({ file: new Uint8Array(await read("parquet", 20)).buffer })) as object[];
    const lines = (await read("ndjson", 1_000)).toString().trimEnd().split("\n");
    const keyOf = ({ learnerId, place, itemId }: Record<string, unknown>) => `${learnerId} ${place} ${itemId}`;
    expect(rows.map((row) => keyOf(row as Record<string, unknown>))).toEqual(
      lines.map((line) => keyOf(JSON.parse(line))),
    );
  });

  test("while learners go on: each once, with rows of one moment", async () => {
    const input = exportInput.parse({ what: "next", format: "ndjson", plainIds: true });
    const target = memoryTarget();
    const kind = kindOf({ pageSize: 2, between: 1 });
    // Past the file's first two checkpoints.
    await expect(kind.run(input, target.begin(6))).rejects.toThrow("cut off");
    const before = target.begin();
    expect(before.resumeFrom).toMatchObject({ after: expect.stringMatching(/^learner-/) });
    await live.at(await history.log.head(), now);
    await kind.run(input, target.begin());
    const lines = fileOf(target, input).toString().trimEnd().split("\n");
    const places = new Map<string, { position: number; places: number[] }>();
    for (const line of lines) {
      const { learnerId, position, place } = JSON.parse(line);
      const one = places.get(learnerId) ?? { position, places: [] as number[] };
      expect(position).toBe(one.position);
      one.places.push(place);
      places.set(learnerId, one);
    }
    expect([...places.keys()]).toEqual([...history.learnerIds].sort());
    for (const { places: of } of places.values()) expect(of).toEqual(of.map((_, at) => at + 1));
    expect([...places.values()].some(({ position }) => position > middle)).toBe(true);
  });
});
