import { join } from "node:path";

export function logFile(folder: string): string {
  return join(folder, "log.sqlite");
}

/** recorded_at is milliseconds since 1970; data and metadata are JSON, kept as it was sent. */
export const logMigrations = [
  `
  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    revision INTEGER NOT NULL,
    category TEXT NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    metadata TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX events_event_id ON events (event_id);
  CREATE UNIQUE INDEX events_stream_revision ON events (stream, revision);
  CREATE INDEX events_category_position ON events (category, position);
  `,
];
