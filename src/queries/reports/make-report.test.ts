import { randomUUID } from "node:crypto";
import { parse } from "csv-parse/sync";
import { beforeAll, describe, expect, test } from "vitest";
import { learningHistory } from "../../../test/support/learning-history.ts";
import { createMemoryLog } from "../../adapters/event-store/memory.ts";
import { currentSchemaVersion } from "../../domain/events.ts";
import { learnerModels } from "../../domain/learner-model/models.ts";
import { itemStream, learnerStream, servedStream, skillStream, trackStream } from "../../domain/streams.ts";
import type { EventStore } from "../../ports/event-store.ts";
import type { Feed } from "../../ports/feed.ts";
import type { DropOuts } from "./drop-outs.ts";
import type { Funnel } from "./funnel.ts";
import type { Items } from "./items.ts";
import type { LearningCurves } from "./learning-curves.ts";
import { makeReport, reportCsv, reportHtml } from "./make-report.ts";
import type { ReportDocument } from "./report-document.ts";
import { type ReportInput, type ReportName, reportInputSchema, reportNames } from "./report-input.ts";

const model = learnerModels["lr-lite"];
const dayMs = 86_400_000;
const start = Date.parse("2026-03-01T09:00:00Z");
type Log = EventStore & Feed;

async function append(log: Log, stream: string, type: string, data: object): Promise<void> {
  const metadata = { schemaVersion: currentSchemaVersion };
  const event = { eventId: randomUUID(), type, data, metadata, recordedAt: new Date(start).toISOString() };
  await log.append([{ stream, expected: "any", events: [event] }]);
}

function report(log: Log, name: ReportName, more: Partial<ReportInput> = {}): Promise<ReportDocument> {
  const input = reportInputSchema.parse({ report: name, ...more });
  return makeReport({ feed: log, model }, input, { signal: new AbortController().signal, onProgress: () => undefined });
}

/** Two skills, the second on the first, four items each and one that nobody meets. Answers as "1" right, "0" wrong, "h" hint, "v" view. */
async function school(
  learners: Readonly<Record<string, readonly [day: number, skill: string, answers: string][]>>,
): Promise<Log> {
  const log = createMemoryLog();
  await append(log, skillStream("add"), "SkillDefined", { skillId: "add", title: "Adding" });
  const prerequisites = [{ skillId: "add", weight: 1 }];
  await append(log, skillStream("multiply"), "SkillDefined", {
    skillId: "multiply",
    title: "Multiplying",
    prerequisites,
  });
  for (const skill of ["add", "multiply"]) {
    for (const k of [0, 1, 2, 3, 4]) {
      const itemId = `${skill}-${k}`;
      await append(log, itemStream(itemId), "ItemPublished", { itemId, title: `Item ${itemId}`, skillIds: [skill] });
    }
  }
  await append(log, trackStream("adding"), "TrackDefined", {
    trackId: "adding",
    title: "Only adding",
    skillIds: ["add"],
  });
  for (const [learnerId, days] of Object.entries(learners)) {
    for (const [day, skill, answers] of days) {
      for (const [k, each] of [...answers].entries()) {
        const kind = each === "h" ? "hint" : each === "v" ? "view" : "answer";
        await append(log, learnerStream(learnerId), "InteractionRecorded", {
          interactionId: `${learnerId}-${day}-${skill}-${k}`,
          learnerId,
          itemId: `${skill}-${k % 4}`,
          kind,
          skillIds: [skill],
          ...(kind === "answer" ? { correct: each === "1", durationMs: 10_000 } : {}),
          occurredAt: new Date(start + day * dayMs + k * 60_000).toISOString(),
        });
      }
    }
  }
  return log;
}

