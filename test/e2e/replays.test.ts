import { join } from "node:path";
import { expect, test } from "vitest";
import { fillLog } from "../support/filled-log.ts";
import { eventually, newPlace, publishChain, type Running, run, serve } from "./proximal.ts";

const fetched = async (server: Running, href: string): Promise<string> =>
  (await fetch(`${server.url}${href}`, { headers: { authorization: `Bearer ${server.key}` } })).text();

test("embedded: asked for by API and by command line, done beside the requests, fetched by both, one at a time", {
  timeout: 180_000,
}, async () => {
  const place = newPlace({ LOG_LEVEL: "info", LOG_FORMAT: "json" });
  const server = await serve(place);
  await publishChain(server);
  for (const learnerId of ["ann", "ben"]) {
    await server.post("/v1/interactions", { learnerId, itemId: "add-1", kind: "answer", correct: true });
  }
  const ask = (input: object) => server.post("/v1/replays", { kind: "export", input });
  const ids: string[] = [];
  for (const format of ["csv", "parquet"]) ids.push((await ask({ what: "events", format })).body.replayId);
  ids.push((await ask({ what: "scores", plainIds: true, dictionary: true })).body.replayId);
  let most = 0;
  const ended = await eventually(
    "all done",
    async () => {
      const running = (await server.get("/v1/replays?state=running")).body.replays.length;
      most = Math.max(most, running);
      return (await server.get("/v1/replays?state=done")).body.replays.length;
    },
    (done) => done === 3,
    90_000,
  );
  expect([ended, most]).toEqual([3, 1]);
  const { body: csv } = await server.get(`/v1/replays/${ids[0]}`);
  expect(csv).toMatchObject({ state: "done", attempts: 1, summary: { rows: 23, pseudonymised: true } });
  const text = await fetched(server, csv.files[0].href);
  expect([text.length, text.split("\n").length]).toEqual([csv.files[0].bytes, 25]);
  expect(text).not.toMatch(/\b(ann|ben)\b/);
  const { body: scores } = await server.get(`/v1/replays/${ids[2]}`);
  expect(scores.files.map(({ name }: { name: string }) => name)).toEqual(["scores.dictionary.json", "scores.ndjson"]);
  expect(JSON.parse(await fetched(server, scores.files[0].href)).columns[0]).toMatchObject({ name: "learnerId" });
  const rows = (await fetched(server, scores.files[1].href))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(rows.map(({ learnerId, skillId, answers }) => [learnerId, skillId, answers])).toEqual([
    ["ann", "add", 1],
    ["ben", "add", 1],
  ]);

  const asked = await run(place, [
    "replays",
    "start",
    "export",
    "--input",
    '{"what":"items","format":"csv"}',
    "--wait",
    "--json",
  ]);
  const { id, state, summary } = JSON.parse(asked.stdout);
  expect([asked.code, state, summary.rows]).toEqual([0, "done", 18]);
  await run(place, ["replays", "fetch", id, "--out", place.folder]);
  expect((await run(place, ["replays", "fetch", id, "items.csv", "--stdout"])).stdout).toMatch(/^itemId,title,/);
  expect((await run(place, ["replays", "list"])).stdout.trimEnd().split("\n")).toHaveLength(5);
  expect((await run(place, ["replays", "cancel", id])).stderr).toBe("proximal: it has ended: it is done\n");
  expect((await run(place, ["replays", "remove", id])).code).toBe(0);
  expect((await run(place, ["replays", "show", id])).stderr).toContain(`there is no replay ${id}`);
  expect((await run(place, ["replays", "start", "nonsense"])).code).toBe(64);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('replays{state="done"} 3');
  expect(await server.end("SIGTERM")).toBe(0);
});

test("embedded: a server that is stopped, or killed, in the middle of an export: the next one goes on", {
  timeout: 180_000,
}, async () => {
  const place = newPlace({ LOG_LEVEL: "info", LOG_FORMAT: "json" });
  await fillLog(place.folder, 10_000, 200);
  const wait = async (id: string, server: Running) =>
    eventually(
      "done",
      async () => (await server.get(`/v1/replays/${id}`)).body,
      ({ state }) => state === "done",
      180_000,
    );
  const first = await serve(place);
  const asked = await first.post("/v1/replays", { kind: "export", input: { what: "events", format: "csv" } });
  const id: string = asked.body.replayId;
  await eventually(
    "begun",
    async () => (await first.get(`/v1/replays/${id}`)).body.state,
    (state) => state !== "queued",
  );
  await first.end("SIGKILL");
  const second = await serve(place);
  const done = await wait(id, second);
  // The trainer publishes models meanwhile.
  const { bytes, position } = done.summary;
  const whole = await run(place, [
    "export",
    "events",
    "--up-to",
    `${position}`,
    "--out",
    join(place.folder, "whole.csv"),
  ]);
  expect(whole.stderr).toContain(`${bytes.toLocaleString("en-US")} bytes`);
  expect(await second.end("SIGTERM")).toBe(0);
});
