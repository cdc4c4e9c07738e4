import { expect } from "vitest";
import { eventually, type Place, publishChain, type Reply, type Running, run, serve } from "./proximal.ts";

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
  expect(next.body).toMatchObject({ learnerId: "ann", source: "personal", fresh: true, revision: 3, model: "lr-full" });
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
  await noLag(server);
}

/** Sooner or later everything is folded in; the trainer publishes meanwhile, and that is an event too. */
async function noLag(server: Running): Promise<Reply["body"]> {
  const ask = () => server.get("/v1/ops/lag");
  const { body } = await eventually("no lag", ask, (reply) =>
    reply.body.projections.every((p: { behindEvents: number }) => p.behindEvents === 0),
  );
  return body;
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

export interface ImportedLog {
  readonly file: string;
  readonly rows: number;
  readonly items: number;
  readonly skills: number;
  /** One of its learners, their answers, and what titles of items look like. */
  readonly learner: { readonly id: string; readonly answers: number; readonly title: RegExp };
}

/** Import by the command line, serve, ask; import again; operators' commands against the running server. */
export async function importsAndServes(place: Place, log: ImportedLog): Promise<void> {
  const first = await run(place, ["import", "interactions", log.file, "--json"]);
  expect(first.code).toBe(0);
  const { rows, items, skills } = log;
  expect(JSON.parse(first.stdout)).toMatchObject({
    ...{ rows, accepted: rows, duplicates: 0, refused: 0, published: { items, skills } },
  });
  const server = await serve(place);
  expect(server.output().stdout).toContain(`${items} items, ${skills} skills, 0 tracks`);
  await answersAreReal(server, log);

  const again = await run(place, ["import", "interactions", log.file, "--json"]);
  expect(JSON.parse(again.stdout)).toMatchObject({
    rows,
    accepted: 0,
    duplicates: rows,
    published: { items: 0, skills: 0 },
  });
  await answersAreReal(server, log);
  await operatorsCommandsWork(place, server, rows);
  await answersAreReal(server, log);
  expect(await server.end("SIGINT")).toBe(0);
}

async function answersAreReal(server: Running, { rows, learner }: ImportedLog): Promise<void> {
  const path = `/v1/learners/${learner.id}`;
  const { body: next } = await server.get(`${path}/next?count=5`);
  expect(next).toMatchObject({ learnerId: learner.id, source: "personal", revision: learner.answers });
  expect(next.items).toHaveLength(5);
  for (const item of next.items) {
    expect(item.title).toMatch(learner.title);
    expect(item.p).toBeGreaterThan(0.02);
    expect(item.p).toBeLessThan(0.999);
    expect(item.propensity).toBeGreaterThan(0);
    expect(item.reason.text.length).toBeGreaterThan(10);
  }
  const { body: scores } = await server.get(`${path}/scores`);
  expect(scores.answers).toBe(learner.answers);
  expect(scores.correct / scores.answers).toBeGreaterThan(0.3);
  expect(scores.correct / scores.answers).toBeLessThan(0.98);
  expect(Math.abs(scores.ability)).toBeLessThan(5);
  for (const skill of scores.skills) {
    expect(skill.mastery).toBeGreaterThanOrEqual(0);
    expect(skill.mastery).toBeLessThanOrEqual(1);
    expect(skill.answers).toBeGreaterThan(0);
  }
  const { body: fresh } = await server.get("/v1/learners/somebody-new/next?count=3");
  expect(fresh.source).toBe("popular");
  expect(fresh.items).toHaveLength(3);
  // The popular lists are written each second or so.
  const ask = () => server.get("/v1/popular?window=all");
  const { body: popular } = await eventually("popular items", ask, ({ body }) => body.items.length > 5);
  const { body: stats } = await server.get(`/v1/items/${popular.items[0].itemId}/stats`);
  expect(stats.attempts).toBeGreaterThan(10);
  const lag = await noLag(server);
  expect(lag.head).toBeGreaterThan(rows);
  expect(lag.projections.map((p: { projection: string }) => p.projection)).toEqual([
    "learners",
    "catalogue",
    "trainer",
  ]);
}

async function operatorsCommandsWork(place: Place, server: Running, rows: number): Promise<void> {
  const at = ["--url", server.url];
  const lag = await run(place, ["lag", ...at]);
  expect(lag.stdout).toMatch(
    /^projection +partition +position +events behind +seconds behind +in\/s +out\/s +drains in +state$/m,
  );
  expect(lag.stdout).toMatch(/^learners +0 +[\d,]+ +0 +0 +[\d,.]+ +[\d,.]+ +0 s +current$/m);
  expect(await run(place, ["parked", "list", ...at])).toMatchObject({ code: 0, stdout: "nobody is parked\n" });
  const nobody = await run(place, ["parked", "retry", "ghost", ...at]);
  expect(nobody.code).toBe(1);
  expect(nobody.stderr).toContain("ghost is not parked");
  const rebuilt = await run(place, ["rebuild", "learners", "--json", ...at]);
  const report = JSON.parse(rebuilt.stdout);
  expect(report).toMatchObject({ name: "learners", status: "done", identical: true, error: null });
  expect(report.events).toBeGreaterThanOrEqual(rows);
  const wrong = await run(place, ["rebuild", "everything", ...at]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain("there are learners, ");
  const key = await run(place, ["lag", "--key", `pxl_${"0".repeat(16)}_${"0".repeat(64)}`, ...at]);
  expect(key.code).toBe(1);
  expect(key.stderr).toContain("401");
}
