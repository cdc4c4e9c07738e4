import { expect } from "vitest";
import { type Place, publishChain, type Running, serve } from "./proximal.ts";

const answer = (id: string, itemId: string, correct: boolean, learnerId = "ann") => ({
  id,
  learnerId,
  itemId,
  kind: "answer",
  correct,
});

/** Post, ask with the token, look at everything, restart: the same on every engine. */
export async function loopSurvivesARestart(place: Place): Promise<void> {
  const first = await serve(place);
  await publishChain(first);
  const posted = await first.post("/v1/interactions", [
    answer("a1", "count-1", true),
    answer("a2", "count-2", true),
    { ...answer("a3", "count-3", false), sessionType: "practise" },
    answer("a3", "count-3", false),
    answer("a1", "count-1", true),
    answer("a1", "count-2", true),
  ]);
  expect(posted.status).toBe(200);
  expect(posted.body.outcomes.map((o: { id: string; status: string }) => `${o.id} ${o.status}`)).toEqual([
    "a1 accepted",
    "a2 accepted",
    "a3 rejected",
    "a3 accepted",
    "a1 duplicate",
    "a1 rejected",
  ]);
  expect(posted.body.outcomes[2].problem.errors[0].path).toBe("sessionType");
  expect(posted.body.outcomes[5].problem.errors[0].path).toBe("itemId");
  await theLoopKnowsAnn(first, posted.body.tokens.ann);
  expect(await first.end("SIGINT")).toBe(0);

  const second = await serve(place);
  expect(second.output().stdout).toContain("18 items, 3 skills, 0 tracks");
  await theLoopKnowsAnn(second, posted.body.tokens.ann);
  const again = await second.post("/v1/interactions", answer("a2", "count-2", true));
  expect(again).toMatchObject({ status: 200, body: { accepted: 0, duplicates: 1 } });
  const more = await second.post("/v1/interactions", answer("a4", "add-1", true));
  expect(more).toMatchObject({ status: 201, body: { accepted: 1 } });
  const scores = await second.get(`/v1/learners/ann/scores?after=${more.body.tokens.ann}`);
  expect(scores.body).toMatchObject({ fresh: true, revision: 4, answers: 4, correct: 3, streak: 1 });
  expect((await second.get("/v1/learners/ann/next")).status).toBe(200);
  expect((await fetch(`${second.url}/v1/learners/ann/next`)).status).toBe(401);
  expect(await second.end("SIGTERM")).toBe(0);
}

/** Three answers of ann: right, right, wrong. */
async function theLoopKnowsAnn(server: Running, token: string): Promise<void> {
  expect(token).toMatch(/^r3\.p\d+$/);
  const next = await server.get(`/v1/learners/ann/next?count=3&after=${token}`);
  expect(next.body).toMatchObject({ learnerId: "ann", source: "personal", fresh: true, revision: 3, model: "lr-lite" });
  expect(next.body.items).toHaveLength(3);
  for (const item of next.body.items) {
    expect(item.p).toBeGreaterThan(0.05);
    expect(item.p).toBeLessThan(0.99);
    expect(item.title).toMatch(/^Exercise \d to /);
    expect(item.reason.text).not.toBe("");
    expect(["count-1", "count-2", "count-3"]).not.toContain(item.itemId);
  }
  const scores = await server.get("/v1/learners/ann/scores");
  expect(scores.body).toMatchObject({ interactions: 3, answers: 3, correct: 2, streak: 0, bestStreak: 2 });
  expect(scores.body.skills).toHaveLength(1);
  expect(scores.body.skills[0]).toMatchObject({ skillId: "count", title: "To count", answers: 3 });
  const history = await server.get("/v1/learners/ann/history");
  const seen = history.body.events.map((e: { data: { interactionId: string } }) => e.data.interactionId);
  expect(seen).toEqual(["a3", "a2", "a1"]);
  const stats = await server.get("/v1/items/count-3/stats");
  expect(stats.body).toMatchObject({ itemId: "count-3", attempts: 1, learners: 1 });
  const lag = await server.get("/v1/ops/lag");
  expect(lag.body.projections.map((p: { behindEvents: number }) => p.behindEvents)).toEqual([0, 0, 0]);
}

/** Posts single interactions from many callers, kills the process in the middle, and counts what is there after. */
export async function killInAPostFlood(place: Place): Promise<{ acknowledged: number; unknown: number }> {
  const first = await serve(place);
  await publishChain(first);
  const acknowledged = new Set<string>();
  const sent = new Set<string>();
  let next = 0;
  const caller = async (): Promise<void> => {
    for (;;) {
      next += 1;
      const id = `i${next}`;
      sent.add(id);
      try {
        const reply = await first.post(
          "/v1/interactions",
          answer(id, `add-${(next % 4) + 1}`, next % 3 > 0, `l${next % 5}`),
        );
        if (reply.status !== 201) throw new Error(`${reply.status} ${JSON.stringify(reply.body)}`);
        acknowledged.add(id);
      } catch {
        return;
      }
    }
  };
  const callers = Promise.all(Array.from({ length: 32 }, caller));
  while (acknowledged.size < 600) await new Promise((done) => setTimeout(done, 5));
  expect(await first.end("SIGKILL")).toBe("SIGKILL");
  await callers;

  const second = await serve(place);
  const stored: string[] = [];
  let answers = 0;
  for (const learner of [0, 1, 2, 3, 4]) {
    const ofLearner = await allOfHistory(second, `l${learner}`);
    stored.push(...ofLearner);
    const scores = await second.get(`/v1/learners/l${learner}/scores`);
    expect(scores.body.answers).toBe(ofLearner.length);
    answers += scores.body.answers;
  }
  expect(new Set(stored).size).toBe(stored.length);
  expect(answers).toBe(stored.length);
  for (const id of acknowledged) expect(stored).toContain(id);
  for (const id of stored) expect(sent).toContain(id);
  expect(await second.end("SIGINT")).toBe(0);
  return { acknowledged: acknowledged.size, unknown: stored.length - acknowledged.size };
}

async function allOfHistory(server: Running, learnerId: string): Promise<string[]> {
  const ids: string[] = [];
  let before: number | null = null;
  do {
    const page = await server.get(
      `/v1/learners/${learnerId}/history?count=500${before === null ? "" : `&before=${before}`}`,
    );
    ids.push(...page.body.events.map((e: { data: { interactionId: string } }) => e.data.interactionId));
    before = page.body.nextBefore;
  } while (before !== null);
  return ids;
}
