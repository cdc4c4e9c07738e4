import { LRUCache } from "lru-cache";
import type { Clock } from "../ports/clock.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { learnerKey, learnerOfKey } from "../projections/rows.ts";

/** One field of a learner's row as it was read last, decoded, with what was made of it since. */
export interface KeptField<T, Made> {
  readonly bytes: Buffer | null;
  /** null where there is no such row or field. */
  readonly value: T | null;
  /** What was made of the value under this name, while everything else it was made of (`stamp`) was the same. */
  made(name: string, stamp: string | number): Made | undefined;
  make(name: string, stamp: string | number, made: Made): Made;
}

/** Rows are those of a namespace (see projections/rows.ts), one for each learner. */
export interface RowCache<T, Made> {
  /** At once while what is in memory holds, else read within the budget. */
  get(namespace: string, learnerId: string, field: string): KeptField<T, Made> | Promise<KeptField<T, Made>>;
  /** As it stands in the read models now. Rejects with ReadModelsUnavailable. */
  read(namespace: string, learnerId: string, field: string): Promise<KeptField<T, Made>>;
  /** Takes in what was read elsewhere: decoded again only if its bytes are new. */
  seen(namespace: string, learnerId: string, field: string, bytes: Buffer | null): KeptField<T, Made>;
  /** What was read last, however long ago, of whatever namespace; undefined where nothing was, or it had to make room. */
  last(learnerId: string, field: string): KeptField<T, Made> | undefined;
  close(): void;
}

export interface RowCacheDeps<T> {
  readonly readModels: ReadModels;
  readonly clock: Clock;
  /** Those that are asked for. */
  readonly fields: readonly string[];
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

/**
 * Rows as this process read them last, in front of the read models. Callers that miss the same row wait for one read.
 * A row that is written while it is being read is answered, and not relied on. What no longer holds stays as long as
 * there is room: without the read models it is the last that is known.
 */
export function createRowCache<T, Made>(deps: RowCacheDeps<T>): RowCache<T, Made> {
  const { readModels, clock, fields, decode, onLookUp } = deps;
  type Field = Kept<T, Made>;
  const kept = new LRUCache<string, Field>({
    maxSize: bytesMax,
    sizeCalculation: ({ bytes }) => (bytes?.length ?? 0) * 12 + 600,
  });
  const reading = new Map<string, Promise<Field>>();

  async function read(namespace: string, learnerId: string, field: string): Promise<Field> {
    const bytes = await readModels.get(learnerKey(namespace, learnerId), field);
    return seen(namespace, learnerId, field, bytes);
  }

  function seen(namespace: string, learnerId: string, field: string, bytes: Buffer | null): Field {
    const name = nameOf(learnerId, field);
    const last = kept.get(name);
    if (last !== undefined && last.namespace === namespace && sameBytes(last.bytes, bytes)) return last;
    // A copy: what an adapter hands out may be a slice of something much larger.
    const own = bytes === null ? null : Buffer.from(bytes);
    const now = new Kept<T, Made>(namespace, own, own === null ? null : decode(own));
    kept.set(name, now);
    return now;
  }

  function readOnce(namespace: string, learnerId: string, field: string): Promise<Field> {
    const name = nameOf(learnerId, field);
    const running = reading.get(name);
    if (running !== undefined) return running;
    // Nobody has written the row meanwhile, where this is still the read of it.
    const finished = (): boolean => reading.get(name) === started && reading.delete(name);
    const started: Promise<Field> = read(namespace, learnerId, field).then(
      (found) => {
        if (finished()) found.holdsUntil = clock.now() + rowKeptMs;
        return found;
      },
      (error) => {
        finished();
        throw error;
      },
    );
    reading.set(name, started);
    return started;
  }

  function written(key: string): void {
    const learnerId = learnerOfKey(key);
    if (learnerId === null) return;
    for (const field of fields) {
      const name = nameOf(learnerId, field);
      reading.delete(name);
      const found = kept.peek(name);
      if (found !== undefined) found.holdsUntil = 0;
    }
  }

  const stopListening = readModels.onChange((keys) => {
    if (keys !== null) return keys.forEach(written);
    reading.clear();
    for (const field of kept.values()) field.holdsUntil = 0;
  });

  return {
    get(namespace, learnerId, field) {
      // What is used is read again every few seconds, and counts as used then.
      const found = kept.peek(nameOf(learnerId, field));
      const hit = found !== undefined && clock.now() < found.holdsUntil && found.namespace === namespace;
      onLookUp?.(hit);
      return hit ? found : readOnce(namespace, learnerId, field);
    },
    read,
    seen,
    last: (learnerId, field) => kept.get(nameOf(learnerId, field)),
    close: stopListening,
  };
}

/** Ids hold no blanks. What is asked most has the shortest name: making it costs as much as finding it. */
const nameOf = (learnerId: string, field: string): string => (field === "next" ? learnerId : `${learnerId} ${field}`);

const madeMax = 4;

class Kept<T, Made> implements KeptField<T, Made> {
  readonly namespace: string;
  readonly bytes: Buffer | null;
  readonly value: T | null;
  /** Milliseconds since 1970; 0 once it was written, or was never to be relied on. */
  holdsUntil = 0;
  private stamp: string | number = "";
  private readonly all = new Map<string, Made>();

  constructor(namespace: string, bytes: Buffer | null, value: T | null) {
    this.namespace = namespace;
    this.bytes = bytes;
    this.value = value;
  }

  made(name: string, stamp: string | number): Made | undefined {
    return stamp === this.stamp ? this.all.get(name) : undefined;
  }

  make(name: string, stamp: string | number, made: Made): Made {
    if (stamp !== this.stamp || this.all.size >= madeMax) this.all.clear();
    this.stamp = stamp;
    this.all.set(name, made);
    return made;
  }
}

const sameBytes = (a: Buffer | null, b: Buffer | null): boolean => (a === null || b === null ? a === b : a.equals(b));
