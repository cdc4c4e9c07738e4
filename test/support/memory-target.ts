import type { ReplayFileInfo } from "../../src/ports/replay-store.ts";
import { createRun, type RunTarget } from "../../src/queries/replays/run.ts";

/** A store in memory for one run after the other, whose k-th call fails. */
export function memoryTarget() {
  const files = new Map<string, { mediaType: string; content: Buffer; saved: number | null }>();
  let state: unknown = null;
  let [calls, failAt] = [0, Number.POSITIVE_INFINITY];
  const call = (): void => {
    calls += 1;
    if (calls === failAt) throw new Error("cut off");
  };
  const target: RunTarget = {
    async addFile(name, mediaType) {
      call();
      if (!files.has(name)) files.set(name, { mediaType, content: Buffer.alloc(0), saved: null });
    },
    async append(name, offset, bytes) {
      call();
      const file = files.get(name);
      if (file?.content.length !== offset) throw new Error(`${name} does not end at ${offset}`);
      file.content = Buffer.concat([file.content, bytes]);
    },
    async checkpoint(saved) {
      call();
      state = JSON.parse(JSON.stringify(saved));
      for (const file of files.values()) file.saved = file.content.length;
    },
  };
  return {
    names: () => [...files.keys()],
    content: (name: string) => files.get(name)?.content,
    /** Another process begins where the last checkpoint left it. */
    begin(k = Number.POSITIVE_INFINITY) {
      [calls, failAt] = [0, k];
      for (const [name, file] of files) {
        if (file.saved === null) files.delete(name);
        else file.content = file.content.subarray(0, file.saved);
      }
      const infos: ReplayFileInfo[] = [...files].map(([name, { mediaType, content }]) => ({
        ...{ name, mediaType, bytes: content.length },
      }));
      const signal = new AbortController().signal;
      return createRun({ id: "r", target, signal, resumeFrom: state, files: infos, onProgress: () => undefined });
    },
  };
}
