import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually, newPlace, publishChain, type Running, run, serve } from "./proximal.ts";
import { killInAPostFlood, loopSurvivesARestart } from "./scenarios.ts";

test("posts are answered from at once, and after a restart", { timeout: 180_000 }, () =>
  loopSurvivesARestart(newPlace()),
);

test("kill -9 in a flood of posts loses nothing that was acknowledged", { timeout: 180_000 }, async () => {
  const { acknowledged } = await killInAPostFlood(newPlace());
  expect(acknowledged).toBeGreaterThanOrEqual(600);
});

test("Ctrl-C ends it with 0, quickly, also with a client that never hangs up", { timeout: 180_000 }, async () => {
  const server = await serve(newPlace());
  await publishChain(server);
  const leave = new AbortController();
  const follow = await fetch(`${server.url}/v1/events?follow=true`, {
    headers: { authorization: `Bearer ${server.key}` },
    signal: leave.signal,
  });
  expect(follow.status).toBe(200);
  const startedAt = performance.now();
  expect(await server.end("SIGINT")).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(5000);
  expect(server.output().stderr).toContain("proximal: stopped; everything accepted is in the log");
  leave.abort();
});

test("the lines it prints work when pasted", { timeout: 180_000 }, async () => {
  const server = await serve(newPlace());
  const { stdout } = server.output();
  const lines = stdout.split("\n").flatMap((line) => /^ {2}(KEY=.*|curl .*)$/.exec(line)?.[1] ?? []);
  expect(lines.length).toBeGreaterThanOrEqual(4);
  const { execFileSync } = await import("node:child_process");
  const out = execFileSync("bash", ["-c", lines.map((line) => `${line}\necho`).join("\n")], { encoding: "utf8" });
  const replies = out.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
  const [skills, items, posted, next, scores] = replies;
  expect([skills.published, items.published, posted.accepted]).toEqual([1, 3, 1]);
  expect(next).toMatchObject({ learnerId: "me", source: "personal" });
  expect(next.items.map((i: { itemId: string }) => i.itemId).toSorted()).toEqual(["sum-2", "sum-3"]);
  expect(scores).toMatchObject({ answers: 1, correct: 1 });
  const docs = await fetch(`${server.url}/docs`);
  expect(docs.status).toBe(200);
  expect(await server.end("SIGINT")).toBe(0);
});

test("a port in use is one clear line", { timeout: 180_000 }, async () => {
  const other = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void other.close());
  await new Promise((done) => other.once("listening", done));
  const { port } = other.address() as AddressInfo;
  const { code, stderr, stdout } = await run(newPlace(), ["serve", "--port", String(port)]);
  expect({ code, stderr, stdout }).toEqual({
    code: 1,
    stderr: `proximal: port ${port} on 127.0.0.1 is in use: stop what runs there, or start with --port (PORT)\n`,
    stdout: "",
  });
});

test("a data folder that cannot be used is one clear line", { timeout: 180_000 }, async () => {
  const place = newPlace();
  const file = join(place.folder, "taken");
  writeFileSync(file, "");
  const inTheWay = await run({ environment: { ...place.environment, PROXIMAL_DATA: join(file, "data") } }, ["serve"]);
  expect(inTheWay.code).toBe(1);
  expect(inTheWay.stderr.split("\n")).toHaveLength(2);
  expect(inTheWay.stderr).toMatch(/^proximal: the data folder \S+ cannot be used: .*ENOTDIR/);

  const noDatabase = join(place.folder, "other");
  mkdirSync(noDatabase);
  writeFileSync(join(noDatabase, "log.sqlite"), "this is no database, and long enough to be read as one".repeat(100));
  const foreign = await run({ environment: { ...place.environment, PROXIMAL_DATA: noDatabase } }, ["serve"]);
  expect(foreign.code).toBe(1);
  expect(foreign.stderr.split("\n")).toHaveLength(2);
  expect(foreign.stderr).toMatch(/^proximal: the data folder \S+ cannot be used: .*not a database/);

  const closed = join(place.folder, "closed");
  mkdirSync(closed);
  chmodSync(closed, 0o500);
  // root may write anywhere.
  if (process.getuid?.() === 0) return;
  const unwritable = await run({ environment: { ...place.environment, PROXIMAL_DATA: closed } }, ["serve"]);
  expect(unwritable.code).toBe(1);
  expect(unwritable.stderr).toMatch(/^proximal: the data folder \S+ cannot be used: /);
});

test("a damaged snapshot is told, and the answers come from the log", { timeout: 180_000 }, async () => {
  const place = newPlace();
  const first = await serve(place);
  await first.post("/v1/interactions", { id: "x", learnerId: "ann", itemId: "i", kind: "answer", correct: true });
  await eventually(
    "scores",
    () => first.get("/v1/learners/ann/scores"),
    ({ body }) => body.answers === 1,
  );
  expect(await first.end("SIGINT")).toBe(0);
  writeFileSync(join(place.folder, "read-models.snapshot"), "PROXIMAL-ROWS 1\nand then nothing good");
  const second = await serve(place);
  expect(second.output().stderr).toContain("snapshot not used; read models come from the log");
  expect((await second.get("/v1/learners/ann/scores")).body.answers).toBe(1);
  expect(await second.end("SIGINT")).toBe(0);
});

test("a log put back from an older backup is not answered from newer read models", { timeout: 180_000 }, async () => {
  const place = newPlace();
  const post = (server: Running, id: string) =>
    server.post("/v1/interactions", { id, learnerId: "ann", itemId: "i", kind: "answer", correct: true });
  const first = await serve(place);
  await post(first, "one");
  expect(await first.end("SIGINT")).toBe(0);
  const backup = join(place.folder, "backup");
  mkdirSync(backup);
  const logFiles = readdirSync(place.folder).filter((file) => file.startsWith("log.sqlite"));
  for (const file of logFiles) copyFileSync(join(place.folder, file), join(backup, file));
  const second = await serve(place);
  for (const id of ["two", "three", "four"]) await post(second, id);
  expect(await second.end("SIGINT")).toBe(0);

  for (const file of readdirSync(place.folder).filter((name) => name.startsWith("log.sqlite")))
    rmSync(join(place.folder, file));
  for (const file of logFiles) copyFileSync(join(backup, file), join(place.folder, file));
  const third = await serve(place);
  expect(third.output().stderr).toContain("snapshot is of another event log and not used");
  expect((await third.get("/v1/learners/ann/scores")).body.answers).toBe(1);
  const { body } = await post(third, "other");
  const scores = await third.get(`/v1/learners/ann/scores?after=${body.tokens.ann}`);
  expect(scores.body).toMatchObject({ fresh: true, answers: 2 });
  expect(await third.end("SIGINT")).toBe(0);
});
