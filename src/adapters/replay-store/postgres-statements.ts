/** A time given in milliseconds since 1970. */
const at = (parameter: string): string => `to_timestamp(${parameter}::double precision / 1000)`;
const ms = (column: string): string => `date_part('epoch', ${column}) * 1000`;

const columns = `number, id, kind, input, idempotency_key, requested_by, ${ms("created_at")}, state, attempts,
  ${ms("started_at")}, ${ms("ended_at")}, done, total, summary, error,
  (SELECT json_agg(json_build_array(name, media_type, bytes) ORDER BY name) FROM replay_files WHERE replay_id = id)`;
const open = "state IN ('queued', 'running')";
const held = "id = $1 AND attempts = $2 AND state = 'running'";
const due = (now: string): string => `${open} AND coalesce(claimed_until, '-infinity') <= ${at(now)}`;

/** What the store of replays asks of PostgreSQL. `$1` is the replay and `$2` the attempt of who holds it, where nothing else is said. */
export const statements = {
  /**
   * Parameters: id, kind, input, idempotency key or null, requested by or null, created, and how many may be open.
   * Stores nothing where the key was used before, or so many are open.
   */
  add: `/* replays.add */ INSERT INTO replays (id, kind, input, idempotency_key, requested_by, created_at, state)
    SELECT $1::uuid, $2::text, $3::json, $4::text, $5::text, ${at("$6")}, 'queued'
    WHERE (SELECT count(*) FROM replays WHERE ${open}) < $7::bigint
    ON CONFLICT DO NOTHING`,
  /** Parameters: id, idempotency key or null, requested by or null. */
  findAdded: `/* replays.find-added */ SELECT ${columns} FROM replays
    WHERE id = $1 OR (coalesce(requested_by, '') = coalesce($3::text, '') AND idempotency_key = $2)
    ORDER BY number LIMIT 1`,
  countOpen: `/* replays.count-open */ SELECT count(*) FROM replays WHERE ${open}`,
  get: `/* replays.get */ SELECT ${columns} FROM replays WHERE id = $1`,
  /** Parameters: before which number or null, kind or null, state or null, how many. */
  list: `/* replays.list */ SELECT ${columns} FROM replays
    WHERE number < coalesce($1::bigint, 9223372036854775807) AND kind = coalesce($2, kind) AND state = coalesce($3, state)
    ORDER BY number DESC LIMIT $4`,
  /** Parameters: now, how many. */
  due: `/* replays.due */ SELECT id FROM replays WHERE ${due("$1")} ORDER BY number LIMIT $2`,
  countByState: `/* replays.count-by-state */ SELECT state, count(*), ${ms("min(created_at)")} FROM replays GROUP BY state`,
  fileBytes: "/* replays.file-bytes */ SELECT coalesce(sum(bytes), 0) FROM replay_files",
  /** Parameters: id, now, until when. Result: a row where it was due. */
  claim: `/* replays.claim */ UPDATE replays SET state = 'running', attempts = attempts + 1, tries = tries + 1,
      claimed_until = ${at("$3")}, started_at = coalesce(started_at, ${at("$2")})
    WHERE id = $1 AND ${due("$2")} RETURNING attempts, tries, checkpoint`,
  dropUnsavedFiles:
    "/* replays.drop-unsaved-files */ DELETE FROM replay_files WHERE replay_id = $1 AND saved_bytes IS NULL",
  cutChunks: `/* replays.cut-chunks */ DELETE FROM replay_chunks c USING replay_files f
    WHERE c.replay_id = $1 AND f.replay_id = c.replay_id AND f.name = c.name AND c.start >= f.saved_bytes`,
  cutFiles:
    "/* replays.cut-files */ UPDATE replay_files SET bytes = saved_bytes WHERE replay_id = $1 AND bytes <> saved_bytes",
  /** Locks the replay for who holds it. Result: a row where that is so. */
  hold: `/* replays.hold */ SELECT 1 FROM replays WHERE ${held} FOR UPDATE`,
  /** Parameters besides: until when, done or null, total or null. */
  keep: `/* replays.keep */ UPDATE replays SET claimed_until = ${at("$3")}, done = coalesce($4::double precision, done),
      total = CASE WHEN $4::double precision IS NULL THEN total ELSE $5::double precision END
    WHERE ${held} RETURNING 1`,
  /** Parameters: replay, name, media type. */
  addFile: `/* replays.add-file */ INSERT INTO replay_files (replay_id, name, media_type) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING`,
  /** Parameters: replay, name, offset, bytes. Result: a row where the file ended there. */
  append: `/* replays.append */ WITH grown AS (
      UPDATE replay_files SET bytes = bytes + octet_length($4::bytea)
      WHERE replay_id = $1 AND name = $2 AND bytes = $3::bigint RETURNING 1
    )
    INSERT INTO replay_chunks (replay_id, name, start, bytes) SELECT $1, $2, $3::bigint, $4::bytea FROM grown RETURNING 1`,
  /** Parameters: replay, state. */
  checkpoint: "/* replays.checkpoint */ UPDATE replays SET checkpoint = $2, tries = 0 WHERE id = $1",
  saveFiles: "/* replays.save-files */ UPDATE replay_files SET saved_bytes = bytes WHERE replay_id = $1",
  /** Parameters besides: due when, how many tries are taken back. */
  release: `/* replays.release */ UPDATE replays SET state = 'queued', claimed_until = ${at("$3")},
      tries = greatest(0, tries - $4::integer)
    WHERE ${held}`,
  /** Parameters besides: state, summary or null, error or null, now. */
  finish: `/* replays.finish */ UPDATE replays SET state = $3, summary = $4::json, error = $5, ended_at = ${at("$6")},
      checkpoint = NULL WHERE ${held} RETURNING 1`,
  /** Parameters: replay, now. */
  cancel: `/* replays.cancel */ UPDATE replays SET state = 'cancelled', ended_at = ${at("$2")}, checkpoint = NULL
    WHERE id = $1 AND ${open} RETURNING 1`,
  dropFiles: "/* replays.drop-files */ DELETE FROM replay_files WHERE replay_id = $1",
  remove: "/* replays.remove */ DELETE FROM replays WHERE id = $1 RETURNING 1",
  /** Parameters: ended before when, how many. */
  removeEnded: `/* replays.remove-ended */ DELETE FROM replays WHERE id IN (
      SELECT id FROM replays WHERE ended_at < ${at("$1")} ORDER BY ended_at LIMIT $2
    ) RETURNING 1`,
  /** Parameters: replay, name, offset. */
  read: `/* replays.read */ SELECT substring(bytes FROM ($3::bigint - start + 1)::integer) FROM replay_chunks
    WHERE replay_id = $1 AND name = $2 AND start <= $3::bigint ORDER BY start DESC LIMIT 1`,
} as const;
