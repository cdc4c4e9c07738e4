-- also applied as 69ecd0b8dfa837830a97c5d00515c8ce0f72cf8409b7d76c3943133e1f7d5389
--
-- The schema as it stood before the first release. Databases of the time before have it from 0001 to 0005, the last of
-- which had the checksum above.

-- The event log, in segments: ranges of positions, each a table of its own, so that old ones can leave the database whole.
--
-- log_head has one row: the position of the last event. A writer takes its row lock, as the last thing before it
-- inserts, and holds it to the end of its transaction. So positions have no gaps, and are in the order of the commits:
-- a reader that has seen position n has seen everything before n, whatever other transactions do.
CREATE TABLE log_head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  position bigint NOT NULL,
  -- Segments made from now on hold so many positions.
  segment_size bigint NOT NULL DEFAULT 5000000 CHECK (segment_size > 0),
  -- The last position that has a table.
  segmented_to bigint NOT NULL DEFAULT 0,
  -- The last position that is in the archive and no longer here; 0 where nothing is.
  archived_to bigint NOT NULL DEFAULT 0
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
  metadata json NOT NULL
) PARTITION BY RANGE (position);
CREATE INDEX events_category_position ON events (category, position);

-- A unique index of a partitioned table has to contain the position, so what is unique over all segments, those that are
-- archived too, stands in tables beside them: event_ids and stream_heads. They are written in the transaction of the
-- append, so they never say anything else than the events do.

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

SELECT add_segment();

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

-- Named bytes beside the log: published weights of models, checkpoints of workers.
CREATE SEQUENCE blob_writes;
CREATE TABLE blobs (
  kind text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  -- Orders the names of a kind by their last write.
  written bigint NOT NULL DEFAULT nextval('blob_writes'),
  bytes bytea NOT NULL,
  PRIMARY KEY (kind, name)
);
-- Weights are dense numbers: compressing them costs time and saves nothing.
ALTER TABLE blobs ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- API keys: the secret itself is never kept, only its SHA-256.
CREATE TABLE api_keys (
  id text COLLATE "C" PRIMARY KEY,
  added bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  scopes text[] NOT NULL,
  hash text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz
);

-- Who may do what only one process of a deployment does at a time, and until when by the clock of this server.
CREATE TABLE leases (
  name text COLLATE "C" PRIMARY KEY,
  holder text COLLATE "C" NOT NULL,
  -- Grows with each change of holder: what carries a lower one comes from a holder before.
  token bigint NOT NULL,
  expires_at timestamptz NOT NULL
);

-- Replays: questions of analysts that take minutes, worked on as background jobs, with the files they made.

CREATE TABLE replays (
  id uuid PRIMARY KEY,
  number bigint NOT NULL UNIQUE GENERATED ALWAYS AS IDENTITY,
  kind text COLLATE "C" NOT NULL,
  -- json, not jsonb: kept as it was asked for.
  input json NOT NULL,
  idempotency_key text COLLATE "C",
  requested_by text COLLATE "C",
  created_at timestamptz NOT NULL,
  state text COLLATE "C" NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  -- Claims so far: the last one is the one that may write.
  attempts integer NOT NULL DEFAULT 0,
  -- Claims since the last checkpoint that were not given up in good order.
  tries integer NOT NULL DEFAULT 0,
  -- Until then nobody else may claim it.
  claimed_until timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  done double precision,
  total double precision,
  checkpoint json,
  summary json,
  error text
);
CREATE UNIQUE INDEX replays_idempotency ON replays (coalesce(requested_by, ''), idempotency_key)
  WHERE idempotency_key IS NOT NULL;
CREATE INDEX replays_open ON replays (number) WHERE state IN ('queued', 'running');
CREATE INDEX replays_ended ON replays (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE replay_files (
  replay_id uuid NOT NULL REFERENCES replays ON DELETE CASCADE,
  name text COLLATE "C" NOT NULL,
  media_type text NOT NULL,
  bytes bigint NOT NULL DEFAULT 0,
  -- Its length at the last checkpoint; null for a file made since.
  saved_bytes bigint,
  PRIMARY KEY (replay_id, name)
);

-- A file in pieces, each at the offset where it starts.
CREATE TABLE replay_chunks (
  replay_id uuid NOT NULL,
  name text COLLATE "C" NOT NULL,
  start bigint NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (replay_id, name, start),
  FOREIGN KEY (replay_id, name) REFERENCES replay_files ON DELETE CASCADE
);
