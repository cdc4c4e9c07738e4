import { describe, onTestFinished, test } from "vitest";
import { sharedPostgres } from "../support/engines.ts";
import { startEventStoreDb } from "../support/eventstoredb/start.ts";
import { newPlace } from "./proximal.ts";
import { killInAPostFlood, loopSurvivesARestart } from "./scenarios.ts";

const postgres = await sharedPostgres();

/** A log in a server that speaks EventStoreDB's services, and all that lies beside it in PostgreSQL. */
async function newEngines() {
  if (postgres === null) throw new Error("skipped where PostgreSQL is missing");
  const server = await startEventStoreDb();
  onTestFinished(() => server.stop());
  return newPlace({ DATABASE_URL: await postgres.createDatabase(), EVENTSTOREDB_URL: server.url });
}

describe.skipIf(postgres === null)("on EventStoreDB and PostgreSQL", () => {
  test("posts are answered from at once, and after a restart", { timeout: 180_000 }, async () =>
    loopSurvivesARestart(await newEngines()),
  );

  test("kill -9 in a flood of posts loses nothing that was acknowledged", { timeout: 180_000 }, async () => {
    await killInAPostFlood(await newEngines());
  });
});
