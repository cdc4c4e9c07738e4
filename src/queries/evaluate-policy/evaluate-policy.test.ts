import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createMemoryBlobs } from "../../adapters/blobs/memory.ts";
import { createMemoryLog } from "../../adapters/event-store/memory.ts";
import { decodeEvent } from "../../domain/decode-event.ts";
import { currentSchemaVersion, type ItemsServed, type PolicyOverrides, policySchema } from "../../domain/events.ts";
import { buildBank, overridden, withPolicy } from "../../domain/item-bank/bank.ts";
import { emptyCatalogue, evolveCatalogue } from "../../domain/item-bank/catalogue.ts";
import type { ItemBank } from "../../domain/item-selection/selection.ts";
import { evolveLearner, type LearnerState, newLearnerState } from "../../domain/learner/learner-state.ts";
import { selectForLearner } from "../../domain/learner/select-for-learner.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { lrLite } from "../../domain/learner-model/models.ts";
import { type Random, seededRandom, standardNormal } from "../../domain/random.ts";
import { itemStream, learnerStream, servedStream, skillStream, trackStream } from "../../domain/streams.ts";
import { evaluatePolicy, type PolicyQuestion } from "./evaluate-policy.ts";

const model = lrLite as LearnerModel;
const weights = model.newWeights();
const start = Date.parse("2026-03-01T08:00:00Z");
const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
const skills = ["a", "b", "c"];
const logging = policySchema.parse({ explorationRate: 0.5, reviewShare: 0 });
const size = 3;

/** Skills differ in how hard they are, and items within them, for learners who differ: what the model has to guess. */
const chance = (level: number, itemId: string): number => {
  const [skill = "a", n = "0"] = itemId.split("-");
  return 1 / (1 + Math.exp(-(level + 1.2 - 0.9 * skills.indexOf(skill) - 0.25 * Number(n))));
};

interface School {
  readonly log: ReturnType<typeof createMemoryLog>;
  readonly bank: ItemBank;
  append(stream: string, type: string, data: object): Promise<{ revision: number; position: number }>;
}

async function school(): Promise<School> {
  const log = createMemoryLog();
  let time = start;
  const append: School["append"] = async (stream, type, data) => {
    time += 1000;
    const recordedAt = new Date(time).toISOString();
    const event = { eventId: randomUUID(), type, data, metadata: { schemaVersion: currentSchemaVersion }, recordedAt };
    const [result] = await log.append([{ stream, expected: "any", events: [event] }]);
    if (result?.status !== "appended") throw new Error(`not appended: ${result?.status}`);
    return result;
  };
  for (const skillId of skills) {
    await append(skillStream(skillId), "SkillDefined", { skillId, title: skillId, prerequisites: [] });
    for (let n = 0; n < 3; n += 1) {
      const itemId = `${skillId}-${n}`;
      await append(itemStream(itemId), "ItemPublished", {
        itemId,
        title: itemId,
        skillIds: [skillId],
        difficulty: n / 4,
      });
    }
  }
  await append(trackStream("t"), "TrackDefined", { trackId: "t", title: "T", skillIds: skills, policy: logging });
  const catalogue = emptyCatalogue();
  for (const event of (await log.read(0, 1_000)).events) evolveCatalogue(catalogue, decodeEvent(event));
  const bank = buildBank(catalogue, "t");
  if (bank === null) throw new Error("no bank");
  return { log, bank, append };
}

/** A learner who has answered three items of nobody's choice: the same under any policy. */
async function warmUp({ log, append, bank }: School, learnerId: string, level: number, random: Random) {
  const state = newLearnerState(model);
  const itemIds = [...bank.items.keys()];
  for (let n = 0; n < 3; n += 1) {
    const itemId = itemIds[Math.floor(random() * itemIds.length)] ?? "";
    await answer({ append }, learnerId, itemId, random() < chance(level, itemId), { interactionId: `w-${n}` });
  }
  for (const stored of await log.readStream(learnerStream(learnerId), { limit: 10 })) {
    const event = decodeEvent(stored);
    if (event.type === "InteractionRecorded") evolveLearner(state, event, { model, weights, policy: logging });
  }
  return state;
}

const answer = (
  { append }: Pick<School, "append">,
  learnerId: string,
  itemId: string,
  correct: boolean,
  more: object,
) =>
  append(learnerStream(learnerId), "InteractionRecorded", {
    ...{ learnerId, itemId, skillIds: [itemId.split("-")[0]], kind: "answer", correct, trackId: "t" },
    ...{ occurredAt: new Date(start).toISOString(), ...more },
  });

const listFor = (learnerId: string, state: LearnerState, bank: ItemBank) =>
  selectForLearner({
    ...{ learnerId, state, bank, model, weights, sessionType: "practice", now: state.recordedAt, size },
  }).items;

