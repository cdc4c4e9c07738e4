import { LRUCache } from "lru-cache";
import type { Clock } from "../ports/clock.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { withinBudget } from "./budget.ts";

/** One field of a row as it was read last, decoded, with what was made of it since. */
export interface KeptField<T, Made> {
  readonly bytes: Buffer | null;
  /** null where there is no such row or field. */
  readonly value: T | null;
  /** What was made of the value under this name, while everything else it was made of (`stamp`) was the same. */
  made(name: string, stamp: string | number): Made | undefined;
  make(name: string, stamp: string | number, made: Made): Made;
}

export interface RowCache<T, Made> {
  /** At once while what is in memory holds, else read within the budget. */
  get(key: string, field: string): KeptField<T, Made> | Promise<KeptField<T, Made>>;
  /** As it stands in the read models now. Rejects with ReadModelsUnavailable. */
  read(key: string, field: string): Promise<KeptField<T, Made>>;
  /** Takes in what was read elsewhere: decoded again only if its bytes are new. */
  seen(key: string, field: string, bytes: Buffer | null): KeptField<T, Made>;
  /** What was read last, however long ago; undefined where nothing was, or it had to make room. */
  last(key: string, field: string): KeptField<T, Made> | undefined;
  close(): void;
}

export interface RowCacheDeps<T> {
  readonly readModels: ReadModels;
  readonly clock: Clock;
  readonly budgetMs: number;
  readonly decode: (bytes: Buffer) => T | null;
  /** Told of each look-up: whether the answer was in memory. */
  readonly onLookUp?: (hit: boolean) => void;
}

/**
 * A row in memory is not relied on as soon as the word comes that it was written, and after so long in any case: should
 * that word be lost, an answer is older by this at most. Milliseconds.
 */
export const rowKeptMs = 5_000;
/** Bytes held, roughly: a field counts for its bytes, their decoded form and a few answers made of it. */
const bytesMax = 96 * 1024 * 1024;
const sizeOfField = ({ bytes }: { readonly bytes: Buffer | null }): number => (bytes?.length ?? 0) * 12 + 500;

type Fields<F> = ReadonlyMap<string, F>;

/**
 * Rows as this process read them last, in front of the read models. Callers that miss the same row wait for one read.
 * A row that is written while it is being read is answered, and not relied on. What no longer holds stays as long as
 * there is room: without the read models it is the last that is known.
 */
export function createRowCache<T, Made>(deps: RowCacheDeps<T>): RowCache<T, Made> {
  const { readModels, clock, budgetMs, decode, onLookUp } = deps;
  type Field = Kept<T, Made>;
  const rows = new LRUCache<string, Fields<Field>>({
    maxSize: bytesMax,
    sizeCalculation: (fields) => [...fields.values()].reduce((sum, field) => sum + sizeOfField(field), 500),
  });
  const reading = new Map<string, Map<string, Promise<Field>>>();

  async function read(key: string, field: string): Promise<Field> {
    return seen(key, field, await withinBudget(readModels.get(key, field), budgetMs));
  }

  function seen(key: string, field: string, bytes: Buffer | null): Field {
    const fields = rows.get(key);
    const last = fields?.get(field);
    if (last !== undefined && sameBytes(last.bytes, bytes)) return last;
    // A copy: what an adapter hands out may be a slice of something much larger.
    const kept = new Kept<T, Made>(bytes === null ? null : Buffer.from(bytes), bytes === null ? null : decode(bytes));
    rows.set(key, new Map(fields).set(field, kept));
    return kept;
  }

  function readOnce(key: string, field: string): Promise<Field> {
    const running = reading.get(key)?.get(field);
    if (running !== undefined) return running;
    const started = read(key, field).then(
      (kept) => {
        if (finished(key, field, started)) kept.holdsUntil = clock.now() + rowKeptMs;
        return kept;
      },
      (error) => {
        finished(key, field, started);
        throw error;
      },
    );
    const fields = reading.get(key) ?? new Map<string, Promise<Field>>();
    reading.set(key, fields.set(field, started));
    return started;
  }

  /** Whether what was read holds: nobody has written the row meanwhile. */
  function finished(key: string, field: string, read: Promise<Field>): boolean {
    const fields = reading.get(key);
    if (fields?.get(field) !== read) return false;
    fields.delete(field);
    if (fields.size === 0) reading.delete(key);
    return true;
  }

  function written(key: string): void {
    reading.delete(key);
    for (const field of rows.peek(key)?.values() ?? []) field.holdsUntil = 0;
  }

  const stopListening = readModels.onChange((keys) => {
    if (keys !== null) return keys.forEach(written);
    reading.clear();
    for (const fields of rows.values()) for (const field of fields.values()) field.holdsUntil = 0;
  });

  return {
    get(key, field) {
      // What is used is read again every few seconds, and counts as used then.
      const kept = rows.peek(key)?.get(field);
      const hit = kept !== undefined && clock.now() < kept.holdsUntil;
      onLookUp?.(hit);
      return hit ? kept : readOnce(key, field);
    },
    read,
    seen,
    last: (key, field) => rows.get(key)?.get(field),
    close: stopListening,
  };
}

const madeMax = 4;

class Kept<T, Made> implements KeptField<T, Made> {
  readonly bytes: Buffer | null;
  readonly value: T | null;
  /** Milliseconds since 1970; 0 once it was written, or was never to be relied on. */
  holdsUntil = 0;
  #stamp: string | number = "";
  readonly #made = new Map<string, Made>();

  constructor(bytes: Buffer | null, value: T | null) {
    this.bytes = bytes;
    this.value = value;
  }

  made(name: string, stamp: string | number): Made | undefined {
    return stamp === this.#stamp ? this.#made.get(name) : undefined;
  }

  make(name: string, stamp: string | number, made: Made): Made {
    if (stamp !== this.#stamp || this.#made.size >= madeMax) this.#made.clear();
    this.#stamp = stamp;
    this.#made.set(name, made);
    return made;
  }
}

const sameBytes = (a: Buffer | null, b: Buffer | null): boolean => (a === null || b === null ? a === b : a.equals(b));
