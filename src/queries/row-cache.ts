import type { Clock } from "../ports/clock.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { learnerKey, learnerOfKey, stateField } from "../projections/rows.ts";
import { createRowMemory, type Held, type KeptField } from "./row-memory.ts";
import { createRowRefresh } from "./row-refresh.ts";
import { createRowWords } from "./row-words.ts";

/** The rows of learners that this process has in memory. Rows are those of a namespace (see projections/rows.ts). */
export interface RowCache {
  /**
   * At once while what is in memory holds, and is of no revision before `least`, else read. Rejects with
   * ReadModelsUnavailable.
   */
  get(namespace: string, learnerId: string, field: string, least?: number): KeptField | Promise<KeptField>;
  /** The same for many learners, in order; those that are not in memory are read in one round trip. */
  getMany(namespace: string, learnerIds: readonly string[], field: string): Promise<KeptField[]>;
  /** As it stands in the read models now. Rejects with ReadModelsUnavailable. */
  read(namespace: string, learnerId: string, field: string): Promise<KeptField>;
  /** What was read last, however long ago, of whatever namespace; undefined where nothing was, or it had to make room. */
  last(learnerId: string, field: string): KeptField | undefined;
  /** Calls `wake` once it may stand otherwise there, see row-words.ts; returns what ends that. */
  onWrite(learnerId: string, wake: () => void): () => void;
  /** Learners with a row, those used last first. */
  hottest(max: number): string[];
  held(): Held;
  close(): void;
}

export type RowKind = "list" | "state";
/**
 * In memory; in memory that there is none; waits for a read under way; read; read because more is asked for than what is in
 * memory, where that holds: it waits for a write.
 */
export type LookUp = "hit" | "absent" | "joined" | "miss" | "awaited";

export interface RowCacheDeps {
  readonly readModels: ReadModels;
  readonly clock: Clock;
  /** Bytes held at the most, see row-memory.ts; 0: nothing is kept. Default {@link rowBytesDefault}. */
  readonly rowBytesMax?: number;
  /** Told of each look-up, and of how long ago what is in memory was read: 0 where it was not. */
  readonly onLookUp?: (kind: RowKind, found: LookUp, ageMs: number) => void;
  /** Rows that are asked for again and again are read before they are, see row-refresh.ts. Not when left out. */
  readonly refresh?: boolean;
  /** Told of each read that nobody asked for. */
  readonly onRefresh?: () => void;
}

export const rowBytesDefault = 128 * 1024 * 1024;

/**
 * A row in memory is not relied on as soon as the word comes that it was written, and after so long in any case: should
 * that word be lost, an answer is older by this at most. Milliseconds since its read began.
 */
export const rowKeptMs = 5_000;
/** The same where there is nothing. */
export const absentKeptMs = 2_000;

const kindOf = (field: string): RowKind => (field === stateField ? "state" : "list");

/** A read that is under way. */
interface Reading {
  readonly namespace: string;
  readonly learnerId: string;
  readonly field: string;
  readonly number: number;
  readonly startedAt: number;
  readonly row: Promise<KeptField>;
  /** The row was written meanwhile. */
  overtaken: boolean;
  /** Somebody asked for it. */
  asked: boolean;
}

/**
 * Rows as this process read them last, in front of the read models. Callers that miss the same row wait for one read.
 * A row that is written while it is being read is answered, and not relied on. What no longer holds stays as long as
 * there is room: without the read models it is the last that is known.
 */
