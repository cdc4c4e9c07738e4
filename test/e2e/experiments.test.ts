import { expect, test } from "vitest";
import { commandLine } from "./command-line.ts";
import { newPlace, type Reply, type Running, serve } from "./proximal.ts";

const skills = ["adding", "multiplying"];
const arms = [
  { arm: "as-before", share: 0.5 },
  { arm: "harder", share: 0.5, policy: { targetSuccess: 0.6 } },
];
const track = {
  ...{ trackId: "arithmetic", title: "Arithmetic", skillIds: skills, policy: { explorationRate: 0.4 } },
  experiment: { experimentId: "harder-items", arms },
};

/** Asked of the server as a background job: its file, once it is done. */
async function replay(server: Running, kind: string, input: object, file: string): Promise<Reply["body"]> {
  const { body } = await server.post("/v1/replays", { kind, input });
  await expect
    .poll(async () => (await server.get(`/v1/replays/${body.replayId}`)).body.state, { timeout: 30_000, interval: 200 })
    .toBe("done");
  return (await server.get(`/v1/replays/${body.replayId}/files/${file}`)).body;
}

test("an experiment, from its definition over the API to its results, and another policy judged by the lists that were given out", {
  timeout: 180_000,
}, async () => {
  const place = newPlace();
  const server = await serve(place);
  await server.post(
    "/v1/skills",
    skills.map((skillId) => ({ skillId, title: skillId })),
  );
  const items = skills.flatMap((skillId) =>
    [0, 1, 2, 3, 4, 5].map((n) => ({ itemId: `${skillId}-${n}`, title: `${skillId} ${n}`, skillIds: [skillId] })),
  );
  await server.post("/v1/items", items);
  expect((await server.post("/v1/tracks", track)).status).toBe(201);

  // Each learner does what the list says, four times, and names the list; every third answer is wrong.
  const armOf = new Map<string, string>();
  const learners = Array.from({ length: 24 }, (_, n) => `learner-${n}`);
  await Promise.all(
    learners.map(async (learnerId, n) => {
      let after = "";
      for (let turn = 0; turn < 4; turn += 1) {
        const list = (await server.get(`/v1/learners/${learnerId}/next?track=arithmetic&count=3${after}`)).body;
        expect(armOf.get(learnerId) ?? list.experiment.arm).toBe(list.experiment.arm);
        armOf.set(learnerId, list.experiment.arm);
        const { selectionId, trackId } = list;
        const about = { id: `answer-${turn}`, learnerId, itemId: list.items[0].itemId, kind: "answer" };
        const reply = await server.post("/v1/interactions", {
          ...{ ...about, correct: (n + turn) % 3 > 0, durationMs: 20_000, selectionId, trackId },
        });
        after = `&after=${reply.body.token ?? reply.body.tokens?.[learnerId]}`;
      }
    }),
  );
  const counts = arms.map(({ arm }) => [...armOf.values()].filter((one) => one === arm).length);
  const overApi = (await server.get("/v1/experiments/harder-items/results")).body;
  expect(overApi.arms.map(({ learners: n }: { learners: number }) => n)).toEqual(counts);
  const policy = { explorationRate: 0.2 };
  const [counted, judgedThere] = await Promise.all([
    replay(server, "experiment", { experiment: "harder-items" }, "results.json"),
    replay(server, "policy-evaluation", { track: "arithmetic", policy }, "evaluation.json"),
  ]);
  expect(counted.arms).toEqual(overApi.arms);
  expect(await server.end("SIGINT")).toBe(0);

  const cli = commandLine({ PROXIMAL_DATA: place.folder });
  const list = await cli.run("experiments", "list");
  expect(list.stdout).toMatch(/harder-items +arithmetic +running .*as-before 50 %, harder 50 %/);
  const shown = (await cli.run("experiments", "show", "harder-items", "--json")).json;
  expect(shown.arms).toEqual(overApi.arms);
  const table = await cli.run("experiments", "show", "harder-items");
  expect(table.stdout).toContain("right answers");
  expect(table.stdout).toContain("at every look");
  expect(table.stdout).toContain("its intervals are rough below 30");

  const file = cli.file("policy.json", JSON.stringify(policy));
  const about = ["evaluate", "policy", "--track", "arithmetic", "--policy", file];
  const judged = (await cli.run(...about, "--json")).json;
  // The first list of each learner is what is popular. The last one is not waited for, and so not asked for.
  expect(judged.lists).toMatchObject({ served: 4 * 24, passedOver: { newLearner: 24 }, answered: 3 * 24 });
  expect(judged.lists.reproduced).toBe(3 * 24);
  expect(judgedThere.estimates).toEqual(judged.estimates);
  expect(judged.evidence).toMatchObject({ decisions: 3 * 24, learners: 24 });
  expect(judged.estimates.logged.estimate).toBeCloseTo(2 / 3, 1);
  expect(judged.estimates.dr.low).toBeLessThan(judged.estimates.dr.high);
  expect((await cli.run(...about)).stdout).toMatch(/doubly robust +0\.\d+ +0\.\d+ to/);

  const wrong = cli.file("wrong.json", JSON.stringify({ targetSucess: 0.2 }));
  expect(await cli.run("evaluate", "policy", "--track", "none", "--policy", file)).toMatchObject({
    ...{ code: 1, stderr: expect.stringContaining("there is no track none\n") },
  });
  expect((await cli.run("evaluate", "policy", "--track", "arithmetic", "--policy", "no.json")).stderr).toBe(
    "proximal: --policy no.json: there is no such file\n",
  );
  const refused = await cli.run("evaluate", "policy", "--track", "arithmetic", "--policy", wrong);
  expect([refused.code, refused.stderr]).toEqual([64, expect.stringContaining("targetSucess: unknown field")]);
  const unknown = await cli.run("experiments", "show", "nope");
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("there is no experiment nope")]);
});