describe("a small school, by hand", () => {
  let log: Log;
  beforeAll(async () => {
    log = await school({
      // Four right ones in a row reach mastery .95 where the model knows nothing yet, three do not; two skills are all there are.
      ada: [
        [0, "add", "1111"],
        [30, "multiply", "1111"],
      ],
      bob: [
        [0, "add", "1111"],
        [1, "multiply", "00"],
      ],
      cleo: [[0, "add", "01000"]],
      dan: [[0, "add", "v"]],
      eve: [[29, "add", "1h11"]],
    });
  });

  test("funnel: who started, answered, opened and mastered what, and where they stand", async () => {
    const { result } = await report(log, "funnel");
    const funnel = result as Funnel;
    expect(funnel).toMatchObject({
      started: 5,
      answered: 4,
      practised: 0,
      masteredOne: 2,
      masteredHalf: 2,
      masteredAll: 1,
    });
    expect(
      funnel.skills.map(({ skillId, opened, practised, mastered, holding, here, stuck }) => [
        skillId,
        opened,
        practised,
        mastered,
        holding,
        here,
        stuck,
      ]),
    ).toEqual([
      ["add", 5, 4, 2, 2, 2, 0],
      ["multiply", 3, 2, 1, 1, 1, 0],
    ]);
    // Ada mastered what she did last, Dan answered nothing.
    expect(funnel.elsewhere).toBe(2);
  });

  test("drop-outs: who stopped where, with those still active and those who finished censored", async () => {
    const { result } = await report(log, "drop-outs", { learners: true });
    const found = result as DropOuts;
    expect(found).toMatchObject({ learners: 5, stopped: 3, active: 1, finished: 1 });
    // Stopped: Bob on day 1, Cleo and Dan on day 0. Ada was seen 30 days, Eve none, and both go on.
    expect(found.byDays.steps.map(({ time, atRisk, ended, survival }) => [time, atRisk, ended, survival])).toEqual([
      [0, 5, 2, 0.6],
      [1, 2, 1, 0.3],
    ]);
    expect(found.afterWrong.map(({ id, answers, stopped }) => [id, answers, stopped])).toEqual([
      ["0", 16, 0],
      ["1", 3, 0],
      ["2", 2, 1],
      ["3", 1, 1],
      ["4", 0, 0],
      ["5", 0, 0],
      ["6", 0, 0],
    ]);
    expect(found.stoppedLearners).toEqual([
      expect.objectContaining({ learnerId: "bob", lastItemId: "multiply-1", wrongInARow: 2, answers: 6 }),
      expect.objectContaining({ learnerId: "cleo", lastItemId: "add-0", wrongInARow: 3, answers: 5 }),
      expect.objectContaining({ learnerId: "dan", lastItemId: null, wrongInARow: 0, answers: 0 }),
    ]);
  });

  test("learners are named only where that was asked for", async () => {
    const pages = await Promise.all(reportNames.map(async (name) => reportHtml(await report(log, name), "")));
    for (const page of pages) expect(page).not.toContain("cleo");
    expect(reportHtml(await report(log, "drop-outs", { learners: true }), "")).toContain("cleo");
  });

  test("learning curves: errors by opportunity, each learner's answers in their order", async () => {
    const { curves } = (await report(log, "learning-curves")).result as LearningCurves;
    const add = curves.find(({ skillId }) => skillId === "add");
    expect(
      add?.points.map(({ opportunity, learners, error }) => [
        opportunity,
        learners,
        Math.round(error.estimate * learners),
      ]),
    ).toEqual([
      [1, 4, 1],
      [2, 4, 0],
      [3, 4, 1],
      [4, 3, 1],
      [5, 1, 1],
    ]);
    expect(add).toMatchObject({ title: "Adding", learners: 4, answers: 16, category: "too_little_data" });
  });

  test("items: first answers, hints, and the one that nobody met", async () => {
    const { items } = (await report(log, "items")).result as Items;
    const first = items.find(({ itemId }) => itemId === "add-0");
    // Cleo answers it twice: only the first counts for facility.
    expect(first).toMatchObject({
      answers: 5,
      learners: 4,
      interactions: 6,
      facility: { estimate: 0.75, n: 4 },
      flags: [],
    });
    expect(items.find(({ itemId }) => itemId === "add-1")?.interactions).toBe(4);
    expect(
      items.filter(({ flags }) => flags.some(({ code }) => code === "never_met")).map(({ itemId }) => itemId),
    ).toEqual(["add-4", "multiply-4"]);
  });

  test("items that are in lists but not worked on are told from those in no list", async () => {
    const served = await school({ ada: [[0, "add", "1"]] });
    const list = {
      selectionId: "s1",
      learnerId: "ada",
      sessionType: "practice",
      trackId: null,
      policyVersion: "default@0",
    };
    const shown = ["add-1", "add-0"].map((itemId) => ({ itemId, p: 0.5, propensity: 1, reason: "open_skill" }));
    const how = { revision: 1, position: 1, source: "personal", computed: "precomputed", size: 2, items: shown };
    await append(served, servedStream("ada"), "ItemsServed", { ...list, model: "elo", modelVersion: 0, ...how });
    const { items } = (await report(served, "items")).result as Items;
    const of = (id: string) => items.find(({ itemId }) => itemId === id);
    expect(of("add-0")).toMatchObject({ served: 1, interactions: 1, flags: [] });
    expect(of("add-1")?.flags).toEqual([
      { code: "never_met", reason: "nobody has worked on it, though it was in 1 list" },
    ]);
    expect(of("add-2")?.flags).toEqual([{ code: "never_served", reason: "in no list that was given out" }]);
  });

  test("of a track, of a skill, from a time and up to one", async () => {
    const started = async (more: Partial<ReportInput>) =>
      ((await report(log, "funnel", more)).result as Funnel).started;
    expect(await started({ from: "2026-03-20T00:00:00Z" })).toBe(2);
    expect(await started({ to: "2026-03-02T00:00:00Z" })).toBe(4);
    const { skills } = (await report(log, "funnel", { trackId: "adding" })).result as Funnel;
    expect(skills.map(({ skillId }) => skillId)).toEqual(["add"]);
    const { curves } = (await report(log, "learning-curves", { skillId: "multiply" })).result as LearningCurves;
    expect(curves.map(({ skillId, answers }) => [skillId, answers])).toEqual([["multiply", 6]]);
    // What Ada did before is known: she had mastered adding.
    const late = (await report(log, "funnel", { from: "2026-03-30T00:00:00Z" })).result as Funnel;
    expect(late).toMatchObject({ started: 2, masteredAll: 1 });
  });

  test("nothing to report is said, and why", async () => {
    await expect(report(log, "items", { trackId: "none" })).rejects.toThrow("there is no track none");
    await expect(report(log, "items", { skillId: "none" })).rejects.toThrow("there is no skill none");
    await expect(report(log, "items", { to: "2000-01-01T00:00:00Z" })).rejects.toThrow("no interaction is within");
    await expect(report(createMemoryLog(), "items")).rejects.toThrow("the log has no interactions yet");
  });
});

