import { Worker } from "node:worker_threads";
import { LogUnavailable } from "../../../ports/event-store.ts";
import type { WriteOrder, WriterMessage } from "./writer.ts";

export type Written = Extract<WriterMessage, { kind: "written" }>;

export interface WriterThread {
  /** Resolves when the requests are decided and what is new is fsynced. Rejects with LogUnavailable. */
  write(requests: WriteOrder["requests"]): Promise<Written>;
  /** After the writes under way; then the database is closed. */
  close(): Promise<void>;
}

interface Pending {
  resolve(written: Written): void;
  reject(error: unknown): void;
}

/** Starts the writer; rejects where the database cannot be opened. */
export async function startWriterThread(folder: string): Promise<WriterThread> {
  // The sources run as they are, the build has the other ending.
  const file = import.meta.url.endsWith(".ts") ? "./writer.ts" : "./writer.js";
  const worker = new Worker(new URL(file, import.meta.url), { workerData: { logFolder: folder } });
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let gone: Error | null = null;
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));

  function fail(error: Error): void {
    gone ??= error;
    for (const { reject } of pending.values()) reject(gone);
    pending.clear();
  }
  worker.on("error", (error) => fail(new LogUnavailable(`the writer failed: ${String(error)}`, { cause: error })));
  worker.on("exit", () => fail(new LogUnavailable("the log is closed")));

  await new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
  });
  worker.on("message", (message: WriterMessage) => {
    if (message.kind !== "written" && message.kind !== "failed") return;
    const waiting = pending.get(message.id);
    pending.delete(message.id);
    if (message.kind === "written") waiting?.resolve(message);
    else waiting?.reject(message.trouble ? new LogUnavailable(String(message.error)) : message.error);
  });

  let closing: Promise<void> | null = null;
  return {
    write: (requests) =>
      new Promise((resolve, reject) => {
        if (gone !== null || closing !== null) return reject(gone ?? new LogUnavailable("the log is closed"));
        const id = nextId++;
        pending.set(id, { resolve, reject });
        worker.postMessage({ id, requests } satisfies WriteOrder);
      }),
    close() {
      if (closing === null) {
        worker.postMessage("close");
        closing = exited;
      }
      return closing;
    },
  };
}
