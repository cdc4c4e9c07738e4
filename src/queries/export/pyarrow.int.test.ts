import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { pyarrowPython } from "../../../load-tests/tools/install.ts";
import { orSkip } from "../../../test/support/engines.ts";
import { temporaryFolder } from "../../../test/support/folders.ts";
import { learningHistory } from "../../../test/support/learning-history.ts";
import { liveOn } from "../../../test/support/live-answers.ts";
import { memoryTarget } from "../../../test/support/memory-target.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { lrLite } from "../../domain/learner-model/models.ts";
import { exportInput, exportKind } from "./export-kind.ts";
import type { Format } from "./table-writer.ts";
import { type TableName, tableNames } from "./tables.ts";

/** Parquet as those read it who did not write it: Apache Arrow's own reader, beside NDJSON of the same rows. */
const found = await pyarrowPython({ install: false });
const python = "program" in found ? found.program : orSkip({ skip: found.missing });
const script = join(import.meta.dirname, "../../../test/support/read-parquet.py");
const model = lrLite as LearnerModel;
const now = Date.parse("2026-06-01T08:00:00Z");
const folder = temporaryFolder();

const readSchema = z.array(
  z.object({
    types: z.record(z.string(), z.string()),
    groups: z.number(),
    rows: z.array(z.record(z.string(), z.unknown())),
    after: z.number(),
  }),
);

/** Files, and what the first column of the rows that are asked for is greater than. */
async function readByPyarrow(files: readonly (readonly [path: string, after: string | number])[]) {
  const argv = files.flatMap(([path, after]) => [path, JSON.stringify(after)]);
  const { stdout } = await promisify(execFile)(python ?? "", [script, ...argv], { maxBuffer: 2 ** 28 });
  return readSchema.parse(JSON.parse(stdout));
}

describe.skipIf(python === null)("pyarrow", () => {
  const files = new Map<TableName, { readonly path: string; readonly rows: Record<string, unknown>[] }>();

  beforeAll(async () => {
    const history = await learningHistory(3, { model, events: 400, learners: 7 });
    const live = await liveOn(history, model);
    await live.at(await history.log.head(), now);
    const kind = exportKind({
      ...{ eventStore: live.store, feed: history.log, clock: { now: () => now } },
      // Small groups: a file of several.
      ...{ serving: async () => live, pace: { pageSize: 2, between: 20 } },
      pseudonymKey: async () => "a key of sixteen or more",
    });
    const exported = async (what: TableName, format: Format): Promise<Buffer> => {
      const target = memoryTarget();
      await kind.run(exportInput.parse({ what, format }), target.begin());
      return target.content(`${what}.${format}`) ?? Buffer.alloc(0);
    };
    for (const what of tableNames) {
      const path = join(folder, `${what}.parquet`);
      writeFileSync(path, await exported(what, "parquet"));
      const lines = (await exported(what, "ndjson")).toString().trimEnd().split("\n");
      files.set(what, { path, rows: lines.map((line) => JSON.parse(line)) });
    }
    await live.stop();
  });

  test("reads every table as NDJSON has it, row for row", { timeout: 180_000 }, async () => {
    const middleOf = (rows: readonly Record<string, unknown>[]) =>
      Object.values(rows[Math.floor(rows.length / 2)] ?? {})[0] as string | number;
    const asked = [...files.values()].map(({ path, rows }) => [path, middleOf(rows)] as const);
    const read = await readByPyarrow(asked);
    for (const [at, [what, { rows }]] of [...files].entries()) {
      expect(rows.length, what).toBeGreaterThan(5);
      expect(read[at]?.rows, what).toEqual(rows);
      const [first] = Object.keys(rows[0] ?? {});
      const after = asked[at]?.[1] ?? 0;
      expect(read[at]?.after, what).toBe(rows.filter((row) => (row[first ?? ""] as typeof after) > after).length);
    }
    expect(read[tableNames.indexOf("next")]?.groups).toBeGreaterThan(1);
  });

  test("knows what the columns are", { timeout: 180_000 }, async () => {
    const of = (what: TableName) => [files.get(what)?.path ?? "", what === "events" ? 0 : ""] as const;
    const [events, next] = await readByPyarrow([of("events"), of("next")]);
    expect(events?.types).toMatchObject({
      ...{ position: "int64 not null", recordedAt: "timestamp[ms, tz=UTC] not null", correct: "bool" },
      ...{ durationMs: "double", learnerId: "string", skillIds: "list<element: string not null>" },
    });
    expect(next?.types).toMatchObject({ p: "double not null", rules: "list<element: string not null> not null" });
  });
});
