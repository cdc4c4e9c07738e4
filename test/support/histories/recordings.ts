import { createHash } from "node:crypto";
import { createMemoryBlobs } from "../../../src/adapters/blobs/memory.ts";
import { createMemoryLog } from "../../../src/adapters/event-store/memory.ts";
import { course } from "../../../src/app/demo/course.ts";
import { sampleLogCsv, sampleLogOptions } from "../../../src/app/demo/sample-log.ts";
import { defineSkills, retireSkills } from "../../../src/commands/define-skills.ts";
import { defineTracks, retireTracks } from "../../../src/commands/define-tracks.ts";
import type { CatalogueCommandDeps, CatalogueOutcome } from "../../../src/commands/handle.ts";
import { publishItems, retireItems } from "../../../src/commands/publish-items.ts";
import { recordInteractions } from "../../../src/commands/record-interactions.ts";
import type { LearnerModel } from "../../../src/domain/learner-model/learner-model.ts";
import { elo, lrLite } from "../../../src/domain/learner-model/models.ts";
import { learnerStream, modelStream, skillStream } from "../../../src/domain/streams.ts";
import { createCatalogueFollower } from "../../../src/workers/catalogue-follower.ts";
import { learningHistory } from "../learning-history.ts";
import { seededRandom } from "../random.ts";
import { experimentServed } from "./experiment-served.ts";
import { historyBytes } from "./history-file.ts";
import { trained } from "./train.ts";

/**
 * How each history was made, as of when it was made. A recording is made once, and its file stays as it is: the code that made
 * it goes on, and would make another one today.
 */
