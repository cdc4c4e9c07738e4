import { type ResourceLimits, Worker } from "node:worker_threads";

export interface ThreadRun<Message> {
  /** Its `workerData`. */
  readonly order: unknown;
  /** Aborted: the thread is ended in the middle of whatever it does. */
  readonly signal: AbortSignal;
  readonly resourceLimits?: ResourceLimits;
  /** Once it has been started: sends it something, or ends it. */
  onStart?(thread: Thread): void;
  onMessage?(message: Message, thread: Thread): void;
}

export interface Thread {
  send(message: unknown): void;
  end(): void;
}

/**
 * Runs a module of this folder (named without its ending) in a thread of its own. Resolves with the last that it said, null for
 * nothing, when it has ended, by itself or because it was ended; rejects, then too, with what it threw.
 */
export async function runThread<Message>(module: string, run: ThreadRun<Message>): Promise<Message | null> {
  const { order, signal, resourceLimits, onStart, onMessage } = run;
  if (signal.aborted) return null;
  const worker = new Worker(moduleUrl(module), { workerData: order, ...(resourceLimits && { resourceLimits }) });
  const thread: Thread = { send: (message) => worker.postMessage(message), end: () => void worker.terminate() };
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  signal.addEventListener("abort", thread.end);
  try {
    return await new Promise((resolve, reject) => {
      let last: Message | null = null;
      worker.on("message", (message: Message) => {
        last = message;
        onMessage?.(message, thread);
      });
      worker.once("error", reject);
      worker.once("exit", () => resolve(last));
      onStart?.(thread);
    });
  } finally {
    signal.removeEventListener("abort", thread.end);
    await exited;
  }
}

/** The sources run as they are, the build has the other ending. */
export function moduleUrl(module: string): URL {
  return new URL(`./${module}${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
}
