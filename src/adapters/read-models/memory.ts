import type { GuardedWrite, ReadModels, Row, WriteOutcome } from "../../ports/read-models.ts";
import { type LoadedSnapshot, readSnapshot, type SnapshotRow, writeSnapshot } from "./snapshot-file.ts";

export interface MemoryReadModels extends ReadModels {
  /** Writes all rows as they are at the call into a checked file; resolves when it is durable. Rejects on trouble with the disk. */
  saveSnapshot(path: string): Promise<{ readonly rows: number; readonly bytes: number }>;
  /** Replaces everything by the rows of a snapshot. A missing, damaged or foreign file changes nothing and is told. */
  loadSnapshot(path: string): Promise<LoadedSnapshot>;
}

interface MutableRow {
  version: number;
  fields: Map<string, Buffer>;
  /** The snapshot this row was last copied for: a row older than the newest snapshot belongs to it too. */
  cut: number;
}

const pageSize = 1000;
const noFields: ReadonlyMap<string, Buffer> = new Map();

/** Rows in this process. Buffers are shared with callers on both sides: nobody may change one. */
export function createMemoryReadModels(): MemoryReadModels {
  let rows = new Map<string, MutableRow>();
  let cut = 0;
  const listeners = new Set<(keys: readonly string[] | null) => void>();
  const changed = (keys: readonly string[] | null): void => {
    for (const listener of listeners) listener(keys);
  };

  /** The row to write into: a running snapshot keeps the old one. */
  function writable(key: string): MutableRow {
    const row = rows.get(key);
    if (row !== undefined && row.cut === cut) return row;
    const fresh = { version: row?.version ?? 0, fields: new Map(row?.fields), cut };
    rows.set(key, fresh);
    return fresh;
  }

  function write(one: GuardedWrite): WriteOutcome {
    const version = rows.get(one.key)?.version ?? 0;
    const allowed = one.from === "older" ? version <= one.to : version === one.from;
    if (!allowed) return { status: "refused", version };
    const row = writable(one.key);
    for (const field of one.remove ?? []) row.fields.delete(field);
    for (const [field, value] of one.set) row.fields.set(field, value);
    row.version = one.to;
    return { status: "written" };
  }

  function read(key: string, names?: readonly string[]): Row {
    const row = rows.get(key);
    if (row === undefined) return { version: 0, fields: noFields };
    return { version: row.version, fields: names === undefined ? new Map(row.fields) : pick(row.fields, names) };
  }

  return {
    get: async (key, field) => rows.get(key)?.fields.get(field) ?? null,
    getMany: async (keys, field) => keys.map((key) => rows.get(key)?.fields.get(field) ?? null),
    read: async (keys, fields) => keys.map((key) => read(key, fields)),
    async write(writes) {
      const outcomes = writes.map(write);
      changed(writes.map(({ key }) => key));
      return outcomes;
    },
    async *keys(prefix) {
      let page: string[] = [];
      for (const key of [...rows.keys()]) {
        if (!key.startsWith(prefix)) continue;
        page.push(key);
        if (page.length < pageSize) continue;
        yield page;
        page = [];
      }
      if (page.length > 0) yield page;
    },
    async remove(keys) {
      for (const key of keys) rows.delete(key);
      changed(keys);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    // What is lost here is lost with the process.
    onLoss: () => () => undefined,
    saveSnapshot(path) {
      cut += 1;
      // References only, taken in this turn: whoever writes later copies the row first.
      const kept: SnapshotRow[] = [];
      for (const [key, row] of rows) kept.push({ key, version: row.version, fields: row.fields });
      return writeSnapshot(path, kept);
    },
    async loadSnapshot(path) {
      const { loaded, snapshot } = await readSnapshot(path);
      if (snapshot === null) return loaded;
      rows = new Map(snapshot.map(({ key, version, fields }) => [key, { version, fields: new Map(fields), cut }]));
      changed(null);
      return loaded;
    },
  };
}

function pick(fields: ReadonlyMap<string, Buffer>, names: readonly string[]): Map<string, Buffer> {
  const picked = new Map<string, Buffer>();
  for (const name of names) {
    const value = fields.get(name);
    if (value !== undefined) picked.set(name, value);
  }
  return picked;
}
