import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually, newPlace, type Reply, type Running, root, run, serve } from "./proximal.ts";

const sample = join(root, "src/app/demo/sample-log.csv");

async function asked(server: Running, kind: string, input: object): Promise<string> {
  const { status, body } = await server.post("/v1/replays", { kind, input });
  expect(status, JSON.stringify(body)).toBe(202);
  return body.replayId;
}

/** Asks again and again until it has ended, and keeps what was told of its progress. */
async function ended(server: Running, id: string) {
  const told: { done: number; total: number | null }[] = [];
  const { body } = await eventually(
    `the end of ${id}`,
    async () => {
      const reply = await server.get(`/v1/replays/${id}`);
      if (reply.body.state === "running" && reply.body.progress !== null) told.push(reply.body.progress);
      return reply;
    },
    (reply: Reply) => ["done", "failed"].includes(reply.body.state),
    180_000,
  );
  return { body, told };
}

test("what-ifs and counters in the background: asked for over HTTP, with progress, result, cancel and what is refused", {
  timeout: 240_000,
}, async () => {
  const place = newPlace();
  expect((await run(place, ["import", "interactions", sample])).code).toBe(0);
  const server = await serve(place);
  const headers = { authorization: `Bearer ${server.key}` };

  const bad = await server.post("/v1/replays", { kind: "what-if", input: { policy: { targetSucess: 0.6 } } });
  expect([bad.status, bad.body.errors[0].path]).toEqual([400, "input.policy.targetSucess"]);

  // The other model is trained on the log first: long enough to be seen at work.
  const id = await asked(server, "what-if", { policy: { targetSuccess: 0.6 }, model: "lr-lite", to: "4500" });
  const { body: done, told } = await ended(server, id);
  expect(done, done.error).toMatchObject({
    state: "done",
    error: null,
    summary: { slice: { to: { position: 4500 } } },
  });
  expect(done.files.map(({ name }: { name: string }) => name)).toEqual(["learners.csv", "report.html"]);
  expect(done.progress.done).toBe(done.progress.total);
  const shares = told.map(({ done: at, total }) => at / (total ?? Number.NaN));
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  for (const share of shares) expect(share).toBeLessThanOrEqual(1);
  const { tally } = done.summary;
  expect(tally.choices.lists).toBeGreaterThan(3_000);
  const [learners, page] = await Promise.all(
    done.files.map(({ href }: { href: string }) => fetch(`${server.url}${href}`, { headers })),
  );
  expect((await learners.text()).trimEnd().split("\r\n")).toHaveLength(tally.learners + 1);
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(await page.text()).toContain("<svg");

  const at = "4000";
  const counters = await ended(server, await asked(server, "counters", { at }));
  expect(counters.body).toMatchObject({ state: "done", summary: { position: 4000 } });
  const then = await server.get(`/v1/popular?window=all&count=3&at=${at}`);
  expect(then).toMatchObject({ status: 200, body: { position: 4000, at: { position: 4000 } } });
  const nowhere = await ended(server, await asked(server, "counters", { at: "yesterday" }));
  expect(nowhere.body).toMatchObject({ state: "failed", error: expect.stringContaining("a position or a time") });

  const long = await asked(server, "what-if", { model: "elo", count: 50 });
  const state = async () => (await server.get(`/v1/replays/${long}`)).body.state;
  await eventually("at work", state, (now) => now === "running");
  expect((await server.post(`/v1/replays/${long}/cancel`, {})).body).toMatchObject({ state: "cancelled", files: [] });
  const gone = await server.get(`/v1/replays/${long}/files/report.html`);
  expect([gone.status, gone.body.code]).toEqual([409, "replay_not_done"]);
  // Its place is free again.
  expect((await ended(server, await asked(server, "counters", { at: "100" }))).body.state).toBe("done");
  expect(await server.end("SIGTERM")).toBe(0);
});
