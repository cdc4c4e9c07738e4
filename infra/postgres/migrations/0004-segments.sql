-- The event log in segments: ranges of positions, each a table of its own, so that old ones can leave the database whole.
--
-- A unique index of a partitioned table has to contain the position, so what is unique over all segments, those that are
-- archived too, stands in tables beside them: event_ids and stream_heads. They are written in the transaction of the
-- append, so they never say anything else than the events do.

-- Appends wait for this migration; readers only for its last moments, so what takes long comes first.
LOCK TABLE log_head IN EXCLUSIVE MODE;

-- Every segment there ever was. archive: the name of its file, once its events have moved there.
CREATE TABLE log_segments (
  first_position bigint PRIMARY KEY,
  last_position bigint NOT NULL UNIQUE,
  table_name text NOT NULL,
  archive text,
  CHECK (last_position >= first_position)
);

-- Where the event with an id stands. Makes ids unique, for ever.
CREATE TABLE event_ids (
  event_id uuid PRIMARY KEY,
  position bigint NOT NULL
);

-- The revision of each stream's last event. Its row is locked by whoever appends to the stream, so revisions have no gap
-- and are given once. Updated with each append: some room on its pages keeps that out of the index, and more would have
-- each page tidied up at every look.
CREATE TABLE stream_heads (
  stream text COLLATE "C" PRIMARY KEY,
  revision bigint NOT NULL
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.5);

-- For streams that have events in the archive: which blocks of a segment's file hold them, and the first revision in each.
CREATE TABLE archived_streams (
  stream text COLLATE "C" NOT NULL,
  first_revision bigint NOT NULL,
  last_revision bigint NOT NULL,
  first_position bigint NOT NULL REFERENCES log_segments,
  blocks integer[] NOT NULL,
  block_revisions bigint[] NOT NULL,
  PRIMARY KEY (stream, first_revision)
);
CREATE INDEX archived_streams_segment ON archived_streams (first_position);

INSERT INTO event_ids (event_id, position) SELECT event_id, position FROM events ORDER BY event_id;
INSERT INTO stream_heads (stream, revision) SELECT stream, max(revision) FROM events GROUP BY stream;

-- Segments made from now on hold so many positions. segmented_to: the last position that has a table. archived_to: the
-- last position that is in the archive and no longer here; 0 where nothing is.
ALTER TABLE log_head
  ADD COLUMN segment_size bigint NOT NULL DEFAULT 5000000 CHECK (segment_size > 0),
  ADD COLUMN segmented_to bigint NOT NULL DEFAULT 0,
  ADD COLUMN archived_to bigint NOT NULL DEFAULT 0;

-- What was one table becomes the first segment.
ALTER TABLE events RENAME TO events_000000000001;
ALTER TABLE events_000000000001 RENAME CONSTRAINT events_pkey TO events_000000000001_pkey;
ALTER TABLE events_000000000001 DROP CONSTRAINT events_event_id;
ALTER TABLE events_000000000001 RENAME CONSTRAINT events_stream_revision TO events_000000000001_stream_revision;
ALTER INDEX events_category_position RENAME TO events_000000000001_category_position;

CREATE TABLE events (LIKE events_000000000001 INCLUDING DEFAULTS, PRIMARY KEY (position)) PARTITION BY RANGE (position);
CREATE INDEX events_category_position ON events (category, position);

-- Makes the next segment. Its table is attached when it is ready, which waits for no reader and no writer.
-- Parameters: none. Result: the last position that has a table now.
-- Invariant: called by whoever holds the row of log_head; segments follow each other without a gap.
CREATE FUNCTION add_segment() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
  v_first bigint;
  v_last bigint;
  v_table text;
BEGIN
  SELECT segmented_to + 1, segmented_to + segment_size INTO STRICT v_first, v_last FROM log_head FOR UPDATE;
  v_table := 'events_' || lpad(v_first::text, 12, '0');
  EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING ALL)', v_table);
  -- Not needed to tell that a revision is taken (stream_heads does): it finds a stream's events, and a bug in the former.
  EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I UNIQUE (stream, revision)', v_table, v_table || '_stream_revision');
  -- Only ever appended to: autovacuum has to freeze it and to keep its statistics and visibility map fresh.
  EXECUTE format(
    'ALTER TABLE %I SET (autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1)', v_table
  );
  EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', v_table, v_first, v_last + 1);
  INSERT INTO log_segments (first_position, last_position, table_name) VALUES (v_first, v_last, v_table);
  UPDATE log_head SET segmented_to = v_last;
  RETURN v_last;
END
$$;

-- The first segment holds what there is, and is as long as any other beyond that.
DO $$
DECLARE
  v_last bigint;
BEGIN
  SELECT position + segment_size INTO STRICT v_last FROM log_head;
  EXECUTE format('ALTER TABLE events ATTACH PARTITION events_000000000001 FOR VALUES FROM (1) TO (%s)', v_last + 1);
  INSERT INTO log_segments (first_position, last_position, table_name) VALUES (1, v_last, 'events_000000000001');
  UPDATE log_head SET segmented_to = v_last;
END
$$;

