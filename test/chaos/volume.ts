import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, statfsSync } from "node:fs";
import { onProcessEnd } from "../support/process-end.ts";

/** A file system of its own that can be made full: nothing more fits, as on any full disk. */
export interface Volume {
  readonly folder: string;
  /** Bytes still free afterwards. */
  fill(spareBytes: number): void;
  /** Somebody makes room. */
  makeRoom(): void;
  close(): void;
}

const roomBytes = 2 * 2 ** 30;

/** In memory (tmpfs), which needs root; null, with the reason, where it may not be mounted. */
export function mountVolume(folder: string): Volume | { readonly skip: string } {
  mkdirSync(folder);
  const mount = (...options: readonly string[]): void =>
    void execFileSync("mount", ["-t", "tmpfs", "-o", options.join(","), "tmpfs", folder], { stdio: "pipe" });
  try {
    mount(`size=${roomBytes}`, "mode=0711");
  } catch (error) {
    const why = (error as { stderr?: Buffer }).stderr?.toString().trim().split("\n")[0] ?? String(error);
    return { skip: `no file system may be mounted here: ${why}` };
  }
  chmodSync(folder, 0o711);
  // Lazily: what still has files open ends with this process too.
  const unmount = (): void => void execFileSync("umount", ["-l", folder], { stdio: "pipe" });
  const forget = onProcessEnd(unmount);
  return {
    folder,
    fill(spareBytes) {
      const { blocks, bfree, bsize } = statfsSync(folder);
      mount("remount", `size=${(blocks - bfree) * bsize + spareBytes}`);
    },
    makeRoom: () => mount("remount", `size=${roomBytes}`),
    close() {
      forget();
      unmount();
    },
  };
}
