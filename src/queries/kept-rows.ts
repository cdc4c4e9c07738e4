import { LRUCache } from "lru-cache";
import type { RenderedNext } from "./render-next.ts";

/** What this process last read of one row, decoded, and the answers rendered from it. */
export interface KeptRow<T> {
  readonly bytes: Buffer;
  readonly value: T;
  /** The answer rendered under this key while everything else it is made of (`stamp`) was the same. */
  get(key: string, stamp: string): RenderedNext | undefined;
  set(key: string, stamp: string, rendered: RenderedNext): void;
}

export interface KeptRows<T> {
  /** The row as it is now: decoded again only if its bytes have changed. */
  remember(key: string, bytes: Buffer): KeptRow<T>;
  /** The row as it was last read; undefined where it was not, or was too long ago. */
  last(key: string): KeptRow<T> | undefined;
}

const renderedMax = 4;

/** `bytesMax` bounds what is held, roughly: a row counts for its bytes, their decoded form and a few answers. */
export function createKeptRows<T>(bytesMax: number, decode: (bytes: Buffer) => T): KeptRows<T> {
  const rows = new LRUCache<string, KeptRow<T>>({
    maxSize: bytesMax,
    sizeCalculation: ({ bytes }) => bytes.length * 12 + 500,
  });
  return {
    remember(key, bytes) {
      const last = rows.get(key);
      if (last?.bytes.equals(bytes)) return last;
      // A copy: what an adapter hands out may be a slice of something much larger.
      const row = keptRow(Buffer.from(bytes), decode(bytes));
      rows.set(key, row);
      return row;
    },
    last: (key) => rows.get(key),
  };
}

function keptRow<T>(bytes: Buffer, value: T): KeptRow<T> {
  const rendered = new Map<string, RenderedNext>();
  let stamped = "";
  return {
    bytes,
    value,
    get: (key, stamp) => (stamp === stamped ? rendered.get(key) : undefined),
    set(key, stamp, answer) {
      if (stamp !== stamped || rendered.size >= renderedMax) rendered.clear();
      stamped = stamp;
      rendered.set(key, answer);
    },
  };
}
