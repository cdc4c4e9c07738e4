/** The statements of the Postgres log. Appending itself is the function append_events, see infra/postgres/migrations. */

/** Columns of an event in the order that `toStored` takes; recorded_at as milliseconds since 1970. */
const columns = `e.position, e.revision, date_part('epoch', e.recorded_at) * 1000, e.event_id, e.stream, e.type, e.data,
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
 */
const bounds = `
  bounds AS MATERIALIZED (
    SELECT position AS head, least(position, $1::bigint + $3::bigint) AS upto FROM log_head LIMIT 1
  )`;

/** A page by type. Always at least one row, beginning with (head, upto). Parameters: position, limit, window, types. */
export const pageOfTypes = `
  /* log.page-of-types */ WITH ${bounds}
  SELECT b.head, b.upto, e.* FROM bounds b LEFT JOIN LATERAL (
    SELECT ${columns} FROM events e
    WHERE e.position > $1::bigint AND e.position <= b.upto AND e.type = ANY($4::text[])
    ORDER BY e.position LIMIT $2::bigint
  ) e ON true
  ORDER BY e.position`;

/**
 * A page by category, and by type unless the types are null. Rows as in pageOfTypes, types are parameter 5.
 * Each category is a range of the index (category, position); comparing rows keeps the planner from walking the
 * primary key past millions of events of other categories.
 */
export const pageOfCategories = `
  /* log.page-of-categories */ WITH ${bounds}
  SELECT b.head, b.upto, e.* FROM bounds b LEFT JOIN LATERAL (
    SELECT ${columns}
    FROM unnest($4::text[]) AS c (category) CROSS JOIN LATERAL (
      SELECT * FROM events e
      WHERE (e.category, e.position) > (c.category, $1::bigint) AND (e.category, e.position) <= (c.category, b.upto)
        AND ($5::text[] IS NULL OR e.type = ANY($5::text[]))
      ORDER BY e.category, e.position LIMIT $2::bigint
    ) e
    ORDER BY e.position LIMIT $2::bigint
  ) e ON true
  ORDER BY e.position`;

/** Head, and when the event after the position was recorded. Parameter: position. */
export const behind = `
  /* log.behind */ SELECT h.position, date_part('epoch', e.recorded_at) * 1000
  FROM log_head h LEFT JOIN events e ON e.position = $1::bigint + 1`;

/** How many match after a position, and when the first was recorded. Parameters: position, categories, types or null. */
export const behindFiltered = `
  /* log.behind-filtered */ WITH matching AS (
    SELECT count(*) AS count, min(e.position) AS first FROM events e
    WHERE e.position > $1::bigint
      AND ($2::text[] IS NULL OR e.category = ANY($2::text[])) AND ($3::text[] IS NULL OR e.type = ANY($3::text[]))
  )
  SELECT m.count, date_part('epoch', e.recorded_at) * 1000
  FROM matching m LEFT JOIN events e ON e.position = m.first`;
