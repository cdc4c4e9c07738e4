import type { Transition } from "../domain/learner/learner-state.ts";
import type { GuardedWrite, Row } from "../ports/read-models.ts";
import { addItemSums, countAnswer, decodeItemSums, encodeItemSums, type ItemSums, newItemSums } from "./item-stats.ts";
import {
  addPopularity,
  countEngagement,
  decodePopularity,
  encodePopularity,
  newPopularity,
  type Popularity,
} from "./popular-items.ts";
import {
  type Checkpoint,
  checkpointField,
  checkpointVersion,
  decodeCheckpoint,
  decodeParked,
  encodeCheckpoint,
  encodeParked,
  encodeParkedStreams,
  type Parked,
  parkedField,
  parkedStreamsField,
  popularField,
  positionOfVersion,
  rewritesMax,
  statsField,
} from "./rows.ts";

/** What one partition counts, and the position up to which it has: one row, written whole fields at a time. */
export interface Counters {
  readonly popularity: ReadonlyMap<string, Popularity>;
  readonly parked: ReadonlyMap<string, Parked>;
  /** As stored. */
  readonly checkpoint: Checkpoint;
  /** Version of the stored row. */
  readonly version: number;
  /** Whether anything was counted, parked or released since it was stored. */
  readonly changed: boolean;
  count(transition: Transition): void;
  /** Adds what was counted elsewhere, of other learners: the fields of such a row. */
  add(fields: Row["fields"]): void;
  park(parked: Parked): void;
  release(stream: string): void;
  /** The write that brings the stored row to this state; call {@link stored} once it is done. */
  write(key: string, checkpoint: Checkpoint): GuardedWrite;
  stored(write: GuardedWrite, checkpoint: Checkpoint): void;
}

/** From a stored row; from nothing where its version is 0. */
export function createCounters(row: Row): Counters {
  const popularity = new Map<string, Popularity>();
  const stats = new Map<string, ItemSums>();
  const parked = new Map<string, Parked>();
  for (const [field, bytes] of row.fields) {
    if (field.startsWith("p:")) popularity.set(field.slice(2), decodePopularity(bytes));
    else if (field.startsWith("s:")) stats.set(field.slice(2), decodeItemSums(bytes));
    else if (field.startsWith("parked:")) parked.set(field.slice(7), decodeParked(bytes));
  }
  const at = row.fields.get(checkpointField);
  let checkpoint: Checkpoint = at === undefined ? { position: 0, learnersPosition: 0 } : decodeCheckpoint(at);
  let version = row.version;
  const touchedPopularity = new Set<string>();
  const touchedStats = new Set<string>();
  const touchedParked = new Set<string>();
  /** Rows of before have no list of the parked. */
  let listDue =
    parked.size > 0 && row.fields.get(parkedStreamsField)?.equals(encodeParkedStreams(parked.keys())) !== true;

  function changedFields(): { set: Map<string, Buffer>; remove: string[] } {
    const set = new Map<string, Buffer>();
    const remove: string[] = [];
    for (const itemId of touchedPopularity) set.set(popularField(itemId), encodePopularity(need(popularity, itemId)));
    for (const itemId of touchedStats) set.set(statsField(itemId), encodeItemSums(need(stats, itemId)));
    for (const stream of touchedParked) {
      const entry = parked.get(stream);
      if (entry === undefined) remove.push(parkedField(stream));
      else set.set(parkedField(stream), encodeParked(entry));
    }
    if (listDue || touchedParked.size > 0) {
      if (parked.size === 0) remove.push(parkedStreamsField);
      else set.set(parkedStreamsField, encodeParkedStreams(parked.keys()));
    }
    return { set, remove };
  }

  return {
    popularity,
    parked,
    get checkpoint() {
      return checkpoint;
    },
    get version() {
      return version;
    },
    get changed() {
      return listDue || touchedPopularity.size + touchedStats.size + touchedParked.size > 0;
    },
    count({ itemId, occurredAt, engagement, answer }) {
      if (engagement !== null) {
        countEngagement(getOrAdd(popularity, itemId, newPopularity), occurredAt, engagement);
        touchedPopularity.add(itemId);
      }
      if (answer !== null) {
        countAnswer(getOrAdd(stats, itemId, newItemSums), answer);
        touchedStats.add(itemId);
      }
    },
    add(fields) {
      for (const [field, bytes] of fields) {
        const name = field.slice(2);
        if (field.startsWith("p:")) {
          addPopularity(getOrAdd(popularity, name, newPopularity), decodePopularity(bytes));
          touchedPopularity.add(name);
        } else if (field.startsWith("s:")) {
          addItemSums(getOrAdd(stats, name, newItemSums), decodeItemSums(bytes));
          touchedStats.add(name);
        } else if (field.startsWith("parked:")) {
          const entry = decodeParked(bytes);
          parked.set(entry.stream, entry);
          touchedParked.add(entry.stream);
        }
      }
    },
    park(entry) {
      parked.set(entry.stream, entry);
      touchedParked.add(entry.stream);
    },
    release(stream) {
      parked.delete(stream);
      touchedParked.add(stream);
    },
    write(key, next) {
      const { set, remove } = changedFields();
      set.set(checkpointField, encodeCheckpoint(next));
      return { key, from: version, to: nextVersion(version, next.position), set, remove };
    },
    stored(write, next) {
      version = write.to;
      checkpoint = next;
      for (const touched of [touchedPopularity, touchedStats, touchedParked]) touched.clear();
      listDue = false;
    },
  };
}

/** Every write raises the version, so that of two owners at the same position one loses. */
function nextVersion(version: number, position: number): number {
  if (positionOfVersion(version) < position) return checkpointVersion(position);
  if (version + 1 >= checkpointVersion(position) + rewritesMax) {
    throw new Error(`more than ${rewritesMax - 1} retries at position ${position}: wait for the next event`);
  }
  return version + 1;
}

function getOrAdd<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function need<V>(map: ReadonlyMap<string, V>, key: string): V {
  const value = map.get(key);
  if (value === undefined) throw new Error(`nothing is counted for ${key}`);
  return value;
}
