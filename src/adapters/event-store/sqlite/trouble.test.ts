import { writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../../test/support/folders.ts";
import { LogUnavailable } from "../../../ports/event-store.ts";
import { newEvents, request } from "../support.contract.ts";
import { openSqliteLog } from "./log.ts";
import { logFile } from "./schema.ts";

test("what was stored is there when it is opened again", async () => {
  const folder = temporaryFolder();
  const log = await openSqliteLog({ folder });
  await log.append([request("learner-1", newEvents(3)), request("item-1", newEvents(1))]);
  const before = await log.read(0, 10);
  await log.close();
  const again = await openSqliteLog({ folder });
  expect(await again.read(0, 10)).toEqual(before);
  expect(before.events).toHaveLength(4);
  await again.close();
});

test("closing waits for the appends under way; after it, appends are LogUnavailable", async () => {
  const folder = temporaryFolder();
  const log = await openSqliteLog({ folder });
  const once = request("learner-1", newEvents(1));
  const underWay = Promise.all([
    log.append([once]),
    log.append([once]),
    log.append([request("learner-2", newEvents(2))]),
  ]);
  await Promise.all([log.close(), log.close()]);
  expect((await underWay).flat().map((result) => result.status)).toEqual(["appended", "duplicate", "appended"]);
  await expect(log.append([request("learner-1", newEvents(1))])).rejects.toThrow(LogUnavailable);
  await log.waitForMore(3, 60_000, new AbortController().signal);
});

test("several can open an empty folder at the same time", async () => {
  const folder = temporaryFolder();
  const logs = await Promise.all(Array.from({ length: 4 }, () => openSqliteLog({ folder })));
  await Promise.all(logs.map((log, i) => log.append([request(`learner-${i}`, newEvents(5))])));
  for (const log of logs) expect(await log.head()).toBe(20);
  await Promise.all(logs.map((log) => log.close()));
});

test("a file that is no database, and one of a newer Proximal, are refused and left alone", async () => {
  const folder = temporaryFolder();
  writeFileSync(logFile(folder), "x".repeat(10_000));
  await expect(openSqliteLog({ folder })).rejects.toThrow("not a database");

  const newer = temporaryFolder();
  const database = new DatabaseSync(logFile(newer));
  database.exec("PRAGMA user_version = 99");
  database.close();
  await expect(openSqliteLog({ folder: newer })).rejects.toThrow("newer Proximal");
});

test("a commit waits for the disk, but not on this thread", async () => {
  const log = await openSqliteLog({ folder: temporaryFolder() });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await log.append(Array.from({ length: 20_000 }, (_, i) => request(`learner-${i}`, newEvents(1))));
  clearInterval(timer);
  expect(turns).toBeGreaterThan(5);
  await log.close();
});
