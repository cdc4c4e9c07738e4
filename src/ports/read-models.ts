/**
 * Rows of precomputed answers. A row has a version and named fields; a write happens only if the row still is at the
 * version the writer folded from, so that a worker that lost its partition cannot overwrite its successor, and a
 * batch applied twice is applied once.
 *
 * Everything here can be thrown away and rebuilt from the log.
 */
export interface Row {
  /** Stream revision or log position of the last event folded in; 0 for a row never written. */
  readonly version: number;
  readonly fields: ReadonlyMap<string, Buffer>;
}

export interface GuardedWrite {
  readonly key: string;
  /** Version the row must have (0: no row). "older": any version below or equal to `to`. */
  readonly from: number | "older";
  readonly to: number;
  readonly set: ReadonlyMap<string, Buffer>;
  readonly remove?: readonly string[];
}

/** `written`, or `refused` with the version the row is at. */
export type WriteOutcome = { readonly status: "written" } | { readonly status: "refused"; readonly version: number };

export interface ReadModels {
  /**
   * One field of one row; null where either is absent. The hot path of every query: each engine ends it at its deadline,
   * and may answer from a copy that is behind by a moment.
   */
  get(key: string, field: string): Promise<Buffer | null>;
  /** One field of each of many rows, in order, in one round trip; as `get`. */
  getMany(keys: readonly string[], field: string): Promise<(Buffer | null)[]>;
  /** Whole rows as they stand, or only the named fields of them; version 0 and no fields where there is no row. */
  read(keys: readonly string[], fields?: readonly string[]): Promise<Row[]>;
  /** Each write is atomic by itself; many go in one pipelined batch. Outcomes are in order. */
  write(writes: readonly GuardedWrite[]): Promise<WriteOutcome[]>;
  /** Keys that start with the prefix, in no order, each once, in bounded pages. */
  keys(prefix: string): AsyncIterable<string[]>;
  remove(keys: readonly string[]): Promise<void>;
  /**
   * Tells, soon after, which rows were written or removed, by whichever process; null: some of it may have been missed.
   * The word can be lost, so a copy kept on its strength needs an end of its own. Returns what ends it.
   */
  onChange(listener: (keys: readonly string[] | null) => void): () => void;
  /**
   * Tells, soon after, that rows may be gone: some of the `newest` writes (a fail-over, a restart), or `any` (a flush).
   * Readers and writers check what they rely on. It may tell where nothing was lost, and once for several losses; a
   * process that was not running at the time is not told. Returns what ends it.
   */
  onLoss(listener: (rows: Loss) => void): () => void;
}

export type Loss = "newest" | "any";

/** The engine did not answer in time, or is not there. Nothing is lost: the log holds the truth. */
export class ReadModelsUnavailable extends Error {
  override readonly name = "ReadModelsUnavailable";
}
