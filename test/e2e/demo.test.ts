import { expect, test } from "vitest";
import { newPlace, type Running, serve } from "./proximal.ts";

test("the demo has a course and a class to show, once", { timeout: 180_000 }, async () => {
  const place = newPlace();
  const first = await serve(place, "--demo");
  const [, posted = ""] = await first.says(/demo: 30 learners: posted ([\d,]+) interactions of four weeks\n/);
  const interactions = Number(posted.replaceAll(",", ""));
  expect(interactions).toBeGreaterThan(1000);
  await everyQueryHasSomethingToShow(first);
  const later = await nextTrickle(first, interactions);
  expect(later).toBeGreaterThan(interactions);
  expect(await first.end("SIGINT")).toBe(0);

  const second = await serve(place, "--demo");
  await second.says(/demo: the course stands already\n/);
  await second.says(/demo: 30 learners: their past weeks stand in the log already\n/);
  expect(await countInteractions(second)).toBeLessThan(interactions + 200);
  await everyQueryHasSomethingToShow(second);
  expect(await second.end("SIGINT")).toBe(0);
});

test("a demo that was stopped in the middle of its past goes on with it", { timeout: 180_000 }, async () => {
  const place = newPlace();
  const first = await serve(place, "--demo");
  while ((await countInteractions(first)) < 300) await new Promise((done) => setTimeout(done, 20));
  expect(await first.end("SIGINT")).toBe(0);
  expect(first.output().stdout).not.toContain("interactions of four weeks");
  const second = await serve(place, "--demo");
  await second.says(/demo: 30 learners: posted [\d,]+ interactions of four weeks\n/);
  const history = await second.get("/v1/learners/ada/history?count=500");
  const times: string[] = history.body.events.map((e: { data: { occurredAt: string } }) => e.data.occurredAt);
  expect(times.slice(1)).toEqual(times.toSorted().reverse().slice(1));
  expect(await second.end("SIGINT")).toBe(0);
});

const countInteractions = async (server: Running): Promise<number> => {
  const reply = await fetch(`${server.url}/v1/events?type=InteractionRecorded`, {
    headers: { authorization: `Bearer ${server.key}` },
  });
  return (await reply.text()).split("\n").length - 1;
};

async function nextTrickle(server: Running, before: number): Promise<number> {
  for (;;) {
    const now = await countInteractions(server);
    if (now > before) return now;
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** The queries that the banner suggests. */
async function everyQueryHasSomethingToShow(server: Running): Promise<void> {
  const { stdout } = server.output();
  const paths = stdout.split("A simulated class works on the course now")[1]?.match(/\/v1\/[^\s']+/g) ?? [];
  expect(paths).toHaveLength(6);
  const bodies = [];
  for (const path of paths) {
    const { status, body } = await server.get(path);
    expect([path, status]).toEqual([path, 200]);
    bodies.push(body);
  }
  const [next, scores, reviews, history, popular, newcomer] = bodies;
  expect(next).toMatchObject({ learnerId: "ada", source: "personal" });
  expect(next.items.length).toBeGreaterThanOrEqual(3);
  expect(next.items[0].title.length).toBeGreaterThan(5);
  expect(scores.answers).toBeGreaterThan(20);
  expect(scores.skills.length).toBeGreaterThan(3);
  expect(
    reviews.due.length + reviews.load.reduce((sum: number, day: { due: number }) => sum + day.due, 0),
  ).toBeGreaterThan(0);
  expect(history.events).toHaveLength(5);
  expect(popular.items.length).toBeGreaterThan(10);
  expect(popular.items[0].learners).toBeGreaterThan(3);
  expect(newcomer).toMatchObject({ source: "popular" });
  expect(newcomer.items).toHaveLength(5);
}
