import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Counter, Gauge, Registry } from "prom-client";
import type { Log } from "../../ports/log.ts";
import { createMetricsGatherer, type MetricsGatherer } from "./gather-metrics.ts";
import { type FromPrimary, fromWorker } from "./messages.ts";

export interface ClusterOptions {
  /** Worker processes. */
  readonly processes: number;
  /** Workers that have not ended this long after the stop are killed. */
  readonly stopWithinMs: number;
  readonly log: Log;
  /** Aborts to stop. */
  readonly signal: AbortSignal;
  /** Told once, when all of them serve: what one process by itself would print. */
  readonly onReady: (text: string) => void;
}

/** A worker that died is replaced at once; one that keeps dying after growing pauses, up to the longest. */
const pauseMs = { first: 100, max: 10_000 };
/** A worker that lived so long died of something else than its start. */
const livedMs = 30_000;

/**
 * Runs so many workers on one port until the signal aborts; then they finish what is under way. The first starts alone, so
 * that what is wrong with the settings or an engine is said once. Resolves with the exit code.
 *
 * All listen on one socket (SCHED_NONE), and whoever is free takes the next connection. Where the primary deals connections out, which
 * is Node's default, those on their way to a worker that is killed are never answered and never closed; and sockets of
 * their own (SO_REUSEPORT) reset what waits in them when their process ends. The price is that connections are not dealt out evenly.
 */
export async function runCluster(options: ClusterOptions): Promise<number> {
  const { processes, log, signal } = options;
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  const registry = new Registry();
  const exits = watchWorkers(registry, processes);
  const gatherer = createMetricsGatherer(registry);
  const first = await startWorker(gatherer);
  if (typeof first === "number") return first;
  const texts = [first.text];
  const supervised = [supervise(first.worker, options, exits, gatherer)];
  for (let n = 1; n < processes && !signal.aborted; n += 1) {
    const next = await startWorker(gatherer);
    if (typeof next === "number") {
      log.error({ code: next }, "a worker ended while it started");
      supervised.push(supervise(null, options, exits, gatherer));
    } else supervised.push(supervise(next.worker, options, exits, gatherer));
  }
  if (!signal.aborted) {
    options.onReady(texts[0] ?? "");
    await once(signal, "abort");
  }
  for (const worker of workers()) tell(worker, { proximal: "stop" });
  const deadline = setTimeout(() => {
    for (const worker of workers()) worker.process.kill("SIGKILL");
  }, options.stopWithinMs);
  await Promise.all(supervised);
  clearTimeout(deadline);
  return 0;
}

const workers = (): Worker[] => Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);

function tell(worker: Worker, message: FromPrimary): void {
  // One that has just died is replaced anyway.
  if (worker.isConnected()) worker.send(message, () => undefined);
}

/** Resolves when it serves, or with the code it ended with before. */
async function startWorker(gatherer: MetricsGatherer): Promise<{ worker: Worker; text: string } | number> {
  const worker = cluster.fork();
  return new Promise((resolve) => {
    worker.once("exit", (code, by) => resolve(by === null ? code || 1 : 1));
    worker.on("message", (received: unknown) => {
      const { success, data } = fromWorker.safeParse(received);
      if (!success) return;
      if (data.proximal === "ready") resolve({ worker, text: data.text });
      else if (data.proximal === "my metrics") gatherer.answered(data.id, data.metrics);
      else if (data.proximal === "all metrics?") void answerMetrics(worker, data.id, gatherer);
      else for (const other of workers()) if (other !== worker) tell(other, { proximal: "taken", taken: data.taken });
    });
  });
}

async function answerMetrics(asker: Worker, id: number, gatherer: MetricsGatherer): Promise<void> {
  const asked = workers().filter((worker) => worker.isConnected());
  const text = await gatherer.gather(
    asked.map((worker) => ({ ask: (gather) => tell(worker, { proximal: "your metrics?", id: gather }) })),
  );
  tell(asker, { proximal: "all metrics", id, text });
}

/** Keeps one place filled until the stop. */
async function supervise(
  started: Worker | null,
  { log, signal }: ClusterOptions,
  exits: Counter<"by">,
  gatherer: MetricsGatherer,
): Promise<void> {
  let worker = started;
  for (let pause = pauseMs.first; ; pause = Math.min(pause * 2, pauseMs.max)) {
    const since = performance.now();
    if (worker !== null && !worker.isDead()) {
      log.info({ worker: worker.process.pid }, "worker serves");
      await once(worker, "exit");
    }
    if (signal.aborted) return;
    if (worker !== null) {
      const { pid, exitCode, signalCode } = worker.process;
      exits.inc({ by: signalCode ?? String(exitCode) });
      log.warn({ worker: pid, code: exitCode, by: signalCode }, "a worker ended: starting another");
    }
    if (performance.now() - since > livedMs) pause = pauseMs.first;
    await sleep(pause, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const next = await startWorker(gatherer);
    worker = typeof next === "number" ? null : next.worker;
    if (typeof next === "number") log.error({ code: next }, "a worker ended while it started");
    // The stop may have come while it started: it was told like the others, or is told now.
    else if (signal.aborted) tell(next.worker, { proximal: "stop" });
  }
}

function watchWorkers(registry: Registry, wanted: number): Counter<"by"> {
  const registers = [registry];
  new Gauge({
    ...{ name: "cluster_workers", help: "Processes that share the port", registers, labelNames: ["state"] },
    collect() {
      this.set({ state: "wanted" }, wanted);
      this.set({ state: "alive" }, workers().length);
    },
  });
  return new Counter({
    ...{
      name: "cluster_worker_exits_total",
      help: "Workers that ended and were replaced, by signal or exit code",
      registers,
    },
    labelNames: ["by"],
  });
}
