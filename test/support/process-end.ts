import type { ChildProcess } from "node:child_process";

const undos = new Set<() => void>();

function undoAll(): void {
  for (const undo of undos) undo();
  undos.clear();
}

function onTerminate(): void {
  undoAll();
  // Vitest ends its workers with SIGTERM, which by itself would end them without an exit event.
  process.off("SIGTERM", onTerminate);
  process.kill(process.pid, "SIGTERM");
}

/** Calls `undo` when this process ends, be it by itself or by SIGTERM. The function it gives forgets it. */
export function onProcessEnd(undo: () => void): () => void {
  if (undos.size === 0) {
    process.off("exit", undoAll).on("exit", undoAll);
    process.off("SIGTERM", onTerminate).on("SIGTERM", onTerminate);
  }
  undos.add(undo);
  return () => {
    undos.delete(undo);
  };
}

/** Kills a child that is still there when this process ends. */
export function killAtProcessEnd(child: ChildProcess): void {
  const forget = onProcessEnd(() => void child.kill("SIGKILL"));
  child.once("exit", forget);
}
