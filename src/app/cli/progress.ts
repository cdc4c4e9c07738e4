import { Presets, SingleBar } from "cli-progress";
import { count, type Io } from "./io.ts";

export interface Progress {
  /** `done` of the unit named, since the start. */
  update(done: number): void;
  stop(): void;
}

/**
 * A bar on a terminal, else a line on stderr every few seconds. stdout stays free for results.
 * `total` null: not known, so no bar.
 */
export function startProgress(io: Io, what: string, total: number | null, everyMs = 3000): Progress {
  const startedAt = performance.now();
  let done = 0;
  const line = (): string => {
    const seconds = Math.max(0.001, (performance.now() - startedAt) / 1000);
    const of = total === null ? "" : ` of ${count(total)}`;
    return `${count(done)}${of} ${what}, ${count(Math.round(done / seconds))}/s`;
  };
  if (io.stderr.isTTY && total !== null) return bar(io, what, total);
  const timer = setInterval(() => io.stderr.write(`${line()}\n`), everyMs);
  timer.unref();
  return {
    update: (n) => {
      done = n;
    },
    stop: () => clearInterval(timer),
  };
}

function bar(io: Io, what: string, total: number): Progress {
  const shown = new SingleBar(
    {
      format: ` {bar} {percentage}% | {value} of {total} ${what} | {eta_formatted} left`,
      stream: io.stderr as NodeJS.WriteStream,
      hideCursor: true,
      // Ctrl-C is ours: the command saves where it is first.
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  shown.start(total, 0);
  return { update: (n) => shown.update(Math.min(n, total)), stop: () => shown.stop() };
}
