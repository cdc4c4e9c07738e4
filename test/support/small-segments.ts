import pg from "pg";

/** Makes the segments of an empty log as small as this, so that a test need not append millions to have several. */
export async function useSmallSegments(url: string, events: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`
      BEGIN;
      ALTER TABLE events DETACH PARTITION events_000000000001;
      DROP TABLE events_000000000001;
      DELETE FROM log_segments;
      UPDATE log_head SET segment_size = ${events}, segmented_to = 0;
      SELECT add_segment();
      COMMIT`);
  } finally {
    await client.end();
  }
}
