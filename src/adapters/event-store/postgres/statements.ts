/** The statements of the Postgres log. Appending itself is the function append_events, see infra/postgres/migrations. */

/** Columns of an event in the order that `toStored` takes; recorded_at as milliseconds since 1970. */
export const columns = `e.position, e.revision, date_part('epoch', e.recorded_at) * 1000, e.event_id, e.stream, e.type, e.data,
  e.metadata`;

/**
 * Appends a batch of events, all or nothing; the parameters are those of the function, in order.
 * Result: position of the first event and the new revisions of the streams, or no row where it has to be decided one by
 * one.
 */
export const appendEvents = `/* log.append */
  SELECT first_position, revisions FROM append_events(
    $1::text[], $2::bigint[], $3::bigint[], $4::integer[], $5::bigint[], $6::text[], $7::uuid[], $8::text[], $9::json[],
    $10::json[], $11::timestamptz[]
  )`;

/**
 * What deciding one by one has to know. Parameters: event ids, streams.
 * Result: ('event', event id, its position) for each id that is stored, ('stream', stream, last revision) for each
 * stream that is.
 */
export const lookUp = `/* log.look-up */
  SELECT 'event', i.event_id::text, i.position FROM event_ids i WHERE i.event_id = ANY($1::uuid[])
  UNION ALL
  SELECT 'stream', s.stream, s.revision FROM stream_heads s WHERE s.stream = ANY($2::text[])`;

/** Parameter: positions. */
export const eventsAt = `/* log.events-at */ SELECT ${columns} FROM events e WHERE e.position = ANY($1::bigint[])`;

/** Parameters: stream, first revision, limit. */
export const streamForwards = `
  /* log.stream-forwards */
  SELECT ${columns} FROM events e WHERE e.stream = $1 AND e.revision >= $2::bigint ORDER BY e.revision LIMIT $3::bigint`;

/** Parameters: stream, last revision, limit. */
export const streamBackwards = `
  /* log.stream-backwards */
  SELECT ${columns} FROM events e WHERE e.stream = $1 AND e.revision <= $2::bigint
  ORDER BY e.revision DESC LIMIT $3::bigint`;

/** Position of the last event. */
export const head = "/* log.head */ SELECT position FROM log_head";

/** A page of everything. Fewer rows than the limit: the log ended there. Parameters: position, limit. */
export const page = `
  /* log.page */ SELECT ${columns} FROM events e WHERE e.position > $1::bigint ORDER BY e.position LIMIT $2::bigint`;

/**
 * How far a filtered page may look, from the same snapshot as the events: the head, and no more than $3 positions beyond
 * $1, because where a type is rare the scan would else go through the whole log at once. LIMIT 1 tells the planner that
 * this is one row: a table never analysed counts as 2,200, which makes the page look so dear that PostgreSQL compiles
 * the query (JIT), which took .2 to .4 s for a page that takes 1 ms.
 * gone: the event after $1 is not in the log, so it is in the archive. (What is archived is seen by the tables that are
 * there and not by a row that says so: in a transaction with an older snapshot, as on a replica, they may differ.)
 */
const bounds = `
  bounds AS MATERIALIZED (
    SELECT position AS head, least(position, $1::bigint + $3::bigint) AS upto,
      position > $1::bigint AND NOT EXISTS (SELECT FROM events g WHERE g.position = $1::bigint + 1) AS gone
    FROM log_head LIMIT 1
  )`;

/**
 * Always at least one row: first (head, upto, gone), then the events, whose columns come after these three. So bounds are sent
 * once, and the events, in order already, are not sorted again.
 */
const boundsAndEvents = (events: string): string => `
  WITH ${bounds}
  SELECT b.head, b.upto, b.gone, 0::bigint AS position, NULL::bigint, NULL::float8, NULL::uuid, NULL::text, NULL::text,
    NULL::json, NULL::json
  FROM bounds b
  UNION ALL
  SELECT NULL, NULL, NULL, e.* FROM (${events}) e
  ORDER BY position`;

