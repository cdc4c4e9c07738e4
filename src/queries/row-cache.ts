import type { Clock } from "../ports/clock.ts";
import type { ReadModels } from "../ports/read-models.ts";
import type { Waiter } from "../ports/waiter.ts";
import { promised, tell } from "../projections/promised.ts";
import { learnerKey, learnerOfKey, stateField } from "../projections/rows.ts";
import { createRowMemory, type Held, type KeptField } from "./row-memory.ts";
import { createRowRefresh } from "./row-refresh.ts";
import { createRowWords } from "./row-words.ts";

/** The rows of learners that this process has in memory. Rows are those of a namespace (see projections/rows.ts). */
export interface RowCache {
  /**
   * At once while what is in memory holds, and is of no revision before `least`, else read. Fails with
   * ReadModelsUnavailable.
   */
  get(namespace: string, learnerId: string, field: string, waiter: Waiter<KeptField>, least?: number): void;
  /** The same for many learners, in order; those that are not in memory are read in one round trip. */
  getMany(namespace: string, learnerIds: readonly string[], field: string): Promise<KeptField[]>;
  /** As it stands in the read models now. Fails with ReadModelsUnavailable. */
  read(namespace: string, learnerId: string, field: string, waiter: Waiter<KeptField>): void;
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

/** A read that is under way, told by the read models what it found. */
interface Reading extends Waiter<Buffer | null> {
  readonly namespace: string;
  readonly learnerId: string;
  readonly field: string;
  readonly number: number;
  readonly startedAt: number;
  readonly waiters: Waiter<KeptField>[];
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
  function begin(
    namespace: string,
    learnerId: string,
    field: string,
    waiter: Waiter<KeptField>,
    asked = true,
  ): Reading {
    reads += 1;
    const one: Reading = {
      ...{ namespace, learnerId, field, number: reads, startedAt: clock.now() },
      ...{ waiters: [waiter], overtaken: false, asked },
      found(bytes) {
        end(one);
        const row = take(one, bytes);
        tellEach(one.waiters, (each) => each.found(row));
      },
      failed(error) {
        end(one);
        tellEach(one.waiters, (each) => each.failed(error));
      },
    };
    const others = reading.get(learnerId);
    if (others === undefined) reading.set(learnerId, [one]);
    else others.push(one);
    return one;
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

  function read(namespace: string, learnerId: string, field: string, waiter: Waiter<KeptField>): void {
    const begun = underWay(namespace, learnerId, field);
    // The word of a write wakes who waits for it, and begins this read.
    if (begun?.asked === false) join(begun, waiter);
    else readModels.get(learnerKey(namespace, learnerId), field, begin(namespace, learnerId, field, waiter));
  }

  const underWay = (namespace: string, learnerId: string, field: string): Reading | undefined =>
    reading.get(learnerId)?.find((one) => one.field === field && one.namespace === namespace && !one.overtaken);

  /** Whether the row is in memory or under way: the waiter is told, now or then. Each look-up is noted. */
  function lookUp(namespace: string, learnerId: string, field: string, waiter: Waiter<KeptField>, least = 0): boolean {
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
        return false;
      }
      onLookUp?.(kind, found.bytes === null ? "absent" : "hit", now - found.readAt);
      waiter.found(found);
      return true;
    }
    const running = underWay(namespace, learnerId, field);
    onLookUp?.(kind, awaited ? "awaited" : running === undefined ? "miss" : "joined", 0);
    if (running !== undefined) join(running, waiter);
    return running !== undefined;
  }

  async function getMany(namespace: string, learnerIds: readonly string[], field: string): Promise<KeptField[]> {
    const missing: Reading[] = [];
    const rows = learnerIds.map((learnerId) =>
      promised<KeptField>((waiter) => {
        if (!lookUp(namespace, learnerId, field, waiter)) missing.push(begin(namespace, learnerId, field, waiter));
      }),
    );
    if (missing.length > 0) readTogether(missing, namespace, field);
    return Promise.all(rows);
  }

  function readTogether(missing: readonly Reading[], namespace: string, field: string): void {
    const keys = missing.map(({ learnerId }) => learnerKey(namespace, learnerId));
    readModels.getMany(keys, field).then(
      (found) => {
        for (const [at, one] of missing.entries()) one.found(found[at] ?? null);
      },
      (error: unknown) => {
        for (const one of missing) one.failed(error);
      },
    );
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
  function readAgain({ namespace, learnerId, name }: KeptField, waiter: Waiter<KeptField>): void {
    deps.onRefresh?.();
    readModels.get(learnerKey(namespace, learnerId), name, begin(namespace, learnerId, name, waiter, false));
  }

  const stopListening = readModels.onChange((keys) => {
    if (keys !== null) return keys.forEach(written);
    for (const all of reading.values()) for (const one of all) one.overtaken = true;
    for (const field of memory.all()) field.holdsUntil = 0;
    words.missed();
  });

  return {
    get(namespace, learnerId, field, waiter, least) {
      if (!lookUp(namespace, learnerId, field, waiter, least)) read(namespace, learnerId, field, waiter);
    },
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

/** By a promise: what one who joins goes on with is in its own trace, not in that of who asked first. */
function join(running: Reading, waiter: Waiter<KeptField>): void {
  running.asked = true;
  tell(
    waiter,
    promised<KeptField>((later) => running.waiters.push(later)),
  );
}

/** One that throws keeps no other from being told: it is thrown where nobody waits. */
function tellEach(waiters: readonly Waiter<KeptField>[], call: (waiter: Waiter<KeptField>) => void): void {
  for (const waiter of waiters) {
    try {
      call(waiter);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
