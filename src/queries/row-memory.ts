import { LRUCache } from "lru-cache";
import { type Rendered, toSendAgain } from "./rendered.ts";

/** One field of a learner's row as it was read last, with the answers made of it since. */
export class KeptField {
  readonly namespace: string;
  readonly learnerId: string;
  /** As it is stored; null where there is no such row or field. */
  readonly bytes: Buffer | null;
  /** When the read of it began, and which read it was. */
  readAt = 0;
  read = 0;
  /** Milliseconds since 1970; 0 once it was written, or was never to be relied on. */
  holdsUntil = 0;
  /** Its name in the row. */
  name = "";
  /** When somebody asked for it last (a read beside the requests does not count), and how often. */
  askedAt = 0;
  asks = 0;
  /** Of the learner's stream, as of what was made of it last; infinite before. */
  revision = Number.POSITIVE_INFINITY;
  /** Of the answers, and of what they stand on. */
  madeBytes = 0;
  private stamp: string | number = "";
  /** Names and answers in turn, a few: looked through faster than looked up. */
  private readonly all: (string | Rendered)[] = [];
  private readonly grew: ((field: KeptField) => void) | null;

  /** `grew`: told when an answer is kept with it; null: none is. */
  constructor(namespace: string, learnerId: string, bytes: Buffer | null, grew: ((field: KeptField) => void) | null) {
    this.namespace = namespace;
    this.learnerId = learnerId;
    this.bytes = bytes;
    this.grew = grew;
  }

  holds(namespace: string, bytes: Buffer | null): boolean {
    if (namespace !== this.namespace) return false;
    return bytes === null || this.bytes === null ? bytes === this.bytes : bytes.equals(this.bytes);
  }

  /** The answer made under this name, while everything else it was made of (`stamp`) was the same. */
  made(name: string, stamp: string | number): Rendered | undefined {
    if (stamp !== this.stamp) return undefined;
    const at = this.all.indexOf(name);
    return at < 0 ? undefined : toSendAgain(this.all[at + 1] as Rendered);
  }

  /** Keeps an answer with the field, as long as there is room. */
  make(name: string, stamp: string | number, made: Rendered): Rendered {
    this.revision = made.revision;
    if (this.grew === null) return made;
    if (stamp !== this.stamp || this.all.length >= 2 * madeMax) {
      this.all.length = 0;
      this.madeBytes = 0;
    }
    this.stamp = stamp;
    const at = this.all.indexOf(name);
    if (at < 0) {
      this.madeBytes += made.bytes + entryBytes.made;
      this.all.push(name, made);
    } else {
      this.all[at + 1] = made;
    }
    this.grew(this);
    return made;
  }
}

export interface RowMemory {
  /** One to be put here. */
  field(namespace: string, learnerId: string, bytes: Buffer | null): KeptField;
  find(learnerId: string, field: string): KeptField | undefined;
  put(field: KeptField, name: string): void;
  /** All fields of the learner. */
  of(learnerId: string): Iterable<KeptField>;
  all(): Iterable<KeptField>;
  /** Counts as used. */
  grew(field: KeptField): void;
  /** Learners with a row, those used last first. */
  hottest(max: number): string[];
  held(): Held;
}

export interface Held {
  /** With a row, and without. */
  readonly learners: number;
  readonly unknown: number;
  readonly bytes: number;
}

/** What entries take beside their bytes, measured as heap: see row-memory.test.ts. */
const entryBytes = { learner: 300, field: 300, made: 350 };
const madeMax = 4;
/** Of all bytes, for learners without a row: whoever asks for ids that do not exist pushes no rows out. */
const unknownShare = 1 / 8;

type Learner = Map<string, KeptField>;

/** Fields of learners' rows, at most so many bytes of them; those used least recently make room. Of 0 bytes: nothing. */
export function createRowMemory(bytesMax: number): RowMemory {
  return bytesMax === 0 ? nothingKept : keepRows(bytesMax);
}

const nothingKept: RowMemory = {
  field: (namespace, learnerId, bytes) => new KeptField(namespace, learnerId, bytes, null),
  find: () => undefined,
  put: () => undefined,
  of: () => [],
  all: () => [],
  grew: () => undefined,
  hottest: () => [],
  held: () => ({ learners: 0, unknown: 0, bytes: 0 }),
};

function keepRows(bytesMax: number): RowMemory {
  const store = (share: number) =>
    new LRUCache<string, Learner>({ maxSize: Math.max(1, Math.floor(bytesMax * share)), sizeCalculation: sizeOf });
  const known = store(1 - unknownShare);
  const unknown = store(unknownShare);
  const none: Learner = new Map();
  const learner = (learnerId: string): Learner | undefined => known.peek(learnerId) ?? unknown.peek(learnerId);

  /** Anew, since the size of an entry is taken when it comes in. */
  function place(learnerId: string, fields: Learner): void {
    known.delete(learnerId);
    unknown.delete(learnerId);
    let hasRow = false;
    for (const { bytes } of fields.values()) if (bytes !== null) hasRow = true;
    (hasRow ? known : unknown).set(learnerId, fields);
  }

  function grew(field: KeptField): void {
    const fields = learner(field.learnerId);
    if (fields === undefined) return;
    for (const one of fields.values()) {
      if (one === field) {
        place(field.learnerId, fields);
        return;
      }
    }
  }

  return {
    // A copy: what an adapter hands out may be a slice of something much larger.
    field: (namespace, learnerId, bytes) =>
      new KeptField(namespace, learnerId, bytes === null ? null : Buffer.from(bytes), grew),
    find: (learnerId, field) => learner(learnerId)?.get(field),
    put(field, name) {
      const fields: Learner = learner(field.learnerId) ?? new Map();
      field.name = name;
      fields.set(name, field);
      place(field.learnerId, fields);
    },
    of: (learnerId) => (learner(learnerId) ?? none).values(),
    *all() {
      for (const fields of known.values()) yield* fields.values();
      for (const fields of unknown.values()) yield* fields.values();
    },
    grew,
    hottest(max) {
      const ids: string[] = [];
      for (const id of known.keys()) {
        if (ids.length === max) break;
        ids.push(id);
      }
      return ids;
    },
    held: () => ({
      ...{ learners: known.size, unknown: unknown.size },
      bytes: known.calculatedSize + unknown.calculatedSize,
    }),
  };
}

function sizeOf(fields: Learner): number {
  let bytes = entryBytes.learner;
  for (const field of fields.values()) bytes += entryBytes.field + (field.bytes?.length ?? 0) + field.madeBytes;
  return bytes;
}