export const recordings: Readonly<Record<string, () => Promise<Buffer>>> = {
  "class-of-eight": classOfEight,
  "small-school": smallSchool,
  "catalogue-churn": catalogueChurn,
  "old-and-broken": oldAndBroken,
  "experiment-served": experimentServed,
  "rules-served": () => experimentServed(47, 5, { reviewWait: { tolerance: 0.1, daysMax: 2 } }),
};

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A service that only writes: commands on a log in memory, with a clock that is set and ids that repeat. */
async function writer(seed: string, startsAt: string) {
  const log = createMemoryLog();
  const blobs = createMemoryBlobs();
  const catalogue = createCatalogueFollower({ feed: log, log: silent, pauseMs: 1 });
  let time = Date.parse(startsAt);
  let ids = 0;
  const randomId = (): string => {
    const hex = createHash("sha256").update(`${seed} ${++ids}`).digest("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  };
  const deps: CatalogueCommandDeps = { eventStore: log, catalogue, clock: { now: () => time }, randomId };
  const all = async (outcomes: Promise<readonly CatalogueOutcome[]>): Promise<void> => {
    const refused = (await outcomes).find(({ status }) => status === "refused");
    if (refused !== undefined) throw new Error(`refused: ${JSON.stringify(refused)}`);
  };
  return {
    ...{ log, blobs, deps, all },
    at(to: number): void {
      time = to;
    },
    pass(ms: number): void {
      time += ms;
    },
    async interactions(inputs: readonly unknown[]): Promise<void> {
      const outcomes = await recordInteractions({ ...deps, eventStore: log }, inputs);
      const bad = outcomes.find(({ status }) => status === "rejected");
      if (bad !== undefined) throw new Error(`rejected: ${JSON.stringify(bad)}`);
    },
    /** As the log of another version, or of two racing processes, may hold it: no command decides on it. */
    async raw(stream: string, type: string, data: object, schemaVersion = 1): Promise<void> {
      const recordedAt = new Date(time).toISOString();
      const event = { eventId: randomId(), type, data, metadata: { schemaVersion }, recordedAt };
      await log.append([{ stream, expected: "any", events: [event] }]);
    },
    async ended(): Promise<Buffer> {
      await catalogue.stop();
      return historyBytes(log, blobs, ["model"]);
    },
  };
}

type Writer = Awaited<ReturnType<typeof writer>>;

const publishWeights = async (service: Writer, model: LearnerModel): Promise<void> =>
  service.raw(modelStream, "ModelPublished", await trained(service, model));

/** The demo course, and eight learners of it; both models published twice on the way. */
async function classOfEight(): Promise<Buffer> {
  const service = await writer("class-of-eight", "2025-09-01T06:00:00Z");
  const { deps, all } = service;
  await all(defineSkills(deps, course.skills));
  await all(publishItems(deps, course.items));
  await all(defineTracks(deps, course.tracks));
  const [, ...lines] = sampleLogCsv(course.skills, course.items, { ...sampleLogOptions, learners: 8 })
    .trim()
    .split("\n");
  for (const [at, line] of lines.slice(0, 1_000).entries()) {
    const [seq, , learnerId, itemId, , seconds, correct, durationMs, hintCount] = line.split(",");
    const occurredAt = Number(seconds) * 1_000;
    service.at(occurredAt + 900);
    const answer = {
      kind: "answer",
      correct: correct === "1",
      durationMs: Number(durationMs),
      hintCount: Number(hintCount),
    };
    const trackId = course.tracks[0]?.trackId;
    const session = at % 9 === 0 ? { sessionType: "review" } : at % 4 === 0 ? { trackId } : {};
    await service.interactions([
      { id: `seq-${seq}`, learnerId, itemId, occurredAt: new Date(occurredAt).toISOString(), ...answer, ...session },
    ]);
    if (at === 300 || at === 800)
      for (const model of [lrLite, elo]) await publishWeights(service, model as LearnerModel);
  }
  return service.ended();
}

/** All kinds of interactions in all sorts of sessions; items revised and retired; clocks that go back by days. */
async function smallSchool(): Promise<Buffer> {
  const { log, blobs } = await learningHistory(20_261_128, { model: lrLite as LearnerModel, events: 700, learners: 9 });
  return historyBytes(log, blobs, ["model"]);
}

/** Prerequisites that change and race into a cycle, skills and tracks retired and back, items moved between skills. */
async function catalogueChurn(): Promise<Buffer> {
  const service = await writer("catalogue-churn", "2026-02-02T08:00:00Z");
  const { deps, all } = service;
  const random = seededRandom(4);
  const skills = ["a", "b", "c", "d"];
  const needs = (skillId: string, ...ids: string[]) => ({
    ...{ skillId, title: `Skill ${skillId}` },
    prerequisites: ids.map((id) => ({ skillId: id })),
  });
  await all(defineSkills(deps, [needs("a"), needs("b", "a"), needs("c", "b"), needs("d", "a", "c")]));
  const item = (n: number, ...skillIds: string[]) => ({
    ...{
      itemId: `i${n}`,
      title: `Item ${n}`,
      skillIds,
      difficulty: (n % 5) - 2,
      kind: n % 6 === 5 ? "video" : "exercise",
    },
    tags: [`tag-${n % 3}`],
  });
  await all(
    publishItems(
      deps,
      Array.from({ length: 32 }, (_, n) => item(n, skills[n % 4] ?? "a")),
    ),
  );
  const track = {
    trackId: "t",
    title: "T",
    skillIds: ["a", "b", "c"],
    policy: { itemKinds: ["exercise"], doNotRepeat: 4 },
  };
  await all(
    defineTracks(deps, [track, { trackId: "u", title: "U", itemIds: ["i1", "i2", "i3"], pinnedItemIds: ["i9"] }]),
  );
  let answers = 0;
  const work = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) {
      service.pass(40_000 + random.below(3_600_000));
      const itemId = `i${random.below(32)}`;
      const trackId = random.chance(0.5) ? { trackId: random.pick(["t", "u"]) } : {};
      const learnerId = `pupil-${random.below(6)}`;
      await service.interactions([
        { id: `n${++answers}`, learnerId, itemId, kind: "answer", correct: random.chance(0.7), ...trackId },
      ]);
    }
  };
  const changes: (() => Promise<void>)[] = [
    () => all(retireItems(deps, ["i0", "i4", "i8"])),
    () => all(defineSkills(deps, [needs("c", "a"), needs("d", "b")])),
    () => all(retireSkills(deps, ["b"])),
    () => all(publishItems(deps, [item(4, "d"), item(8, "c", "d"), item(9)])),
    // Two processes that each saw the other's skill without its prerequisite: the log holds a cycle.
    () => service.raw(skillStream("a"), "SkillDefined", needs("a", "c")),
    () =>
      all(
        defineTracks(deps, [{ ...track, policy: { targetSuccess: 0.6, explorationRate: 0.3 }, barredItemIds: ["i5"] }]),
      ),
    () => all(retireTracks(deps, ["u"])),
    () => all(defineSkills(deps, [needs("b", "a")])),
    () => all(publishItems(deps, [{ ...item(12, "b"), title: "Renamed", contentUri: "https://example.org/12" }])),
    () => all(defineTracks(deps, [{ trackId: "u", title: "U again", skillIds: ["d"] }])),
  ];
  for (const change of changes) {
    await work(45);
    service.pass(60_000);
    await change();
  }
  await work(45);
  return service.ended();
}

