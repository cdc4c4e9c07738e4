import { afterEach, beforeEach, expect, test } from "vitest";
import { answer, publishCourse, startTestApi, type TestApi } from "../../test/support/api.ts";

let api: TestApi;
afterEach(() => api.stop());

const arms = [
  { arm: "as-before", share: 0.5 },
  { arm: "harder", share: 0.5, policy: { targetSuccess: 0.6 } },
];
const track = { trackId: "arithmetic", title: "Arithmetic", experiment: { experimentId: "e", arms } };

async function begin(...start: Parameters<typeof startTestApi>): Promise<void> {
  api = await startTestApi(...start);
  await publishCourse(api);
  expect((await api.call("POST", "/v1/tracks", { body: track })).json.revised).toBe(1);
}
const nextOf = async (learnerId: string, query: string) =>
  (await api.call("GET", `/v1/learners/${learnerId}/next${query}`)).json;

beforeEach(() => begin());

test("the arm of a learner is the same in every answer and interaction, and differs among learners", async () => {
  const seen = new Map<string, string>();
  for (let n = 0; n < 12; n += 1) {
    const learnerId = `learner-${n}`;
    const first = await nextOf(learnerId, "?track=arithmetic");
    expect(first.experiment.experimentId).toBe("e");
    expect(first.policyVersion).toBe(`arithmetic@2/${first.experiment.arm}`);
    const body = { ...answer(learnerId, "counting-1"), trackId: first.trackId, selectionId: first.selectionId };
    const { tokens } = (await api.call("POST", "/v1/interactions", { body })).json;
    const kept = await nextOf(learnerId, `?after=${tokens?.[learnerId] ?? ""}`);
    const onDemand = await nextOf(learnerId, "?track=arithmetic&skills=counting");
    const { events } = (await api.call("GET", `/v1/learners/${learnerId}/history`)).json;
    for (const { experiment } of [kept, onDemand, events[0].data]) expect(experiment).toEqual(first.experiment);
    seen.set(learnerId, first.experiment.arm);
  }
  expect(new Set(seen.values())).toEqual(new Set(["as-before", "harder"]));
  expect((await nextOf("other", "")).experiment).toBeUndefined();
  await api.settled();
  expect((await api.call("GET", "/v1/experiments")).json.experiments).toMatchObject([
    { experimentId: "e", trackId: "arithmetic", status: "running", arms: [{ arm: "as-before" }, { arm: "harder" }] },
  ]);
  const results = (await api.call("GET", "/v1/experiments/e/results")).json;
  const counts = results.arms.map(({ arm }: { arm: string }) => [...seen.values()].filter((one) => one === arm).length);
  expect(results.arms.map(({ learners }: { learners: number }) => learners)).toEqual(counts);
  expect(results.arms[0].measures.successRate).toMatchObject({ title: "right answers", estimate: 1 });
  expect(results.arms[0].measures.retention.estimate).toBeNull();
});

test("an experiment that is not there, or takes too many events, is a problem", async () => {
  expect((await api.call("GET", "/v1/experiments/nope/results")).json.code).toBe("not_found");
  await api.stop();
  await begin(() => ({ options: { pastEventsMax: 0 } }));
  await api.call("POST", "/v1/interactions", { body: { ...answer("ada", "counting-1"), trackId: "arithmetic" } });
  const reply = await api.call("GET", "/v1/experiments/e/results");
  expect([reply.status, reply.json.code]).toEqual([422, "too_much_history"]);
});

test("shares that do not add up, an arm named twice and an unknown setting are refused by field", async () => {
  const refused = async (experiment: object) => {
    const { json } = await api.call("POST", "/v1/tracks", { body: { ...track, experiment } });
    return [json.code, json.errors[0].path];
  };
  const [first, second] = arms;
  expect(await refused({ experimentId: "f", arms: [first, { ...second, share: 0.4 }] })).toEqual([
    "invalid_track",
    "experiment.arms",
  ]);
  expect(await refused({ experimentId: "f", arms: [first, { ...second, arm: "as-before" }] })).toEqual([
    "invalid_track",
    "experiment.arms",
  ]);
  for (const policy of [{ targetSucess: 0.6 }, { itemKinds: ["video"] }, { targetSuccess: 2 }]) {
    const [code, path] = await refused({ experimentId: "f", arms: [first, { ...second, policy }] });
    expect([code, String(path).startsWith("experiment.arms.1.policy")]).toEqual(["invalid_track", true]);
  }
});
