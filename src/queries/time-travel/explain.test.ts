import { describe, expect, test } from "vitest";
import { type History, learningHistory } from "../../../test/support/learning-history.ts";
import { seededRandom } from "../../../test/support/random.ts";
import { itemsServedSchema } from "../../domain/events.ts";
import { explore } from "../../domain/item-selection/exploration.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { learnerModels } from "../../domain/learner-model/models.ts";
import { servedStream } from "../../domain/streams.ts";
import { comparedWith } from "./compare-served.ts";
import { createExplainer, type Explanation } from "./explainer.ts";
import { nextInPast } from "./past-next.ts";
import { createTimeTravel } from "./time-travel.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const seed = Number(process.env.PROXIMAL_SEED ?? 20_260_603);
const listSize = 12;
const clock = { now: () => Date.parse("2030-01-01T00:00:00Z") };

function depsOf({ log, blobs }: History, model: LearnerModel) {
  return { store: log, feed: log, blobs, model, log: silent, listSize, eventsMax: 100_000, clock };
}

describe.each(["lr-lite", "lr-full", "elo"] as const)("with the model %s", (name) => {
  const model = learnerModels[name] as LearnerModel;

  test("the list explained is the list that is answered, and what it is explained by adds up", async () => {
    const history = await learningHistory(seed, { model, events: 260, learners: 6 });
    const deps = depsOf(history, model);
    const explainer = createExplainer({ ...deps, live: null });
    const travel = createTimeTravel(deps);
    const random = seededRandom(seed);
    let explained = 0;
    for (let round = 0; round < 25; round += 1) {
      const at = String(120 + random.below(180));
      const learnerId = random.pick(history.learnerIds);
      const session = random.pick(["practice", "review", "placement"] as const);
      const request = { learnerId, at, selectionId: null, session, count: 5 };
      const why = await explainer.explain(request).catch((error: Error) => error.message);
      if (typeof why === "string") continue;
      explained += 1;
      const asked = { count: 5, trackId: null, sessionType: session, exclude: new Set<string>(), skillIds: null };
      const [text = ""] = (
        await travel.ask(at, async (past) => ({
          said: await nextInPast(past, listSize, [learnerId], { ...asked, after: null, cacheKey: null }),
        }))
      ).said;
      const answer = JSON.parse(text);
      const short = (p: number) => Math.round(p * 10_000) / 10_000;
      expect(why.items.map((item) => [item.itemId, short(item.p), item.reason.code])).toEqual(
        answer.items.map((item: { itemId: string; p: number; reason: { code: string } }) => {
          return [item.itemId, item.p, item.reason.code];
        }),
      );
      for (const key of ["computed", "policyVersion", "modelVersion", "revision", "trackId"] as const) {
        expect(why.list[key], key).toEqual(answer[key]);
      }
      checkPredictions(why);
      checkDraws(why);
    }
    expect(explained).toBeGreaterThan(15);
  });
});

function checkPredictions({ items, considered }: Explanation): void {
  const looked = new Set(considered.flatMap(({ candidates }) => candidates.map(({ itemId }) => itemId)));
  for (const { itemId, p, prediction } of items) {
    expect(prediction.p).toBe(p);
    const sum = prediction.terms.reduce((all, { contribution }) => all + contribution, 0);
    expect(sum).toBeCloseTo(prediction.logit, 8);
    expect(looked, itemId).toContain(itemId);
  }
}

/** The coins and swaps that are told give the order that stands in the list. */
function checkDraws({ draws, items }: Explanation): void {
  for (const { places, pool, rate, seed: drawn, turns } of draws) {
    const { ranks } = explore(pool.length, places.length, rate, drawn);
    const order = pool.map((_, rank) => rank);
    turns.forEach(({ coin, drawn: other }, place) => {
      if (coin < rate) [order[place], order[other]] = [order[other] ?? 0, order[place] ?? 0];
    });
    expect(order.slice(0, places.length)).toEqual(ranks);
    places.forEach((place, at) => {
      if (place <= items.length) expect(items[place - 1]?.itemId).toBe(pool[ranks[at] ?? 0]?.itemId);
    });
  }
}