/** A class that is given lists under the logging policy, and does the first two items of them. */
async function classOf(learners: number, seed: string): Promise<School> {
  const one = await school();
  const random = seededRandom(seed);
  for (let n = 0; n < learners; n += 1) {
    const learnerId = `${seed}-${n}`;
    const level = standardNormal(random);
    const state = await warmUp(one, learnerId, level, random);
    const items = listFor(learnerId, state, one.bank);
    const served: ItemsServed = {
      ...{ selectionId: `s-${n}`, learnerId, sessionType: "practice", trackId: "t", policyVersion: "t@1" },
      ...{ model: model.name, modelVersion: 0, revision: state.revision, position: state.position },
      ...{ source: "personal", computed: "precomputed", size, candidates: [] },
      items: items.map(({ itemId, p, propensity, reason }) => ({ itemId, p, propensity, reason: reason.code })),
    };
    // It is stored after the first answer, as happens: it was buffered.
    for (const [place, { itemId }] of items.slice(0, 2).entries()) {
      const correct = random() < chance(level, itemId);
      await answer(one, learnerId, itemId, correct, { interactionId: `a-${place}`, selectionId: served.selectionId });
      if (place === 0) await one.append(servedStream(learnerId), "ItemsServed", served);
    }
  }
  return one;
}

async function evaluate({ log }: School, policy: PolicyOverrides, more: Partial<PolicyQuestion> = {}) {
  const deps = { feed: log, store: log, blobs: createMemoryBlobs(), model, log: silent };
  const range = { trackId: "t", from: 0, to: await log.head() };
  return evaluatePolicy(deps, { ...range, policy, reward: "success", resamples: 200, ...more });
}

/** Right answers under the other policy, by running it on a large class of other learners. */
async function run(policy: PolicyOverrides, learners: number): Promise<number> {
  const one = await school();
  const bank = withPolicy(one.bank, overridden(one.bank.policy, policy), "other");
  const random = seededRandom("run it");
  let right = 0;
  for (let n = 0; n < learners; n += 1) {
    const level = standardNormal(random);
    const state = await warmUp(one, `run-${n}`, level, random);
    for (const { itemId } of listFor(`run-${n}`, state, bank).slice(0, 2)) right += chance(level, itemId);
  }
  return right / (2 * learners);
}

const other: PolicyOverrides = { explorationRate: 0.25, interleaving: 0 };

describe("evaluatePolicy", () => {
  test("holds what comes of running the other policy, log after log", async () => {
    const truth = await run(other, 1_500);
    const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 8);
    const covered = { ips: 0, snips: 0, dr: 0, model: 0 };
    for (let seed = 0; seed < runs; seed += 1) {
      const { estimates, lists, evidence } = await evaluate(await classOf(250, `class-${seed}`), other);
      expect(lists).toMatchObject({ served: 250, answered: 250, reproduced: 250 });
      expect(evidence).toMatchObject({ decisions: 500, learners: 250 });
      for (const name of ["ips", "snips", "dr", "model"] as const) {
        const { low, high } = estimates[name];
        covered[name] += low <= truth && truth <= high ? 1 : 0;
      }
    }
    if (runs > 8) process.stdout.write(`of ${runs} logs: ${JSON.stringify(covered)}\n`);
    for (const name of ["ips", "snips", "dr"] as const) expect(covered[name], name).toBeGreaterThanOrEqual(0.87 * runs);
    // The model has learned nothing yet: alone it is wrong, and dr is not, for that it knows what came.
    expect(covered.model).toBeLessThan(0.2 * runs);
  }, 900_000);

  test("of the policy that served gives what was logged", async () => {
    const { estimates, evidence, unsupported } = await evaluate(await classOf(60, "same"), {});
    expect(evidence.weightMax).toBeCloseTo(1, 3);
    expect(unsupported).toBe(0);
    expect(estimates.snips.estimate).toBeCloseTo(estimates.logged.estimate, 3);
    expect(Math.abs(estimates.gain.estimate)).toBeLessThan(0.1);
  });

  test("warns of a policy that does what was never done, and of too little evidence", async () => {
    const one = await classOf(40, "few");
    const { warnings, unsupported, evidence } = await evaluate(one, { explorationRate: 0, targetSuccess: 0.3 });
    expect(evidence.effective).toBeLessThan(80);
    expect(warnings.join("\n")).toContain("worth of evidence");
    expect(unsupported).toBeGreaterThanOrEqual(0);
    await expect(evaluate(one, other, { trackId: "nope" })).rejects.toThrow("there is no track nope");
    const { evidence: none, warnings: said } = await evaluate(one, other, { to: 13 });
    expect([none.decisions, said[0]]).toEqual([0, expect.stringContaining("no list was given out")]);
  });

  test("counts growth of mastery as well, and passes over what cannot be asked again", async () => {
    const one = await classOf(40, "growth");
    const served = (await one.log.read(0, 10_000, { categories: ["served"] })).events[0]?.data as ItemsServed;
    for (const more of [{ revision: 0 }, { source: "stale" }, { cut: true }]) {
      const selectionId = `x-${JSON.stringify(more)}`.replaceAll(/\s/g, "");
      await one.append(servedStream("x"), "ItemsServed", { ...served, learnerId: "x", selectionId, ...more });
    }
    const { lists, estimates } = await evaluate(one, other, { reward: "learning" });
    expect(lists).toMatchObject({ served: 43, passedOver: { newLearner: 1, stale: 1, cut: 1 }, answered: 40 });
    expect(Math.abs(estimates.logged.estimate)).toBeLessThan(0.5);
    expect(estimates.dr.low).toBeLessThan(estimates.dr.high);
  });
});