-- Appends a batch, all of it or nothing, in one round trip.
--
-- Parameters, by stream: p_heads, the names, each once, in an order that all callers share (or two of them could wait
-- for each other); p_counts, how many events of it are appended; p_befores, the revision it must be at, null for any
-- (null altogether where all are). By event, in order: p_stream_numbers, its stream's place in p_heads (from 1);
-- p_backs, how many of its stream's events come after it in this batch; the rest is what the event is.
-- Result: no row, and nothing stored, where an event id is stored already or a stream is not where it must be: the
-- caller then has to decide request by request. Otherwise the position of the first event, and the new revision of each
-- stream in the order of p_heads.
-- Invariants: appends to one stream follow each other, by the lock of its row in stream_heads. All appends follow each
-- other from the lock of log_head to their commit, which is what makes positions those of the commits; so it is taken as
-- late as possible. What another append does meanwhile makes this one wait, never fail. (Needs READ COMMITTED.)
CREATE FUNCTION append_events(
  p_heads text[],
  p_counts bigint[],
  p_befores bigint[],
  p_stream_numbers integer[],
  p_backs bigint[],
  p_streams text[],
  p_event_ids uuid[],
  p_types text[],
  p_data json[],
  p_metadata json[],
  p_recorded_at timestamptz[]
) RETURNS TABLE (first_position bigint, revisions bigint[])
LANGUAGE plpgsql
AS $$
DECLARE
  v_count bigint := cardinality(p_event_ids);
  v_streams text[];
  v_revisions bigint[];
  v_before bigint;
  v_last bigint;
  v_room bigint;
BEGIN
  -- Durable before the reply, whatever the server's default is; stronger settings stay.
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;

  BEGIN
    WITH advanced AS (
      INSERT INTO stream_heads AS h (stream, revision)
      SELECT a.stream, a.count FROM unnest(p_heads, p_counts) AS a (stream, count)
      ON CONFLICT (stream) DO UPDATE SET revision = h.revision + excluded.revision
      RETURNING h.stream, h.revision
    )
    SELECT array_agg(stream), array_agg(revision) INTO v_streams, v_revisions FROM advanced;
    IF v_streams <> p_heads THEN
      RAISE 'the streams of an append came back in another order';
    END IF;
    IF p_befores IS NOT NULL THEN
      PERFORM 1 FROM unnest(p_befores, p_counts, v_revisions) AS r (before, count, revision)
      WHERE r.before <> r.revision - r.count;
      IF FOUND THEN
        RAISE 'a stream is not where it must be' USING ERRCODE = 'PX001';
      END IF;
    END IF;

    UPDATE log_head SET position = position + v_count
    RETURNING position - v_count, position, segmented_to - position - segment_size / 10
    INTO STRICT v_before, v_last, v_room;
    -- Made ahead, so that a segment is there before it is needed.
    IF v_room < 0 THEN
      WHILE add_segment() < v_last LOOP
      END LOOP;
    END IF;

    INSERT INTO event_ids (event_id, position)
    SELECT a.event_id, v_before + a.n FROM unnest(p_event_ids) WITH ORDINALITY AS a (event_id, n);

    INSERT INTO events (position, revision, recorded_at, event_id, stream, category, type, data, metadata)
    SELECT
      v_before + a.n, v_revisions[a.stream_number] - a.back, a.recorded_at, a.event_id, a.stream,
      split_part(a.stream, '-', 1), a.type, a.data, a.metadata
    FROM unnest(p_stream_numbers, p_backs, p_streams, p_event_ids, p_types, p_data, p_metadata, p_recorded_at)
      WITH ORDINALITY AS a (stream_number, back, stream, event_id, type, data, metadata, recorded_at, n);
  EXCEPTION WHEN unique_violation OR SQLSTATE 'PX001' THEN
    RETURN;
  END;

  PERFORM pg_notify('proximal_log', v_last::text);
  RETURN QUERY SELECT v_before + 1, v_revisions;
END
$$;

-- The append of before, for processes that still run it while this is rolled out. In terms of the new one; see 0001 for
-- its parameters and result.
CREATE OR REPLACE FUNCTION append_events(
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
AS $$
DECLARE
  v_heads text[];
  v_counts bigint[];
  v_befores bigint[];
  v_numbers integer[];
  v_backs bigint[];
  v_first bigint;
  v_after bigint[];
BEGIN
  IF EXISTS (
    SELECT 1 FROM (
      SELECT r.wanted - row_number() OVER (PARTITION BY r.stream ORDER BY r.n) AS before, r.stream
      FROM unnest(p_streams, p_revisions) WITH ORDINALITY AS r (stream, wanted, n)
    ) b GROUP BY b.stream HAVING min(b.before) <> max(b.before)
  ) THEN
    RETURN;
  END IF;
  WITH asked AS (
    SELECT r.n, r.stream, r.wanted, row_number() OVER (PARTITION BY r.stream ORDER BY r.n) AS nth,
      count(*) OVER (PARTITION BY r.stream) AS count, dense_rank() OVER (ORDER BY r.stream COLLATE "C") AS number
    FROM unnest(p_streams, p_revisions) WITH ORDINALITY AS r (stream, wanted, n)
  ), heads AS (
    SELECT a.number, a.stream, a.count, max(a.wanted - a.nth) AS before FROM asked a GROUP BY a.number, a.stream, a.count
  )
  SELECT
    (SELECT array_agg(h.stream ORDER BY h.number) FROM heads h),
    (SELECT array_agg(h.count ORDER BY h.number) FROM heads h),
    (SELECT array_agg(h.before ORDER BY h.number) FROM heads h),
    array_agg(a.number::integer ORDER BY a.n), array_agg(a.count - a.nth ORDER BY a.n)
  INTO v_heads, v_counts, v_befores, v_numbers, v_backs FROM asked a;
  SELECT n.first_position, n.revisions INTO v_first, v_after FROM append_events(
    v_heads, v_counts, v_befores, v_numbers, v_backs, p_streams, p_event_ids, p_types, p_data, p_metadata, p_recorded_at
  ) n;
  IF v_first IS NOT NULL THEN
    RETURN QUERY SELECT v_first, (
      SELECT array_agg(v_after[a.number] - a.back ORDER BY a.n)
      FROM unnest(v_numbers, v_backs) WITH ORDINALITY AS a (number, back, n)
    );
  END IF;
END
$$;
