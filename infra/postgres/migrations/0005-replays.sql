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