export function createRowCache(deps: RowCacheDeps): RowCache {
  const { readModels, clock, onLookUp } = deps;
  const memory = createRowMemory(deps.rowBytesMax ?? rowBytesDefault);
  const reading = new Map<string, Reading[]>();
  const words = createRowWords();
  let reads = 0;

  /** From here on a write to the row is noticed. */
  function taking(
    namespace: string,
    learnerId: string,
    field: string,
    bytes: Promise<Buffer | null>,
    asked = true,
  ): Promise<KeptField> {
    reads += 1;
    const row: Promise<KeptField> = bytes.then(
      (found) => {
        end(one);
        return take(one, found);
      },
      (error: unknown) => {
        end(one);
        throw error;
      },
    );
    const one: Reading = {
      namespace,
      learnerId,
      field,
      number: reads,
      startedAt: clock.now(),
      row,
      overtaken: false,
      asked,
    };
    const others = reading.get(learnerId);
    if (others === undefined) reading.set(learnerId, [one]);
    else others.push(one);
    return row;
  }

  function end(one: Reading): void {
    const others = reading.get(one.learnerId);
    if (others === undefined || others.length === 1) reading.delete(one.learnerId);
    else others.splice(others.indexOf(one), 1);
  }

  /** What a write, or a later read, has overtaken does not replace what is known. */
  function take(
    { namespace, learnerId, field, number, startedAt, overtaken, asked }: Reading,
    bytes: Buffer | null,
  ): KeptField {
    const known = memory.find(learnerId, field);
    const kept = known?.holds(namespace, bytes) ? known : memory.field(namespace, learnerId, bytes);
    kept.asks = (known?.asks ?? 0) + (asked ? 1 : 0);
    kept.askedAt = asked ? startedAt : (known?.askedAt ?? 0);
    if (known !== undefined && (overtaken || known.read > number)) return kept;
    kept.read = number;
    kept.readAt = startedAt;
    kept.holdsUntil = overtaken ? 0 : startedAt + (bytes === null ? absentKeptMs : rowKeptMs);
    memory.put(kept, field);
    return kept;
  }

  function read(namespace: string, learnerId: string, field: string): Promise<KeptField> {
    const begun = underWay(namespace, learnerId, field);
    // The word of a write wakes who waits for it, and begins this read.
    if (begun?.asked === false) {
      begun.asked = true;
      return begun.row;
    }
    return taking(namespace, learnerId, field, readModels.get(learnerKey(namespace, learnerId), field));
  }

  const underWay = (namespace: string, learnerId: string, field: string): Reading | undefined =>
    reading.get(learnerId)?.find((one) => one.field === field && one.namespace === namespace && !one.overtaken);

  /** What is in memory or under way; undefined where it has to be read. Each is told. */
  function lookUp(
    namespace: string,
    learnerId: string,
    field: string,
    least = 0,
  ): KeptField | Promise<KeptField> | undefined {
    const kind = kindOf(field);
    // What is used is read again every few seconds, and counts as used then.
    const found = memory.find(learnerId, field);
    const now = clock.now();
    // What was read last is from before the answer whose token is shown: no memory could have had it.
    const awaited = found !== undefined && found.namespace === namespace && found.revision < least;
    // A clock that is set back does not make a row hold longer.
    const holds = found !== undefined && now < found.holdsUntil && now >= found.readAt;
    if (holds && found.namespace === namespace) {
      found.askedAt = now;
      found.asks += 1;
      if (awaited) {
        onLookUp?.(kind, "awaited", 0);
        return undefined;
      }
      onLookUp?.(kind, found.bytes === null ? "absent" : "hit", now - found.readAt);
      return found;
    }
    const running = underWay(namespace, learnerId, field);
    onLookUp?.(kind, awaited ? "awaited" : running === undefined ? "miss" : "joined", 0);
    if (running !== undefined) running.asked = true;
    return running?.row;
  }

  async function getMany(namespace: string, learnerIds: readonly string[], field: string): Promise<KeptField[]> {
    const missing: string[] = [];
    let all: Promise<(Buffer | null)[]> | null = null;
    const rows = learnerIds.map((learnerId) => {
      const known = lookUp(namespace, learnerId, field);
      if (known !== undefined) return known;
      const at = missing.push(learnerKey(namespace, learnerId)) - 1;
      // Asked once all are known, in this very turn.
      all ??= Promise.resolve().then(() => readModels.getMany(missing, field));
      return taking(
        namespace,
        learnerId,
        field,
        all.then((found) => found[at] ?? null),
      );
    });
    return Promise.all(rows);
  }

  function written(key: string): void {
    const learnerId = learnerOfKey(key);
    if (learnerId === null) return;
    for (const one of reading.get(learnerId) ?? []) one.overtaken = true;
    const fields = [...memory.of(learnerId)];
    for (const field of fields) field.holdsUntil = 0;
    refresh?.written(fields);
    words.written(learnerId);
  }

  const refresh =
    deps.refresh === true ? createRowRefresh({ ...memory, read: readAgain, now: () => clock.now() }) : null;

  /** Shared with whoever asks meanwhile. */
  function readAgain({ namespace, learnerId, name }: KeptField): Promise<KeptField> {
    deps.onRefresh?.();
    return taking(namespace, learnerId, name, readModels.get(learnerKey(namespace, learnerId), name), false);
  }

  const stopListening = readModels.onChange((keys) => {
    if (keys !== null) return keys.forEach(written);
    for (const all of reading.values()) for (const one of all) one.overtaken = true;
    for (const field of memory.all()) field.holdsUntil = 0;
    words.missed();
  });

  return {
    get: (namespace, learnerId, field, least) =>
      lookUp(namespace, learnerId, field, least) ?? read(namespace, learnerId, field),
    getMany,
    read,
    last: memory.find,
    onWrite: words.listen,
    hottest: memory.hottest,
    held: memory.held,
    close() {
      stopListening();
      refresh?.close();
    },
  };
}
