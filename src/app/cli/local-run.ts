import { type FileHandle, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import type { ReplayFileInfo } from "../../ports/replay-store.ts";
import { type ReplayKind, ReplayRefused } from "../../queries/replays/replay-kind.ts";
import { createRun, type RunTarget } from "../../queries/replays/run.ts";
import { CommandFailure, type Io, writeText } from "./io.ts";
import { type Progress, startProgress } from "./progress.ts";

export interface LocalRunOptions {
  /** Where a file of this name is written; "-" for stdout. */
  pathOf(name: string): string;
  /** Where it notes how far it is; null: it cannot be gone on with. */
  readonly statePath: string | null;
  /** Goes on where the run before was stopped. */
  readonly resume: boolean;
  /** What progress counts. */
  readonly unit: string;
}

interface State {
  readonly kind: string;
  readonly input: unknown;
  readonly state: unknown;
  readonly files: readonly ReplayFileInfo[];
}

/**
 * A replay in the foreground, in this process, into files of the user's: with its progress, and stopped by Ctrl-C so that
 * `resume` goes on with it. Resolves with the summary of the kind; null where who reads stdout has gone.
 */
export async function runHere<Input>(
  io: Io,
  kind: ReplayKind<Input>,
  input: Input,
  options: LocalRunOptions,
): Promise<unknown> {
  const { pathOf, statePath, resume, unit } = options;
  const before = statePath === null ? null : await stateBefore(statePath);
  if (before !== null && !resume) {
    throw new CommandFailure(
      `one that was stopped is noted in ${statePath}: --resume goes on with it, removing that file forgets it`,
    );
  }
  if (before === null && resume)
    throw new CommandFailure("there is nothing to resume: it is complete, or was never begun");
  const asked = { kind: kind.kind, input: JSON.parse(JSON.stringify(input)) };
  if (before !== null && JSON.stringify({ kind: before.kind, input: before.input }) !== JSON.stringify(asked)) {
    throw new CommandFailure(`the one that was stopped was another: ${JSON.stringify(before.input)}`);
  }
  const target = fileTarget(io, options, asked, before?.files ?? []);
  let progress: Progress | null = null;
  const run = createRun({
    ...{ id: "here", target, signal: io.signal, resumeFrom: before?.state ?? null, files: before?.files ?? [] },
    onProgress(done, total) {
      progress ??= startProgress(io, unit, total);
      progress.update(done);
    },
  });
  try {
    const summary = await kind.run(input, run);
    io.signal.throwIfAborted();
    await run.flush();
    await target.close();
    if (statePath !== null) await rm(statePath, { force: true });
    return summary;
  } catch (error) {
    await target.close();
    if (error instanceof ReplayRefused) throw new CommandFailure(error.message);
    if (!io.signal.aborted) throw error;
    // `| head` has seen enough: that is no failure.
    if (statePath === null && pathOf("") === "-") return null;
    throw new CommandFailure(
      target.saved() ? "stopped; --resume goes on with it" : "stopped before its first checkpoint",
    );
  } finally {
    (progress as Progress | null)?.stop();
  }
}

async function stateBefore(path: string): Promise<State | null> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new CommandFailure(`${path}: ${(error as Error).message}`);
  }
}

function fileTarget(
  io: Io,
  { pathOf, statePath }: LocalRunOptions,
  asked: Pick<State, "kind" | "input">,
  before: readonly ReplayFileInfo[],
): RunTarget & { close(): Promise<void>; saved(): boolean } {
  const files = new Map<string, { readonly handle: FileHandle | null; readonly mediaType: string; bytes: number }>();
  let saved = before.length > 0;

  async function opened(name: string): Promise<FileHandle | null> {
    const path = pathOf(name);
    if (path === "-") return null;
    const cut = before.find((file) => file.name === name)?.bytes ?? 0;
    const handle = await open(path, cut > 0 ? "r+" : "w").catch((error: Error) => {
      throw new CommandFailure(`cannot write ${path}: ${error.message}`);
    });
    const { size } = await handle.stat();
    if (size < cut) throw new CommandFailure(`${path} has lost what was written to it: begin again`);
    await handle.truncate(cut);
    return handle;
  }

  return {
    saved: () => saved,
    async addFile(name, mediaType) {
      const handle = await opened(name);
      files.set(name, { handle, mediaType, bytes: before.find((file) => file.name === name)?.bytes ?? 0 });
    },
    async append(name, offset, bytes) {
      const file = files.get(name);
      if (file === undefined) throw new Error(`${name} is not open`);
      if (file.handle === null) await writeText(io.stdout, Buffer.from(bytes).toString());
      else await file.handle.write(bytes, 0, bytes.length, offset);
      file.bytes = offset + bytes.length;
    },
    async checkpoint(state) {
      if (statePath === null) return;
      for (const { handle } of files.values()) await handle?.sync();
      const infos = [...files].map(([name, { mediaType, bytes }]) => ({ name, mediaType, bytes }));
      await writeFile(`${statePath}.new`, JSON.stringify({ ...asked, state, files: infos } satisfies State), {
        flush: true,
      });
      await rename(`${statePath}.new`, statePath);
      saved = true;
    },
    async close() {
      for (const { handle } of files.values()) await handle?.close();
      files.clear();
    },
  };
}
