-- Processes that are there, each with what it says of itself, for a while. Unlogged: written every few seconds by each process,
-- and worth nothing after a crash. Nothing but what operators are told depends on it.
CREATE UNLOGGED TABLE processes (
  id text COLLATE "C" PRIMARY KEY,
  -- JSON, as the process wrote it.
  said text NOT NULL,
  expires_at timestamptz NOT NULL
);
