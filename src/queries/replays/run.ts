import type { ReplayFileInfo } from "../../ports/replay-store.ts";
import { type ReplayFile, ReplayRefused, type ReplayRun } from "./replay-kind.ts";

/** Where the output of a run goes: the store of replays, or a folder of who runs it in the foreground. */
export interface RunTarget {
  /** Makes a file that is not there. */
  addFile(name: string, mediaType: string): Promise<void>;
  append(name: string, offset: number, bytes: Uint8Array): Promise<void>;
  checkpoint(state: unknown): Promise<void>;
}

export interface RunOptions {
  readonly id: string;
  readonly target: RunTarget;
  readonly signal: AbortSignal;
  readonly resumeFrom: unknown;
  /** As the checkpoint left them. */
  readonly files: readonly ReplayFileInfo[];
  onProgress(done: number, total: number | null): void;
}

/** Bytes that are appended at a time; a file has so many waiting at the most. */
const chunkBytes = 256 * 1024;
const fileNames = /^[\w][\w.-]{0,99}$/;

/** A run whose files are appended in chunks; `flush` writes what still waits. */
export function createRun(options: RunOptions): ReplayRun & { flush(): Promise<void> } {
  const { id, target, signal, resumeFrom } = options;
  const before = new Map(options.files.map(({ name, bytes }) => [name, bytes]));
  const open = new Map<string, ReturnType<typeof createFile>>();

  async function flush(): Promise<void> {
    for (const file of open.values()) await file.flush();
  }

  return {
    replayId: id,
    signal,
    resumeFrom,
    progress: options.onProgress,
    flush,
    async checkpoint(state) {
      await flush();
      await target.checkpoint(state ?? null);
    },
    async openFile(name, mediaType) {
      if (!fileNames.test(name)) throw new ReplayRefused(`${name} is no name of a file`);
      if (open.has(name)) throw new Error(`${name} is open already`);
      await target.addFile(name, mediaType);
      const file = createFile(name, before.get(name) ?? 0, target);
      open.set(name, file);
      return file;
    },
  };
}

function createFile(name: string, startsAt: number, target: RunTarget): ReplayFile & { flush(): Promise<void> } {
  let stored = startsAt;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let closed = false;

  async function flush(): Promise<void> {
    if (waitingBytes === 0) return;
    const bytes = Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const chunk = bytes.subarray(at, at + chunkBytes);
      await target.append(name, stored, chunk);
      stored += chunk.length;
    }
  }

  return {
    get bytes() {
      return stored + waitingBytes;
    },
    flush,
    async write(chunk) {
      if (closed) throw new Error(`${name} is closed`);
      const bytes = typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk);
      waiting.push(bytes);
      waitingBytes += bytes.length;
      if (waitingBytes >= chunkBytes) await flush();
    },
    async close() {
      closed = true;
      await flush();
    },
  };
}
