import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { createMemoryReplayStore } from "../../src/adapters/replay-store/memory.ts";
import type { ReplayStore } from "../../src/ports/replay-store.ts";
import { type ReplayKind, ReplayRefused } from "../../src/queries/replays/replay-kind.ts";
import { createReplays, type Replays } from "../../src/queries/replays/replays.ts";
import { type RunReplayDeps, runReplay } from "../../src/queries/replays/run-replay.ts";

const numbersInput = z.strictObject({
  count: z.number().int().min(0),
  /** A checkpoint after each so many. */
  every: z.number().int().min(1).default(10),
  pauseMs: z.number().min(0).default(0),
  /** Throws before the line of this number, each time. */
  failAt: z.number().optional(),
  refuse: z.string().optional(),
  secret: z.boolean().default(false),
});

/** A kind for tests: a line for each number, with a checkpoint now and then. */
export const numbersKind: ReplayKind<z.output<typeof numbersInput>> = {
  kind: "numbers",
  input: numbersInput as z.ZodType<z.output<typeof numbersInput>>,
  operatorsOnly: ({ secret }) => secret,
  async run({ count, every, pauseMs, failAt, refuse }, run) {
    if (refuse !== undefined) throw new ReplayRefused(refuse);
    const file = await run.openFile("numbers.txt", "text/plain");
    for (let n = (run.resumeFrom as number | null) ?? 0; n < count; n += 1) {
      run.signal.throwIfAborted();
      if (n === failAt) throw new Error(`it fails at ${n}`);
      await file.write(`number ${n}\n`);
      run.progress(n + 1, count);
      if ((n + 1) % every === 0) await run.checkpoint(n + 1);
      if (pauseMs > 0) await sleep(pauseMs);
    }
    await file.close();
    return { numbers: count };
  },
};

export const numbersText = (count: number): string => Array.from({ length: count }, (_, n) => `number ${n}\n`).join("");

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Replays in memory, and a worker that does one turn of one when it is told. */
export function memoryReplays(
  given: {
    readonly store?: ReplayStore;
    readonly clock?: { now(): number };
    readonly announce?: (id: string) => Promise<void>;
  } = {},
): {
  readonly replays: Replays;
  readonly store: ReplayStore;
  readonly worker: RunReplayDeps;
  work(id: string): ReturnType<typeof runReplay>;
} {
  const { store = createMemoryReplayStore(), clock = { now: Date.now }, announce = null } = given;
  const kinds = [numbersKind] as readonly ReplayKind<unknown>[];
  const worker = { store, kinds, clock, log: silent, keepMs: 20 };
  return {
    ...{ store, worker },
    replays: createReplays({
      store,
      kinds,
      clock,
      log: silent,
      announce,
      retentionMs: 86_400_000,
      randomId: randomUUID,
    }),
    work: (id) => runReplay(worker, id, new AbortController().signal),
  };
}