/** Events with nothing but what was always asked for; and events that no fold can read: learners parked, entries kept. */
async function oldAndBroken(): Promise<Buffer> {
  const service = await writer("old-and-broken", "2026-01-05T08:00:00Z");
  const { raw } = service;
  const random = seededRandom(11);
  await raw("skill-s", "SkillDefined", { skillId: "s", title: "S" });
  await raw("skill-r", "SkillDefined", { skillId: "r", title: "R", prerequisites: [{ skillId: "s" }] });
  for (let n = 0; n < 12; n += 1) {
    await raw(`item-i${n}`, "ItemPublished", {
      itemId: `i${n}`,
      title: `Item ${n}`,
      skillIds: [n % 2 === 0 ? "s" : "r"],
    });
  }
  await raw("track-t", "TrackDefined", { trackId: "t", title: "T" });
  let told = 0;
  const interaction = (learnerId: string, more: object = {}) => {
    const itemId = `i${random.below(12)}`;
    const occurredAt = new Date(Date.parse("2026-01-05T08:00:00Z") + told * 3_600_000).toISOString();
    told += 1;
    return {
      ...{
        interactionId: `o${told}`,
        learnerId,
        itemId,
        kind: "answer",
        skillIds: [],
        correct: random.chance(0.6),
        occurredAt,
      },
      ...more,
    };
  };
  const learners = ["ada", "bo", "cy", "di", "ed"];
  const spoilt: Record<number, [string, string, object, number?]> = {
    60: [learnerStream("bo"), "InteractionRecorded", { ...interaction("bo"), kind: "telepathy" }],
    80: [learnerStream("cy"), "InteractionForgotten", { learnerId: "cy" }],
    100: [learnerStream("di"), "InteractionRecorded", interaction("di"), 99],
    120: ["item-i3", "ItemRevised", { itemId: "i3", title: "" }],
    140: ["skill-s", "SkillRenamed", { skillId: "s", name: "Sums" }],
    160: [
      "model",
      "ModelPublished",
      { version: 1, model: "lr-of-another-time", trainedTo: 9, answers: 9, metrics: {}, weights: "gone" },
    ],
  };
  for (let n = 0; n < 240; n += 1) {
    service.pass(3_600_000);
    const broken = spoilt[n];
    if (broken !== undefined) await raw(...broken);
    const learnerId = random.pick(learners);
    const late = random.chance(0.2)
      ? { occurredAt: new Date(Date.parse("2026-01-05T08:00:00Z") + random.below(n + 1) * 3_600_000).toISOString() }
      : {};
    await raw(learnerStream(learnerId), "InteractionRecorded", interaction(learnerId, { skillIds: ["s"], ...late }));
  }
  return service.ended();
}
