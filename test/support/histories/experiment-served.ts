import type { LearnerModel } from "../../../src/domain/learner-model/learner-model.ts";
import { lrFull } from "../../../src/domain/learner-model/models.ts";
import { modelStream } from "../../../src/domain/streams.ts";
import { startTestApi, type TestApi } from "../api.ts";
import { seededRandom } from "../random.ts";
import { historyBytes } from "./history-file.ts";
import { trained } from "./train.ts";

const hourMs = 3_600_000;

/**
 * A class in an experiment, through the API: a track with every setting of a policy and three arms, learners who do what they are
 * served, lists in the log, weights of LR-full.
 */
export async function experimentServed(seed = 31, rounds = 16, policy: object = {}): Promise<Buffer> {
  const api = await startTestApi(() => ({ options: { servedShare: 1 } }));
  const random = seededRandom(seed);
  const track = { ...sums, policy: { ...sums.policy, ...policy } };
  try {
    await publish(api, track);
    const learners = Array.from({ length: 8 }, (_, n) => `learner-${n}`);
    for (let round = 0; round < rounds; round += 1) {
      for (const learnerId of learners) {
        if (random.chance(0.3)) continue;
        await sitting(api, learnerId, round, random);
        api.clock.advance(random.below(hourMs));
      }
      api.clock.advance(20 * hourMs);
      if (round === 9) await publishWeights(api, lrFull as LearnerModel);
      // Another experiment takes its place, and deals the learners anew.
      if (round === 12) await ok(api, "/v1/tracks", { ...track, experiment: { ...experiment, experimentId: "again" } });
    }
    // Served lists are written a moment later: closing waits for them.
    await api.app.close();
    return await historyBytes(api.deps.feed, api.deps.blobs ?? missing(), ["model"]);
  } finally {
    await api.stop();
  }
}

const skills = ["count", "add", "subtract", "multiply"];

const experiment = {
  experimentId: "how-hard",
  arms: [
    { arm: "as-it-is", share: 0.4 },
    { arm: "harder", share: 0.4, policy: { targetSuccess: 0.65, interleaving: 0.8 } },
    { arm: "curious", share: 0.2, policy: { explorationRate: 0.5, exposure: { timesMax: 2, restDays: 3 } } },
  ],
};

const sums = {
  trackId: "sums",
  title: "Sums",
  skillIds: skills,
  pinnedItemIds: ["count-0"],
  policy: {
    ...{ targetSuccess: 0.75, masteryThreshold: 0.9, reviewShare: 0.4, explorationRate: 0.1, doNotRepeat: 6 },
    ...{ interleaving: 0.3, maintenance: false, reviewBy: "item" },
    reviews: { retention: 0.85, maxIntervalDays: 30, learningStepsMinutes: [10] },
    exposure: { timesMax: 5, restDays: 7, learnerShareMax: 0.9 },
    topics: [
      { tag: "hard", maxShare: 0.5 },
      { skillId: "count", minShare: 0.1 },
    ],
    masteryNeeds: { answersMin: 3, hardAnswersMin: 1 },
    sessionBudget: { minutes: 20, items: 12 },
  },
  experiment,
};

async function publish(api: TestApi, track: typeof sums): Promise<void> {
  const defined = skills.map((skillId, at) => ({
    ...{ skillId, title: `To ${skillId}`, externalIds: [`urn:skill:${skillId}`], source: "framework-1" },
    prerequisites: at === 0 ? [] : [{ skillId: skills[at - 1], weight: 0.9 }],
  }));
  await ok(api, "/v1/skills", defined);
  const items = skills.flatMap((skillId) =>
    Array.from({ length: 7 }, (_, n) => ({
      ...{ itemId: `${skillId}-${n}`, title: `To ${skillId} ${n}`, skillIds: [skillId], difficulty: n / 2 - 1.5 },
      ...{ tags: n > 4 ? ["hard"] : [], expectedSeconds: 20 + 10 * n, source: "package-1" },
      responses: [{ responseId: "R", interaction: "choice", cardinality: "single", correct: ["B"] }],
    })),
  );
  await ok(api, "/v1/items", items);
  await ok(api, "/v1/tracks", track);
}

async function ok(api: TestApi, url: string, body: unknown): Promise<void> {
  const { status, text, json } = await api.call("POST", url, { body });
  if (status >= 300 || json.refused > 0 || json.rejected > 0) throw new Error(`${url}: ${status} ${text}`);
}

/** One learner asks what is next and does it, a few times. */
async function sitting(api: TestApi, learnerId: string, round: number, random: ReturnType<typeof seededRandom>) {
  const sessionType = round % 5 === 4 ? "review" : "practice";
  for (let step = 0; step < 3; step += 1) {
    await api.settled();
    const url = `/v1/learners/${learnerId}/next?track=sums&session=${sessionType}&count=4`;
    const { items, selectionId } = (await api.call("GET", url)).json;
    if (items.length === 0) return;
    const { itemId, p } = items[0];
    await ok(api, "/v1/interactions", {
      ...{ id: `${learnerId}.${round}.${step}`, learnerId, itemId, kind: "answer", correct: random.chance(p) },
      ...{
        selectionId,
        trackId: "sums",
        sessionType,
        sessionId: `${learnerId}.${round}`,
        durationMs: 5_000 + random.below(60_000),
      },
    });
    api.clock.advance(60_000);
  }
}

async function publishWeights({ deps, clock }: TestApi, model: LearnerModel): Promise<void> {
  const data = await trained({ log: deps.feed, blobs: deps.blobs ?? missing() }, model);
  const recordedAt = new Date(clock.now()).toISOString();
  const event = {
    eventId: crypto.randomUUID(),
    type: "ModelPublished",
    data,
    metadata: { schemaVersion: 1 },
    recordedAt,
  };
  await deps.eventStore.append([{ stream: modelStream, expected: "none", events: [event] }]);
}

function missing(): never {
  throw new Error("the service has no blobs");
}
