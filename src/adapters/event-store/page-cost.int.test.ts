import pg from "pg";
import { describe, expect, test } from "vitest";
import { sharedPostgres } from "../../../test/support/engines.ts";
import { pageOfCategories, pageOfTypes } from "./postgres-statements.ts";

const postgres = await sharedPostgres();

// Found by the benchmark: a page near the head took .2 to .4 s, nearly all of it PostgreSQL compiling the query.
describe.skipIf(postgres === null)("a filtered page of tables that were never analysed", () => {
  test("is not so dear in the planner's eyes that it compiles the query", async () => {
    const client = new pg.Client({ connectionString: await postgres?.createDatabase() });
    await client.connect();
    try {
      await client.query(`
        ALTER TABLE events_000000000001 SET (autovacuum_enabled = false);
        ALTER TABLE log_head SET (autovacuum_enabled = false);
        INSERT INTO events (position, revision, recorded_at, event_id, stream, category, type, data, metadata)
          SELECT n, n, now(), gen_random_uuid(), 'learner-1', 'learner', 'InteractionRecorded', '{}', '{}'
          FROM generate_series(1, 30000) AS n;
        UPDATE log_head SET position = 30000;`);
      const shown = await client.query("SHOW jit_above_cost");
      const limit = Number(shown.rows[0].jit_above_cost);
      const learner = await costOf(client, pageOfCategories, [29_950, 1000, 100_000, "{learner}", null]);
      const catalogue = await costOf(client, pageOfCategories, [29_950, 1000, 100_000, "{item,skill,track}", null]);
      const types = await costOf(client, pageOfTypes, [29_950, 1000, 100_000, "{ModelPublished}"]);
      expect(Math.max(learner, catalogue, types)).toBeLessThan(limit);
    } finally {
      await client.end();
    }
  });
});

async function costOf(client: pg.Client, statement: string, values: readonly unknown[]): Promise<number> {
  const explained = await client.query(`EXPLAIN (FORMAT JSON) ${statement}`, [...values]);
  return explained.rows[0]["QUERY PLAN"][0].Plan["Total Cost"];
}
