/** What the server keeps of an event. */
export interface ServerRecord {
  readonly id: string;
  readonly stream: string;
  /** 0-based. */
  readonly revision: number;
  /** Offset in the log file. */
  readonly position: number;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
  /** 100 ns since 1970. */
  readonly created: string;
}

export type Proposed = Omit<ServerRecord, "stream" | "revision" | "position" | "created">;
/** A revision, or one of the server's words for it. */
export type Expected = number | "any" | "no_stream" | "stream_exists";

export type Committed =
  | { readonly kind: "ok"; readonly revision: number; readonly position: number; readonly repeated: boolean }
  /** -1 for no stream. */
  | { readonly kind: "wrong"; readonly current: number };

export interface ServerLog {
  readonly records: readonly ServerRecord[];
  append(stream: string, expected: Expected, events: readonly Proposed[]): Committed;
  stream(name: string): readonly ServerRecord[];
  /** Index of the first record at or after a position. */
  indexOf(position: number): number;
  forgetIds(): void;
  /** Called after each commit. Gives what ends it. */
  onCommit(listener: () => void): () => void;
}

/** The leader remembers ids of late for appends that do not say a revision: "best effort". */
const idsMax = 5_000;

/**
 * The rules of the real server for what an append comes to (IndexWriter.CheckCommit in its sources), on lists in memory.
 * Positions are offsets of records of different lengths, so that nobody can take them for counts.
 */
export function createServerLog(): ServerLog {
  const records: ServerRecord[] = [];
  const streams = new Map<string, ServerRecord[]>();
  const recent = new Map<string, ServerRecord>();
  const listeners = new Set<() => void>();
  let end = 0;

  function store(stream: string, event: Proposed): ServerRecord {
    const own = streams.get(stream) ?? [];
    const created = String(BigInt(Date.now()) * 10_000n);
    const record = { ...event, stream, revision: own.length, position: end, created };
    end += 90 + event.data.length + event.metadata.length + ((records.length * 7) % 13);
    records.push(record);
    own.push(record);
    streams.set(stream, own);
    recent.set(record.id, record);
    for (const oldest of recent.keys()) {
      if (recent.size <= idsMax) break;
      recent.delete(oldest);
    }
    return record;
  }

  /** null where these are new. */
  function repeated(own: readonly ServerRecord[], expected: Expected, events: readonly Proposed[]): Committed | null {
    const current = own.length - 1;
    const isAt = (event: Proposed, i: number): ServerRecord | undefined => {
      if (expected === "any" || expected === "stream_exists") {
        const known = recent.get(event.id);
        return known !== undefined && own[known.revision] === known ? known : undefined;
      }
      const before = expected === "no_stream" ? -1 : expected;
      const known = own[before + 1 + i];
      return known?.id === event.id ? known : undefined;
    };
    const found = events.map(isAt);
    const last = found[found.length - 1];
    if (found[0] === undefined) return null;
    // Begun like something known and gone on otherwise.
    if (last === undefined || found.includes(undefined)) return { kind: "wrong", current };
    return { kind: "ok", revision: last.revision, position: last.position, repeated: true };
  }

  const log: ServerLog = {
    records,
    append(stream, expected, events) {
      const own = streams.get(stream) ?? [];
      const current = own.length - 1;
      if (expected === "stream_exists" && current < 0) return { kind: "wrong", current };
      const again = repeated(own, expected, events);
      if (again !== null) return again;
      const before = expected === "no_stream" ? -1 : expected;
      if (typeof before === "number" && before !== current) return { kind: "wrong", current };
      let last: ServerRecord | undefined;
      for (const event of events) last = store(stream, event);
      for (const listener of [...listeners]) listener();
      return { kind: "ok", revision: last?.revision ?? current, position: last?.position ?? 0, repeated: false };
    },
    stream: (name) => streams.get(name) ?? [],
    indexOf(position) {
      let [low, high] = [0, records.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((records[middle]?.position ?? 0) < position) low = middle + 1;
        else high = middle;
      }
      return low;
    },
    forgetIds: () => recent.clear(),
    onCommit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  // A new server has users and settings already: nothing of ours is ever at position 0.
  for (const type of ["$UserCreated", "$settings"]) {
    const event = { id: crypto.randomUUID(), type, contentType: "application/json" };
    log.append("$users", "any", [{ ...event, data: Buffer.from("{}"), metadata: Buffer.from("") }]);
  }
  return log;
}
