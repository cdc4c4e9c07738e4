import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { learnerModels } from "../src/domain/learner-model/models.ts";
import { rowFormat } from "../src/projections/rows.ts";
import { fileDigest, readAnswers, readDigests } from "./support/histories/expected.ts";
import { historiesFolder, historyNames, openHistory } from "./support/histories/history-file.ts";
import { recordings } from "./support/histories/recordings.ts";
import { replay } from "./support/histories/replay.ts";

/*
 * Logs recorded at some time, replayed by the code of today. Where this fails, the code makes something else of what learners
 * did once: read the difference in the answers. If it is meant, write it down with `npm run histories -- expect`, and say why
 * in the commit; the events themselves are never edited (test/histories/README.md).
 */
const digests = readDigests();

describe("histories replayed for ever", () => {
  test("each recording has its file, as it was recorded, and together they stay small", () => {
    expect(historyNames()).toEqual(Object.keys(recordings).sort());
    expect(Object.keys(digests)).toEqual(historyNames());
    for (const name of historyNames()) expect([name, fileDigest(name)]).toEqual([name, digests[name]?.file]);
    const bytes = readdirSync(historiesFolder).map((name) => statSync(join(historiesFolder, name)).size);
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(300_000);
  });

  const cases = historyNames().flatMap((name) =>
    Object.entries(learnerModels).map(([model, made]) => ({ name, model, made })),
  );
  test.each(cases)(
    "$name by $model: the same answers, and rows the same to the last bit",
    async ({ name, model, made }) => {
      const { rows, answers } = await replay(await openHistory(name), made);
      expect(answers).toEqual(readAnswers(name, model));
      expect({ format: rowFormat, digest: rows }).toEqual(digests[name]?.rows[model]);
    },
  );
});
