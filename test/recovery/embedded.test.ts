import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandLine } from "../e2e/command-line.ts";
import { newPlace, run, serve } from "../e2e/proximal.ts";
import { answers, eventsOf, rowsAreThoseOfTheLog, scoresOf, teach } from "./school.ts";

test("embedded: backed up while posts flow, everything destroyed, restored: the log and the rows are those of then", {
  timeout: 180_000,
}, async () => {
  const place = newPlace();
  const backup = `${place.folder}-backup`;
  const server = await serve(place);
  const before = await teach(server, 0, 200);
  // Posts go on while the copy is made; those after it are not in it.
  let stop = false;
  const flood = (async () => {
    for (let n = 200; !stop; n += 10) await teach(server, n, 10);
  })();
  const made = await run(place, ["backup", backup, "--json"]);
  stop = true;
  await flood;
  expect(made.code, made.stderr).toBe(0);
  const { position } = JSON.parse(made.stdout);
  expect(position).toBeGreaterThanOrEqual(before);
  const events = (await eventsOf(place)).slice(0, position);
  const again = await run(place, ["backup", backup]);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("is there already")]);
  expect(await server.end("SIGKILL")).toBe("SIGKILL");

  const taken = await run(place, ["restore", backup]);
  expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining("move that folder away first")]);
  rmSync(place.folder, { recursive: true });
  const restored = await run(place, ["restore", backup, "--json"]);
  expect(restored.code, restored.stderr).toBe(0);
  expect(JSON.parse(restored.stdout).position).toBe(position);
  expect(await eventsOf(place)).toEqual(events);
  const second = await serve(place);
  // What was posted before is known: a repetition is no second answer.
  expect((await second.post("/v1/interactions", answers(0, 200))).body).toMatchObject({ accepted: 0, duplicates: 200 });
  await scoresOf(second);
  await rowsAreThoseOfTheLog(place, second);
  expect(await second.end("SIGTERM")).toBe(0);
  rmSync(backup, { recursive: true });
});

test("embedded: a folder with rows of a later log gets an older one back, and does not answer from them", {
  timeout: 180_000,
}, async () => {
  const place = newPlace();
  const backup = `${place.folder}-backup`;
  const server = await serve(place);
  await teach(server, 0, 50);
  expect((await run(place, ["backup", backup])).code).toBe(0);
  await teach(server, 50, 50);
  expect(await server.end("SIGTERM")).toBe(0);
  expect(existsSync(join(place.folder, "read-models.snapshot"))).toBe(true);
  for (const name of ["log", "blobs", "api-keys"]) {
    for (const part of ["", "-wal", "-shm"]) rmSync(join(place.folder, `${name}.sqlite${part}`), { force: true });
  }
  expect((await run(place, ["restore", backup])).code).toBe(0);
  const second = await serve(place);
  // Others, in the place of those that were lost.
  await teach(second, 1000, 60);
  const total = (await scoresOf(second)) as { answers: number }[];
  expect(total.reduce((sum, { answers: n }) => sum + n, 0)).toBe(110);
  await rowsAreThoseOfTheLog(place, second);
  expect(await second.end("SIGTERM")).toBe(0);
  rmSync(backup, { recursive: true });
});

test("a backup that is not whole is refused before anything is put anywhere, and so is what is none", async () => {
  const cli = commandLine();
  const backup = join(cli.folder, "backup");
  expect((await cli.run("backup", backup)).stderr).toContain("holds no log");
  const made = await cli.run("keys", "create", "--name", "one", "--json");
  expect((await cli.run("backup", backup)).code).toBe(0);
  const fresh = commandLine();
  const refusal = async () => {
    const { code, stderr } = await fresh.run("restore", backup);
    expect(code).toBe(1);
    expect(existsSync(join(fresh.folder, "data", "log.sqlite"))).toBe(false);
    return stderr;
  };
  const file = join(backup, "blobs.sqlite");
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.subarray(0, -1));
  expect(await refusal()).toContain("checksum");
  rmSync(file);
  expect(await refusal()).toContain("cannot be read");
  writeFileSync(file, bytes);
  writeFileSync(join(backup, "other"), "{}");
  renameSync(join(backup, "other"), join(backup, "backup.json"));
  expect(await refusal()).toContain("not that of a backup");
  rmSync(join(backup, "backup.json"));
  expect(await refusal()).toContain("is no backup");
  rmSync(backup, { recursive: true });
  // Keys are in it too.
  expect((await cli.run("backup", backup)).code).toBe(0);
  expect((await fresh.run("restore", backup)).code).toBe(0);
  expect((await fresh.run("keys", "list", "--json")).stdout).toContain(made.json.id);
  const postgres = commandLine({ DATABASE_URL: "postgres://127.0.0.1:1/none" });
  expect((await postgres.run("backup", backup)).stderr).toContain("docs/recovery.md");
  expect((await postgres.run("after-restore")).code).toBe(64);
});