describe("beside the list that was recorded as served", () => {
  const model = learnerModels["lr-lite"] as LearnerModel;

  async function served(change: (items: { itemId: string; p: number }[]) => object[]) {
    const history = await learningHistory(seed, { model, events: 260, learners: 4 });
    const explainer = createExplainer({ ...depsOf(history, model), live: null });
    const learnerId = "learner-1";
    const question = { learnerId, at: null, selectionId: null, count: 4, session: "practice" as const };
    const first = await explainer.explain({ ...question, at: String(await history.log.head()) });
    const { list } = first;
    const items = first.items.map(({ itemId, p, propensity, reason }) => ({
      ...{ itemId, p: Math.round(p * 10_000) / 10_000, reason: reason.code, rules: reason.rules },
      propensity: Number(propensity.toPrecision(4)),
    }));
    await history.append(servedStream(learnerId), "ItemsServed", {
      ...{ selectionId: "shown", learnerId, sessionType: list.sessionType, trackId: list.trackId },
      ...{ policyVersion: list.policyVersion, model: list.model, modelVersion: list.modelVersion },
      ...{ revision: list.revision, position: list.position, source: "personal", computed: list.computed },
      ...{ size: list.size, items: change(items), candidates: [] },
    });
    return { history, explainer, question };
  }

  test("it is reproduced exactly, also when the catalogue, the model and the learner have gone on", async () => {
    const { history, explainer, question } = await served((items) => items);
    expect((await explainer.explain(question)).reproduced.status).toBe("exactly");
    await history.grow(120);
    const { reproduced, list } = await explainer.explain({ ...question, selectionId: "shown" });
    expect(reproduced).toEqual({ status: "exactly", selectionId: "shown", differences: [] });
    const now = await explainer.explain(question);
    expect(now.list.revision).toBeGreaterThan(list.revision);
    expect(now.reproduced.status).toBe("not served");
  });

  test("or what differs is said", async () => {
    const { explainer, question } = await served(([first, second, ...rest]) => [
      { ...second, p: 0.123 },
      { ...first },
      ...rest,
    ]);
    const { reproduced } = await explainer.explain({ ...question, selectionId: "shown" });
    expect(reproduced.status).toBe("differs");
    expect(reproduced.differences[0]).toMatch(/^place 1: item-\d+ was served, item-\d+ is made again$/);
  });

  test("so is a rule that shaped the choice, and whether to stop; lists recorded before these were say nothing of them", () => {
    const item = { itemId: "a", p: 0.8, score: 0.9, propensity: 1 };
    const reason = { code: "pinned", rules: ["exposure_cap"] } as const;
    const again = {
      ...{ policyVersion: "t@1", model: "elo", modelVersion: 0, revision: 1, stop: { reason: "mastered" } as const },
      items: [{ ...item, reason }],
    };
    const differencesFrom = (was: object, stop?: string) => {
      const list = itemsServedSchema.parse({
        ...{ selectionId: "s", learnerId: "ada", sessionType: "practice", trackId: "t", position: 1, size: 1 },
        ...{ ...again, source: "personal", computed: "on_demand", stop },
        items: [{ ...item, reason: "pinned", ...was }],
      });
      return comparedWith({ list, servedAt: 0, position: 1 }, again).differences;
    };
    expect(differencesFrom({ rules: ["exposure_cap"] }, "mastered")).toEqual([]);
    expect(differencesFrom({})).toEqual([]);
    expect(differencesFrom({ rules: ["topic_mix"] }, "nothing_due")).toEqual([
      "place 1, rules: topic_mix was served, exposure_cap is made again",
      "stop: nothing_due was served, mastered is made again",
    ]);
  });

  test("and who asks for another is told", async () => {
    const { explainer, question } = await served((items) => items);
    await expect(explainer.explain({ ...question, selectionId: "other" })).rejects.toThrow(
      "no list other was recorded",
    );
    await expect(explainer.explain({ ...question, learnerId: "nobody" })).rejects.toThrow("nothing is known of");
  });
});
