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
