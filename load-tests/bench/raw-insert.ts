// A child process: multi-row inserts of ready-made rows into a table with the columns and indexes of the event log,
// with nothing asked, checked or built. It is the limit that batch ingest is held against.

import pg from "pg";

export interface InsertOrder {
  readonly url: string;
  readonly seconds: number;
  readonly connections: number;
  readonly rowsPerInsert: number;
}

export interface InsertReport {
  readonly rows: number;
  readonly seconds: number;
}

type Row = [stream: string, type: string, data: string, metadata: string];

const insert = `INSERT INTO raw_events (position, revision, recorded_at, event_id, stream, category, type, data, metadata)
  SELECT $1::bigint + n, $1::bigint + n, now(), id, stream, 'learner', type, data, metadata
  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::json[], $6::json[])
    WITH ORDINALITY AS r (id, stream, type, data, metadata, n)`;

async function run({ url, seconds, connections, rowsPerInsert }: InsertOrder): Promise<InsertReport> {
  const pool = new pg.Pool({ connectionString: url, max: connections });
  await pool.query("DROP TABLE IF EXISTS raw_events");
  await pool.query("CREATE TABLE raw_events (LIKE events_000000000001 INCLUDING ALL, UNIQUE (event_id))");
  const sample = await pool.query<Row>({
    text: "SELECT stream, type, data::text, metadata::text FROM events WHERE category = 'learner' ORDER BY position LIMIT 20000",
    rowMode: "array",
  });
  const batches = cut(sample.rows, rowsPerInsert);
  let position = 0;
  let rows = 0;
  const started = performance.now();
  const until = started + seconds * 1000;
  await Promise.all(
    Array.from({ length: connections }, async (_, connection) => {
      for (let i = connection; performance.now() < until; i += connections) {
        const batch = batches[i % batches.length] ?? [];
        const ids = batch.map(() => crypto.randomUUID());
        position += batch.length;
        const columns = [0, 1, 2, 3].map((column) => batch.map((row) => row[column as 0]));
        await pool.query(insert, [position - batch.length, ids, ...columns]);
        rows += batch.length;
      }
    }),
  );
  const took = (performance.now() - started) / 1000;
  await pool.query("DROP TABLE raw_events");
  await pool.end();
  return { rows, seconds: took };
}

function cut(rows: readonly Row[], size: number): Row[][] {
  const batches: Row[][] = [];
  for (let from = 0; from + size <= rows.length; from += size) batches.push(rows.slice(from, from + size));
  if (batches.length === 0) throw new Error(`the log has ${rows.length} events, too few for a batch of ${size}`);
  return batches;
}

process.on("message", async (order: InsertOrder) => process.send?.(await run(order)));
