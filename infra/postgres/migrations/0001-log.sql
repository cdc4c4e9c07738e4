-- The event log.
--
-- log_head has one row: the position of the last event. A writer takes its row lock, as the last thing before it
-- inserts, and holds it to the end of its transaction. So positions have no gaps, and are in the order of the commits:
-- a reader that has seen position n has seen everything before n, whatever other transactions do.
CREATE TABLE log_head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  position bigint NOT NULL
);
INSERT INTO log_head (position) VALUES (0);
-- The row is updated with each append: room on its page lets all but a few of these stay out of the index.
ALTER TABLE log_head SET (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE events (
  position bigint PRIMARY KEY,
  -- 1 for the first event of its stream.
  revision bigint NOT NULL,
  recorded_at timestamptz NOT NULL,
  event_id uuid NOT NULL,
  stream text COLLATE "C" NOT NULL,
  -- The part of the stream's name before its first dash.
  category text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  -- json, not jsonb: kept as it was sent (jsonb refuses \u0000, and is slower to write and to read back whole).
  -- Analysts query it all the same: data->>'itemId', or data::jsonb.
  data json NOT NULL,
  metadata json NOT NULL,
  CONSTRAINT events_event_id UNIQUE (event_id),
  CONSTRAINT events_stream_revision UNIQUE (stream, revision)
);
CREATE INDEX events_category_position ON events (category, position);
-- An append-only table: autovacuum only has to freeze it and to keep its statistics and visibility map fresh.
ALTER TABLE events SET (autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);

-- Appends a batch, all of it or nothing, in one round trip.
--
-- Parameters: one element for each event, in order. p_revisions[i] is the revision the event must get; null says that
-- any will do.
-- Result: no row, and nothing stored, where an event id is stored already or a revision would not be as asked: the
-- caller then has to decide request by request. Otherwise the position of the first event, and all revisions.
-- Invariants: log_head is locked as late as possible, after the looking up. What another append has changed between the
-- look and the lock is seen by the position, and then all is looked up once more, under the lock. So no append fails
-- because of another. (Needs READ COMMITTED, the default, where each statement sees what is committed by then.)
CREATE FUNCTION append_events(
  p_streams text[],
  p_categories text[],
  p_revisions bigint[],
  p_event_ids uuid[],
  p_types text[],
  p_data json[],
  p_metadata json[],
  p_recorded_at timestamptz[]
) RETURNS TABLE (first_position bigint, revisions bigint[])
LANGUAGE plpgsql
-- A session keeps its plans: without these, one made while the table was small would scan the whole table for ever.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
-- A plan with a disabled node looks so dear that each call would be compiled first: 40 ms.
SET jit = off
AS $$
DECLARE
  v_count bigint := cardinality(p_event_ids);
  v_revisions bigint[];
  v_seen bigint;
  v_head bigint;
BEGIN
  LOOP
    SELECT position INTO STRICT v_seen FROM log_head;

    PERFORM 1 FROM unnest(p_event_ids) AS asked (id) JOIN events e ON e.event_id = asked.id LIMIT 1;
    IF FOUND THEN
      RETURN;
    END IF;

    SELECT array_agg(a.before + a.nth ORDER BY a.n) INTO v_revisions
    FROM (
      SELECT u.n, row_number() OVER (PARTITION BY u.stream ORDER BY u.n) AS nth, coalesce((
        SELECT e.revision FROM events e WHERE e.stream = u.stream ORDER BY e.revision DESC LIMIT 1
      ), 0) AS before
      FROM unnest(p_streams) WITH ORDINALITY AS u (stream, n)
    ) a;

    PERFORM 1 FROM unnest(p_revisions, v_revisions) AS r (wanted, got) WHERE r.wanted <> r.got LIMIT 1;
    IF FOUND THEN
      RETURN;
    END IF;

    SELECT position INTO STRICT v_head FROM log_head FOR UPDATE;
    EXIT WHEN v_head = v_seen;
  END LOOP;

  -- Durable before the reply, whatever the server's default is; stronger settings stay.
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;

  UPDATE log_head SET position = v_head + v_count;

  INSERT INTO events (position, revision, recorded_at, event_id, stream, category, type, data, metadata)
  SELECT v_head + a.n, a.revision, a.recorded_at, a.event_id, a.stream, a.category, a.type, a.data, a.metadata
  FROM unnest(v_revisions, p_recorded_at, p_event_ids, p_streams, p_categories, p_types, p_data, p_metadata)
    WITH ORDINALITY AS a (revision, recorded_at, event_id, stream, category, type, data, metadata, n);

  PERFORM pg_notify('proximal_log', (v_head + v_count)::text);
  RETURN QUERY SELECT v_head + 1, v_revisions;
END
$$;
