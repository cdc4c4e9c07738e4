import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { eventually, newPlace, root, run, serve } from "./proximal.ts";
import { type ImportedLog, importsAndServes } from "./scenarios.ts";

const sampleLog: ImportedLog = {
  file: join(root, "src/app/demo/sample-log.csv"),
  rows: 4700,
  items: 199,
  skills: 18,
  learner: { id: "ada", answers: 141, title: /^Item / },
};

const spanish: ImportedLog = {
  file: process.env.PROXIMAL_SPANISH_CSV ?? join(root, "../shared/data/spanish.csv"),
  rows: 103_561,
  items: 409,
  skills: 221,
  learner: { id: "8", answers: 3015, title: /^Item \d+$/ },
};

describe("a file of answers becomes answers to what is next", () => {
  test("the sample log", { timeout: 180_000 }, () => importsAndServes(newPlace(), sampleLog));

  const there = existsSync(spanish.file);
  if (!there) process.stderr.write(`SKIPPED: no ${spanish.file}; PROXIMAL_SPANISH_CSV says where it is\n`);
  test.skipIf(!there)("real learners of Spanish", { timeout: 180_000 }, () => importsAndServes(newPlace(), spanish));
});

test("an import into a running server's folder shows at once", { timeout: 180_000 }, async () => {
  const place = newPlace();
  const server = await serve(place);
  expect((await run(place, ["import", "interactions", sampleLog.file])).code).toBe(0);
  const { body } = await eventually(
    "scores of ada",
    () => server.get("/v1/learners/ada/scores"),
    (reply) => reply.body.answers === sampleLog.learner.answers,
  );
  expect(body.interactions).toBe(sampleLog.learner.answers);
  const lag = await run(place, ["lag", "--json", "--url", server.url]);
  expect(JSON.parse(lag.stdout).head).toBeGreaterThanOrEqual(sampleLog.rows + sampleLog.items + sampleLog.skills);
  expect(await server.end("SIGINT")).toBe(0);
});
