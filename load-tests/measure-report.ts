import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openSqliteLog } from "../src/adapters/event-store/sqlite/log.ts";
import { defaultModel, type ModelName } from "../src/domain/learner-model/model-names.ts";
import { learnerModels } from "../src/domain/learner-model/models.ts";
import { sigmoid } from "../src/domain/learner-model/sigmoid.ts";
import type { AppendRequest } from "../src/ports/event-store.ts";
import { makeReport, reportCsv, reportHtml } from "../src/queries/reports/make-report.ts";
import { reportInputSchema, reportNames } from "../src/queries/reports/report-input.ts";
import { seededRandom } from "../test/support/random.ts";
import { appendAll, catalogueAt, eventAt } from "./made-log.ts";
import { wholeNumbers } from "./whole-number.ts";

/*
 * How long reports take on a log in SQLite, on this machine: `node load-tests/measure-report.ts` [--events 1000000]
 * [--learners 20000] [--items 50000] [--skills 500] [--model elo] [--only overview].
 *
 * Learners of different levels answer items of their skills, in turns as the log would have them, and get better at a skill with
 * each answer. Each report is made from the log to its page, CSV and plots, the largest memory since the start beside it.
 */

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    learners: { type: "string", default: "20000" },
    items: { type: "string", default: "50000" },
    skills: { type: "string", default: "500" },
    model: { type: "string", default: defaultModel },
    only: { type: "string" },
  },
});
const { events, learners, items, skills } = wholeNumbers(values, "events", "learners", "items", "skills");
const model = learnerModels[values.model as ModelName];
const start = Date.parse("2026-03-01T08:00:00Z");
const random = seededRandom(42);
const levels = Array.from({ length: learners }, () => random.next() * 4 - 2);
const difficulties = Array.from({ length: items }, () => random.next() * 3 - 1.5);
const practised = new Map<number, number>();

const folder = mkdtempSync(join(tmpdir(), "proximal-measure-"));
const log = await openSqliteLog({ folder });

/** Each learner works on 20 neighbouring skills: about 50 answers spread over them. */
function answer(n: number): AppendRequest {
  const learner = random.below(learners);
  const skill = (learner * 7 + random.below(20)) % skills;
  const item = skill + skills * random.below(Math.floor(items / skills));
  const key = learner * skills + skill;
  const before = practised.get(key) ?? 0;
  practised.set(key, before + 1);
  const correct = random.chance(sigmoid((levels[learner] ?? 0) - (difficulties[item] ?? 0) + 0.15 * before));
  const at = start + n * 3_000;
  const data = {
    ...{ interactionId: `n${n}`, learnerId: `learner-${learner}`, itemId: `item-${item}`, kind: "answer" },
    ...{ skillIds: [`skill-${skill}`], correct, durationMs: 3000 + random.below(20_000), source: "api" },
    occurredAt: new Date(at).toISOString(),
  };
  return eventAt(`learner-learner-${learner}`, "InteractionRecorded", data, at);
}

const catalogue = {
  skills: Array.from({ length: skills }, (_, k) => ({ skillId: `skill-${k}`, title: `Skill ${k}` })),
  items: Array.from({ length: items }, (_, k) => {
    return { itemId: `item-${k}`, title: `Item ${k}`, skillIds: [`skill-${k % skills}`] };
  }),
};

function* answers(): Generator<AppendRequest> {
  for (let n = 0; n < events; n += 1) yield answer(n);
}

try {
  await appendAll(log, catalogueAt(catalogue, start));
  await appendAll(log, answers());
  process.stdout.write(
    `${events} answers of ${learners} learners to ${items} items of ${skills} skills, model ${model.name}\n`,
  );
  for (const report of reportNames.filter((name) => values.only === undefined || name === values.only)) {
    const startedAt = performance.now();
    const cpu = process.cpuUsage();
    let foldedAt = startedAt;
    const document = await makeReport({ feed: log, model }, reportInputSchema.parse({ report }), {
      signal: new AbortController().signal,
      onProgress: () => {
        foldedAt = performance.now();
      },
    });
    const bytes = reportHtml(document, "").length + reportCsv(document).length;
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (performance.now() - startedAt) / 1000;
    process.stdout.write(
      `${report}: ${seconds.toFixed(1)} s, of which reading and counting ${((foldedAt - startedAt) / 1000).toFixed(1)} s; ` +
        `CPU ${((user + system) / 1e6).toFixed(1)} s; page and CSV ${(bytes / 1e6).toFixed(1)} MB; ` +
        `memory at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`,
    );
  }
} finally {
  await log.close();
  rmSync(folder, { recursive: true, force: true });
}
