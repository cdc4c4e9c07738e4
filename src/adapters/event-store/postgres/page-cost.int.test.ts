import pg from "pg";
import { describe, expect, test } from "vitest";
import { sharedPostgres } from "../../../../test/support/engines.ts";
import { useSmallSegments } from "../../../../test/support/small-segments.ts";
import { page, pageOfCategories, pageOfTypes, streamBackwards, streamForwards } from "./statements.ts";

const postgres = await sharedPostgres();

const fill = `
  INSERT INTO events (position, revision, recorded_at, event_id, stream, category, type, data, metadata)
    SELECT n, n, now(), gen_random_uuid(), 'learner-1', 'learner', 'InteractionRecorded', '{}', '{}'
    FROM generate_series(1, 30000) AS n;
  UPDATE log_head SET position = 30000;`;

// Found by the benchmark: a page near the head took .2 to .4 s, nearly all of it PostgreSQL compiling the query.
describe.skipIf(postgres === null)(
  "what is read of tables that were never analysed is not so dear in the planner's eyes that it compiles the query",
  () => {
    test("one segment", async () => {
      const client = await connect((await postgres?.createDatabase()) ?? "");
      await client.query(`
      ALTER TABLE events_000000000001 SET (autovacuum_enabled = false);
      ALTER TABLE log_head SET (autovacuum_enabled = false);
      ${fill}`);
      await expectCheap(client);
    });

    test("60 segments", async () => {
      const url = (await postgres?.createDatabase()) ?? "";
      await useSmallSegments(url, 500);
      const client = await connect(url);
      await client.query(`
      ALTER TABLE log_head SET (autovacuum_enabled = false);
      DO $$ BEGIN FOR i IN 2..60 LOOP PERFORM add_segment(); END LOOP; END $$;
      ${fill}`);
      await expectCheap(client);
    });
  },
);

// Found by the benchmark: with about as many events guessed as asked for, each page read and sorted all that was left of the log.
test.skipIf(postgres === null)("a page by category reads no more events than it holds", async () => {
  const client = await connect((await postgres?.createDatabase()) ?? "");
  try {
    await client.query(`${fill} ANALYZE events, log_head`);
    for (const limit of [60, 3000]) {
      const values = [0, limit, 2 ** 53, "{learner,item,model}", null];
      const explained = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${pageOfCategories}`, values);
      expect(mostRows(explained.rows[0]["QUERY PLAN"][0].Plan)).toBeLessThanOrEqual(limit + 1);
    }
  } finally {
    await client.end();
  }
});

interface PlanNode {
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly Plans?: readonly PlanNode[];
}

/** Of all steps of a plan. A step run several times tells its mean. */
function mostRows(node: PlanNode): number {
  const own = node["Actual Rows"] * node["Actual Loops"];
  return Math.max(own, ...(node.Plans ?? []).map(mostRows));
}

async function expectCheap(client: pg.Client): Promise<void> {
  try {
    const shown = await client.query("SHOW jit_above_cost");
    const limit = Number(shown.rows[0].jit_above_cost);
    for (const after of [0, 29_950]) {
      const costs = {
        learner: await costOf(client, pageOfCategories, [after, 1000, 100_000, "{learner}", null]),
        catalogue: await costOf(client, pageOfCategories, [after, 1000, 100_000, "{item,skill,track}", null]),
        types: await costOf(client, pageOfTypes, [after, 1000, 50_000, "{ModelPublished}"]),
        all: await costOf(client, page, [after, 1000]),
        forwards: await costOf(client, streamForwards, ["learner-1", 1, 1000]),
        backwards: await costOf(client, streamBackwards, ["learner-1", 20_000, 1000]),
      };
      for (const [what, cost] of Object.entries(costs)) expect(cost, `${what} after ${after}`).toBeLessThan(limit);
    }
  } finally {
    await client.end();
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

async function costOf(client: pg.Client, statement: string, values: readonly unknown[]): Promise<number> {
  const explained = await client.query(`EXPLAIN (FORMAT JSON) ${statement}`, [...values]);
  return explained.rows[0]["QUERY PLAN"][0].Plan["Total Cost"];
}