/** A page by type. Rows as in {@link boundsAndEvents}. Parameters: position, limit, window, types. */
export const pageOfTypes = `/* log.page-of-types */ ${boundsAndEvents(`
    SELECT ${columns} FROM bounds b CROSS JOIN LATERAL (
      SELECT * FROM events e WHERE e.position > $1::bigint AND e.position <= b.upto AND e.type = ANY($4::text[])
      ORDER BY e.position LIMIT $2::bigint
    ) e
    ORDER BY e.position`)}`;

/**
 * A page by category, and by type unless the types are null. Rows as in pageOfTypes, types are parameter 5.
 * Each category is a range of the index (category, position); comparing rows keeps the planner from walking the
 * primary key past millions of events of other categories. A limit that it does not know when it plans keeps it to that
 * order: knowing 20,000, and not how many there are, it read all that is left of a log and sorted that for each page.
 */
export const pageOfCategories = `/* log.page-of-categories */ ${boundsAndEvents(`
    SELECT ${columns}
    FROM bounds b CROSS JOIN unnest($4::text[]) AS c (category) CROSS JOIN LATERAL (
      SELECT * FROM events e
      WHERE (e.category, e.position) > (c.category, $1::bigint) AND (e.category, e.position) <= (c.category, b.upto)
        AND ($5::text[] IS NULL OR e.type = ANY($5::text[]))
      ORDER BY e.category, e.position LIMIT (SELECT $2::bigint)
    ) e
    ORDER BY e.position LIMIT $2::bigint`)}`;

/** Head, and when the event after the position was recorded. Parameter: position. */
export const behind = `
  /* log.behind */ SELECT h.position, date_part('epoch', e.recorded_at) * 1000
  FROM log_head h LEFT JOIN events e ON e.position = $1::bigint + 1`;

/** How many match after a position, when the first was recorded, archived_to. Parameters: position, categories, types or null. */
export const behindFiltered = `
  /* log.behind-filtered */ WITH matching AS (
    SELECT count(*) AS count, min(e.position) AS first FROM events e
    WHERE e.position > $1::bigint
      AND ($2::text[] IS NULL OR e.category = ANY($2::text[])) AND ($3::text[] IS NULL OR e.type = ANY($3::text[]))
  )
  SELECT m.count, date_part('epoch', e.recorded_at) * 1000, h.archived_to
  FROM matching m CROSS JOIN log_head h LEFT JOIN events e ON e.position = m.first`;

/** Up to where the log is in the archive, and nowhere else. */
export const archivedTo = "/* log.archived-to */ SELECT archived_to FROM log_head";

/** The segments in the archive, in order. */
export const archivedSegments = `/* log.archived-segments */
  SELECT first_position, last_position, archive FROM log_segments WHERE archive IS NOT NULL ORDER BY first_position`;

/**
 * The blocks of the archive with a stream's events of a range of revisions, in order: the stream's last revision of all,
 * first position of the segment, number of the block, the stream's first revision in it. Always at least one row.
 * Parameters: stream, first and last revision.
 */
export const archivedStream = `/* log.archived-stream */
  SELECT h.revision, a.first_position, a.block, a.block_revision
  FROM (SELECT (SELECT revision FROM stream_heads WHERE stream = $1) AS revision) h
  LEFT JOIN LATERAL (
    SELECT a.first_position, b.block, b.block_revision
    FROM archived_streams a
    JOIN log_segments s ON s.first_position = a.first_position AND s.archive IS NOT NULL
    CROSS JOIN LATERAL unnest(a.blocks, a.block_revisions) AS b (block, block_revision)
    WHERE a.stream = $1 AND a.last_revision >= $2::bigint AND a.first_revision <= $3::bigint
  ) a ON true
  ORDER BY a.first_position, a.block`;
