-- Who may do what only one process of a deployment does at a time, and until when by the clock of this server.
CREATE TABLE leases (
  name text COLLATE "C" PRIMARY KEY,
  holder text COLLATE "C" NOT NULL,
  -- Grows with each change of holder: what carries a lower one comes from a holder before.
  token bigint NOT NULL,
  expires_at timestamptz NOT NULL
);