describe("on a random history with everything in it", () => {
  let log: Log;
  beforeAll(async () => {
    const history = await learningHistory(7, { model, events: 1_500 });
    ({ log } = history);
    await history.append(learnerStream("learner-0"), "InteractionRecorded", { nonsense: true });
  });

  test.each(reportNames)("%s: page, CSV and plots are well-formed, and the same each time", async (name) => {
    const document = await report(log, name);
    const page = reportHtml(document, `<b>"x"</b>`);
    expect(page).toBe(reportHtml(await report(log, name), `<b>"x"</b>`));
    expect(page).not.toMatch(/NaN|Infinity|undefined|<b>|<script/);
    expect(page).toContain("1 events could not be read and are left out.");
    const [head, ...rows] = parse(reportCsv(document)) as string[][];
    expect(head).toEqual(document.table.columns);
    expect(rows).toHaveLength(document.table.rows.length);
    for (const { name: file, svg } of document.plots) {
      expect(file).toMatch(/^[a-z0-9-]+$/);
      expect(svg).toMatch(/^<svg .*<\/svg>$/s);
    }
    expect(new Set(document.plots.map((plot) => plot.name)).size).toBe(document.plots.length);
    // What is kept with a replay is JSON that comes back as it is.
    expect(JSON.parse(JSON.stringify(document.summary))).toEqual(document.summary);
  });

  test("Ctrl-C is heard", async () => {
    const stop = new AbortController();
    stop.abort(new Error("stopped"));
    const options = { signal: stop.signal, onProgress: () => undefined };
    const input = reportInputSchema.parse({ report: "items" });
    await expect(makeReport({ feed: log, model }, input, options)).rejects.toThrow("stopped");
  });
});

test("a cell that a spreadsheet would run is made text", () => {
  const table = { columns: ["a"], rows: [["=1+1"], ["-x"], ['a,b\n"c"'], [-1], [null]] };
  const document = { table } as unknown as ReportDocument;
  expect(reportCsv(document)).toBe(`a\n'=1+1\n'-x\n"a,b\n""c"""\n-1\n\n`);
});
