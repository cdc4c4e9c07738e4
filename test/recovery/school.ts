import { expect } from "vitest";
import { eventually, type Place, type Running, run } from "../e2e/proximal.ts";

/** Learners of a made-up school, whose answers and rows are compared before and after. */
export const learners = ["ada", "bo", "cy", "di", "ed"];

export function answers(from: number, count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, at) => ({
    ...{ id: `a${from + at}`, learnerId: learners[(from + at) % learners.length], itemId: `i${(from + at) % 7}` },
    ...{ kind: "answer", correct: (from + at) % 3 !== 0 },
  }));
}

/** Posts so many answers, again where the server is busy, as clients do; gives the position of the last. */
export async function teach(server: Running, from: number, count: number): Promise<number> {
  const post = () => server.post("/v1/interactions", answers(from, count));
  const posted = await eventually("answers are taken", post, ({ status }) => status !== 503);
  expect(posted.body).toMatchObject({ accepted: count });
  const tokens = Object.values(posted.body.tokens as Record<string, string>);
  return Math.max(...tokens.map((token) => Number(/p(\d+)$/.exec(token)?.[1])));
}

/** Every event, as analysts get it. */
export async function eventsOf(place: Place): Promise<string[]> {
  const { code, stdout, stderr } = await run(place, ["events", "export"]);
  expect(code, stderr).toBe(0);
  return stdout.trimEnd().split("\n");
}

/**
 * What a rebuild says of the rows that stand: made anew from the log beside them, by their digests. By the server where they are in
 * its memory.
 */
export async function rowsAreThoseOfTheLog(place: Place, server: Running, key = server.key): Promise<void> {
  const byServer = { ...place.environment, PROXIMAL_URL: server.url, PROXIMAL_API_KEY: key };
  const environment = place.environment.REDIS_URL === undefined ? byServer : place.environment;
  const rebuilt = await run({ ...place, environment }, ["rebuild", "learners", "--json"]);
  expect(rebuilt.code, rebuilt.stderr).toBe(0);
  expect(JSON.parse(rebuilt.stdout)).toMatchObject({ identical: true });
}

/** Scores of all learners, once everything is folded. */
export async function scoresOf(server: Running): Promise<unknown[]> {
  await expect.poll(async () => (await server.get("/readyz")).status, { timeout: 60_000 }).toBe(200);
  await expect
    .poll(
      async () =>
        (await server.get("/v1/ops/lag")).body.projections.every(
          (one: { behindEvents: number }) => one.behindEvents === 0,
        ),
      {
        timeout: 60_000,
      },
    )
    .toBe(true);
  return Promise.all(learners.map(async (learner) => (await server.get(`/v1/learners/${learner}/scores`)).body));
}
