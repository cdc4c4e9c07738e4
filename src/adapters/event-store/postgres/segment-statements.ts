/** The statements by which segments of the Postgres log move to the archive, see infra/postgres/migrations/0005-baseline.sql. */

import { columns } from "./statements.ts";

/** Every segment, oldest first: first and last position, archive, the log's head. */
export const segments = `/* segments.list */
  SELECT s.first_position, s.last_position, s.archive, h.position
  FROM log_segments s CROSS JOIN log_head h ORDER BY s.first_position`;

/** When the event at a position was recorded. Parameter: position. */
export const recordedAt = `/* segments.recorded-at */
  SELECT date_part('epoch', e.recorded_at) * 1000 FROM events e WHERE e.position = $1::bigint`;

/** Events of a segment in order. Parameters: position after which, last position, limit. */
export const segmentPage = `/* segments.page */
  SELECT ${columns} FROM events e WHERE e.position > $1::bigint AND e.position <= $2::bigint
  ORDER BY e.position LIMIT $3::bigint`;

/** Parameter: first position of the segment. */
export const forgetStreams =
  "/* segments.forget-streams */ DELETE FROM archived_streams WHERE first_position = $1::bigint";

/** Which blocks hold which stream. Parameters: first and last position of the segment, events of a block. */
export const noteStreams = `/* segments.note-streams */
  INSERT INTO archived_streams (stream, first_revision, last_revision, first_position, blocks, block_revisions)
  SELECT b.stream, min(b.first_revision), max(b.last_revision), $1::bigint,
    array_agg(b.block ORDER BY b.block), array_agg(b.first_revision ORDER BY b.block)
  FROM (
    SELECT e.stream, ((e.position - $1::bigint) / $3::bigint)::integer AS block, min(e.revision) AS first_revision,
      max(e.revision) AS last_revision
    FROM events e WHERE e.position BETWEEN $1::bigint AND $2::bigint GROUP BY e.stream, block
  ) b GROUP BY b.stream`;

/** Its table, its archive, and whether all before it are archived. Parameter: first position of the segment. */
export const lockSegment = `/* segments.lock */
  SELECT s.table_name, s.archive, s.first_position = h.archived_to + 1 AND s.last_position <= h.position
  FROM log_segments s CROSS JOIN log_head h WHERE s.first_position = $1::bigint FOR UPDATE OF s`;

/** Parameters: first position of the segment, name in the archive. */
export const nameArchive = "/* segments.name */ UPDATE log_segments SET archive = $2 WHERE first_position = $1::bigint";

/** Parameter: first position of the segment that is archived now. */
export const moveArchivedTo = `/* segments.move-archived-to */
  UPDATE log_head SET archived_to = s.last_position FROM log_segments s WHERE s.first_position = $1::bigint`;

/** Tables that nobody reads any more. */
export const releasedTables = `/* segments.released-tables */
  SELECT table_name FROM log_segments WHERE archive IS NOT NULL AND to_regclass(quote_ident(table_name)) IS NOT NULL`;
