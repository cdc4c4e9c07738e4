import {
  type ClaimedReplay,
  type Replay,
  type ReplayClaim,
  ReplayClaimLost,
  type ReplayFileInfo,
  type ReplayState,
  type ReplayStore,
  replayStates,
} from "../../ports/replay-store.ts";

interface Kept extends Omit<Replay, "files" | "state" | "attempts" | "startedAt" | "endedAt" | "progress"> {
  state: ReplayState;
  attempts: number;
  tries: number;
  claimedUntil: number;
  startedAt: number | null;
  endedAt: number | null;
  progress: Replay["progress"];
  checkpoint: string | null;
  summary: unknown;
  error: string | null;
  files: Map<string, KeptFile>;
}

interface KeptFile {
  readonly mediaType: string;
  readonly chunks: { readonly start: number; readonly bytes: Buffer }[];
  /** Chunks at the last checkpoint; null for a file made since. */
  savedChunks: number | null;
}

/** For tests: forgets everything when the process ends. */
export function createMemoryReplayStore(): ReplayStore {
  const kept = new Map<string, Kept>();
  let numbers = 0;

  const isOpen = ({ state }: Kept): boolean => state === "queued" || state === "running";
  const isDue = (one: Kept, now: number): boolean => isOpen(one) && one.claimedUntil <= now;

  function held({ id, attempt }: ReplayClaim): Kept {
    const one = kept.get(id);
    if (one === undefined || one.attempts !== attempt || one.state !== "running") throw new ReplayClaimLost(id);
    return one;
  }

  return {
    async add(replay, openMax) {
      const { idempotencyKey: key, requestedBy } = replay;
      const all = [...kept.values()];
      const known = all.find((one) => key !== null && one.idempotencyKey === key && one.requestedBy === requestedBy);
      if (known !== undefined) return { status: "known", replay: shown(known) };
      const open = all.filter(isOpen).length;
      if (open >= openMax) return { status: "full", open };
      numbers += 1;
      const one: Kept = {
        ...{ ...replay, input: copied(replay.input), number: numbers, state: "queued", attempts: 0, tries: 0 },
        ...{ claimedUntil: 0, startedAt: null, endedAt: null, progress: null },
        ...{ checkpoint: null, summary: null, error: null, files: new Map() },
      };
      kept.set(replay.id, one);
      return { status: "added", replay: shown(one) };
    },
    async get(id) {
      const one = kept.get(id);
      return one === undefined ? null : shown(one);
    },
    async list({ limit, before = Number.POSITIVE_INFINITY, kind, state }) {
      return [...kept.values()]
        .filter((one) => one.number < before && (kind ?? one.kind) === one.kind && (state ?? one.state) === one.state)
        .sort((a, b) => b.number - a.number)
        .slice(0, limit)
        .map(shown);
    },
    async due(now, limit) {
      const due = [...kept.values()].filter((one) => isDue(one, now));
      return due.slice(0, limit).map(({ id }) => id);
    },
    async counts(now) {
      const all = [...kept.values()];
      const of = (state: ReplayState) => all.filter((one) => one.state === state);
      const waiting = of("queued").map(({ createdAt }) => now - createdAt);
      return {
        byState: Object.fromEntries(replayStates.map((state) => [state, of(state).length])) as Record<
          ReplayState,
          number
        >,
        oldestQueuedMs: waiting.length === 0 ? null : Math.max(0, ...waiting),
        fileBytes: all.flatMap((one) => filesOf(one)).reduce((sum, { bytes }) => sum + bytes, 0),
      };
    },
    async claim(id, now, until): Promise<ClaimedReplay | null> {
      const one = kept.get(id);
      if (one === undefined || !isDue(one, now)) return null;
      for (const [name, file] of one.files) {
        if (file.savedChunks === null) one.files.delete(name);
        else file.chunks.splice(file.savedChunks);
      }
      one.attempts += 1;
      one.tries += 1;
      Object.assign(one, { state: "running", claimedUntil: until, startedAt: one.startedAt ?? now });
      const { kind, input, attempts: attempt, tries, checkpoint } = one;
      const resumeFrom = checkpoint === null ? null : JSON.parse(checkpoint);
      return { id, attempt, kind, input: copied(input), tries, resumeFrom, files: filesOf(one) };
    },
    async keep(claim, until, progress) {
      const one = held(claim);
      one.claimedUntil = until;
      one.progress = progress ?? one.progress;
    },
    async addFile(claim, name, mediaType) {
      const { files } = held(claim);
      if (!files.has(name)) files.set(name, { mediaType, chunks: [], savedChunks: null });
    },
    async append(claim, name, offset, bytes) {
      const file = held(claim).files.get(name);
      if (file === undefined || lengthOf(file) !== offset) throw new Error(`${name} does not end at ${offset}`);
      file.chunks.push({ start: offset, bytes: Buffer.from(bytes) });
    },
    async checkpoint(claim, state) {
      const one = held(claim);
      one.checkpoint = JSON.stringify(state);
      one.tries = 0;
      for (const file of one.files.values()) file.savedChunks = file.chunks.length;
    },
    async release({ id, attempt }, dueAt, excused) {
      const one = kept.get(id);
      if (one === undefined || one.attempts !== attempt || one.state !== "running") return;
      Object.assign(one, { state: "queued", claimedUntil: dueAt });
      if (excused) one.tries = Math.max(0, one.tries - 1);
    },
    async finish(claim, outcome, now) {
      const { state, ...said } = outcome;
      Object.assign(held(claim), { ...copied(said), state, endedAt: now, checkpoint: null });
    },
    async cancel(id, now) {
      const one = kept.get(id);
      if (one === undefined || !isOpen(one)) return false;
      Object.assign(one, { state: "cancelled", endedAt: now, checkpoint: null, files: new Map() });
      return true;
    },
    remove: async (id) => kept.delete(id),
    async removeEndedBefore(time, limit) {
      const ended = [...kept.values()].filter(({ endedAt }) => endedAt !== null && endedAt < time).slice(0, limit);
      for (const { id } of ended) kept.delete(id);
      return ended.length;
    },
    async read(id, name, offset) {
      const chunks = kept.get(id)?.files.get(name)?.chunks ?? [];
      const chunk = chunks.find(({ start, bytes }) => start <= offset && offset < start + bytes.length);
      return chunk === undefined ? Buffer.alloc(0) : Buffer.from(chunk.bytes.subarray(offset - chunk.start));
    },
  };
}

const copied = <T>(value: T): T => JSON.parse(JSON.stringify(value));
const lengthOf = ({ chunks }: KeptFile): number => chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);

function filesOf({ files }: Kept): ReplayFileInfo[] {
  const infos = [...files].map(([name, file]) => ({ name, mediaType: file.mediaType, bytes: lengthOf(file) }));
  return infos.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function shown(one: Kept): Replay {
  const { tries: _tries, claimedUntil: _until, checkpoint: _checkpoint, ...rest } = one;
  return { ...rest, files: filesOf(one) };
}
