import { describe, expect, it } from "vitest";
import { createMemoryBlobs } from "../../../adapters/blobs/memory.ts";
import { createMemoryLog } from "../../../adapters/event-store/memory.ts";
import { type RecordInteractionsDeps, recordInteractions } from "../../../commands/record-interactions.ts";
import { emptyCatalogue } from "../../../domain/item-bank/catalogue.ts";
import { batchRows, checkpointOf, type ImportRowsDeps, importRows, newCounts, type RefusedRow } from "./import-rows.ts";
import type { SourceRow } from "./interaction-rows.ts";

async function* rowsOf(count: number, bad: ReadonlySet<number> = new Set()): AsyncGenerator<SourceRow> {
  for (let row = 1; row <= count; row += 1) {
    const input = { id: `row-${row}`, learnerId: `l${row % 7}`, itemId: "i", kind: "answer", correct: row % 2 === 0 };
    if (bad.has(row)) yield { row, line: row + 1, reading: { ok: false, problem: "torn" } };
    else yield { row, line: row + 1, reading: { ok: true, interaction: { input, skillIds: [] } } };
  }
}

function setUp(signal = new AbortController().signal) {
  const log = createMemoryLog();
  const catalogue = { catalogue: emptyCatalogue(), version: 0, bank: () => null, catchUp: async () => {} };
  let ids = 0;
  const record: RecordInteractionsDeps = {
    eventStore: log,
    catalogue,
    clock: { now: () => 1_750_000_000_000 },
    randomId: () => `random-${++ids}`,
  };
  const refused: RefusedRow[] = [];
  const deps: ImportRowsDeps = {
    record: (inputs) => recordInteractions(record, inputs),
    publish: async () => {},
    onRefused: (row) => void refused.push(row),
    onProgress: () => {},
    signal,
  };
  return { log, deps, refused };
}

const stored = async (log: { read: ReturnType<typeof createMemoryLog>["read"] }) =>
  (await log.read(0, 100_000)).events.map((e) => (e.data as { interactionId: string }).interactionId);

describe("importing rows", () => {
  it("stores each once, in order, and says of each bad one where and why", async () => {
    const { log, deps, refused } = setUp();
    const counts = newCounts();
    expect(await importRows(deps, rowsOf(2500, new Set([3, 2400])), counts)).toBe(true);
    expect(counts).toEqual({ rows: 2500, accepted: 2498, duplicates: 0, refused: 2, conflicts: 0, withoutTime: 2498 });
    expect(refused.map(({ row, line, problem }) => `${row} ${line} ${problem}`)).toEqual([
      "3 4 torn",
      "2400 2401 torn",
    ]);
    const ids = await stored(log);
    expect(ids).toHaveLength(2498);
    expect(ids.slice(0, 3)).toEqual(["row-1", "row-2", "row-4"]);
  });

  it("again finds duplicates only", async () => {
    const { log, deps } = setUp();
    await importRows(deps, rowsOf(1500), newCounts());
    const again = newCounts();
    await importRows(deps, rowsOf(1500), again);
    expect(again).toMatchObject({ accepted: 0, duplicates: 1500, refused: 0 });
    expect(await log.head()).toBe(1500);
  });

  it("stopped anywhere and gone on with stores the same as in one go", async () => {
    for (const stopAfter of [1, 2, 3]) {
      const controller = new AbortController();
      const { log, deps } = setUp(controller.signal);
      let batches = 0;
      const stopping = {
        ...deps,
        onProgress: () => {
          batches += 1;
          if (batches === stopAfter) controller.abort();
        },
      };
      const counts = newCounts();
      expect(await importRows(stopping, rowsOf(batchRows * 4 + 5), counts)).toBe(false);
      expect(counts.rows % batchRows).toBe(0);
      expect(await log.head()).toBe(counts.rows);
      const going = { ...deps, signal: new AbortController().signal };
      expect(await importRows(going, rowsOf(batchRows * 4 + 5), counts)).toBe(true);
      expect(counts).toMatchObject({ rows: batchRows * 4 + 5, accepted: batchRows * 4 + 5, duplicates: 0 });
      expect(await stored(log)).toEqual(Array.from({ length: batchRows * 4 + 5 }, (_, i) => `row-${i + 1}`));
    }
  });

  it("rejects when the log does, with only whole batches counted", async () => {
    const { deps } = setUp();
    let calls = 0;
    const failing: ImportRowsDeps = {
      ...deps,
      record: (inputs) => {
        calls += 1;
        return calls === 3 ? Promise.reject(new Error("disk full")) : deps.record(inputs);
      },
    };
    const counts = newCounts();
    await expect(importRows(failing, rowsOf(batchRows * 5), counts)).rejects.toThrow("disk full");
    expect(counts.rows).toBe(batchRows * 2);
  });
});

describe("a checkpoint", () => {
  it("belongs to one file and mapping, and is gone when cleared or unreadable", async () => {
    const blobs = createMemoryBlobs();
    const one = checkpointOf(blobs, ["hash", "map"]);
    await one.save({ ...newCounts(), rows: 5000 });
    expect(await checkpointOf(blobs, ["hash", "map"]).load()).toMatchObject({ rows: 5000, accepted: 0 });
    expect(await checkpointOf(blobs, ["hash", "other"]).load()).toBeNull();
    await one.clear();
    expect(await one.load()).toBeNull();
    await one.save(newCounts());
    const [name] = await blobs.names("import");
    await blobs.put("import", name ?? "", Buffer.from('{"rows":-1}'));
    expect(await one.load()).toBeNull();
  });

  it("is one of a bounded number", async () => {
    const blobs = createMemoryBlobs();
    for (let i = 0; i < 105; i += 1) await checkpointOf(blobs, [String(i)]).save(newCounts());
    expect(await blobs.names("import")).toHaveLength(100);
    expect(await checkpointOf(blobs, ["0"]).load()).toBeNull();
    expect(await checkpointOf(blobs, ["104"]).load()).not.toBeNull();
  });
});
