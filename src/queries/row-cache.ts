import { LRUCache } from "lru-cache";
import type { Clock } from "../ports/clock.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { withinBudget } from "./budget.ts";

export interface RowCache {
  /** One field of a row, null where there is none: at once while it is in memory, else read within the budget. */
  get(key: string, field: string): Buffer | null | Promise<Buffer | null>;
  /** As it stands in the read models now. Rejects with ReadModelsUnavailable. */
  read(key: string, field: string): Promise<Buffer | null>;
  close(): void;
}

export interface RowCacheDeps {
  readonly readModels: ReadModels;
  readonly clock: Clock;
  readonly budgetMs: number;
  /** Told of each look-up: whether the answer was in memory. */
  readonly onLookUp?: (hit: boolean) => void;
}

/**
 * A row in memory is dropped as soon as the word comes that it was written, and after so long in any case: should that
 * word be lost, an answer is older by this at most. Milliseconds.
 */
export const rowKeptMs = 1_000;
/** Bytes of rows held, roughly. */
const bytesMax = 64 * 1024 * 1024;
const bytesOfRow = 300;

interface KeptField {
  readonly bytes: Buffer | null;
  readonly until: number;
}

type Fields<T> = Map<string, T>;

/**
 * Rows as this process read them last, in front of the read models. Callers that miss the same row wait for one read.
 * A row that is written while it is being read is answered, and not kept.
 */
export function createRowCache({ readModels, clock, budgetMs, onLookUp }: RowCacheDeps): RowCache {
  const rows = new LRUCache<string, Fields<KeptField>>({ maxSize: bytesMax, sizeCalculation: sizeOf });
  const reading = new Map<string, Fields<Promise<Buffer | null>>>();

  const read = (key: string, field: string): Promise<Buffer | null> =>
    withinBudget(readModels.get(key, field), budgetMs);

  function readOnce(key: string, field: string): Promise<Buffer | null> {
    const fields = reading.get(key) ?? new Map<string, Promise<Buffer | null>>();
    const running = fields.get(field);
    if (running !== undefined) return running;
    const started = read(key, field).then(
      (bytes) => {
        if (finished(key, field, started)) keep(key, field, bytes);
        return bytes;
      },
      (error) => {
        finished(key, field, started);
        throw error;
      },
    );
    fields.set(field, started);
    reading.set(key, fields);
    return started;
  }

  /** Whether what was read may be kept: nobody has written the row meanwhile. */
  function finished(key: string, field: string, read: Promise<Buffer | null>): boolean {
    const fields = reading.get(key);
    if (fields?.get(field) !== read) return false;
    fields.delete(field);
    if (fields.size === 0) reading.delete(key);
    return true;
  }

  function keep(key: string, field: string, bytes: Buffer | null): void {
    // A copy: what an adapter hands out may be a slice of something much larger.
    const kept = { bytes: bytes === null ? null : Buffer.from(bytes), until: clock.now() + rowKeptMs };
    rows.set(key, new Map(rows.get(key)).set(field, kept));
  }

  const stopListening = readModels.onChange((keys) => {
    if (keys === null) {
      rows.clear();
      reading.clear();
      return;
    }
    for (const key of keys) {
      rows.delete(key);
      reading.delete(key);
    }
  });

  return {
    get(key, field) {
      const kept = rows.get(key)?.get(field);
      const hit = kept !== undefined && clock.now() < kept.until;
      onLookUp?.(hit);
      return hit ? kept.bytes : readOnce(key, field);
    },
    read,
    close: stopListening,
  };
}

function sizeOf(fields: Fields<KeptField>): number {
  let size = bytesOfRow;
  for (const { bytes } of fields.values()) size += bytesOfRow + (bytes?.length ?? 0);
  return size;
}
