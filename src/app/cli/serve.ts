import { once } from "node:events";
import { availableParallelism } from "node:os";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { createLifecycle, type Lifecycle } from "../lifecycle.ts";
import type { Service } from "../service.ts";
import { roles } from "../settings.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { count, exitCodes, usageFailure } from "./io.ts";
import { examples } from "./options.ts";
import { startProgress } from "./progress.ts";
import { banner, demoBanner } from "./serve-banner.ts";

interface ServeOptions {
  readonly port?: string;
  readonly host?: string;
  readonly demo?: boolean;
  readonly role?: string;
  readonly processes?: string;
}

export const addServe: AddCommand = (program, context) => {
  program
    .command("serve")
    .description("start everything in this process, or the part that --role names; Ctrl-C stops it")
    .option("--role <role>", `${roles.join(", ")}; docs/deployment.md`)
    .option("--processes <n>", "of the role api or query, on one port; auto: one for each core")
    .option("--port <port>", "3000 when left out; 0 picks a free one")
    .option("--host <host>", "127.0.0.1 when left out; 0.0.0.0 for every network")
    .option("--demo", "publish a course and let a simulated class work on it")
    .addHelpText(
      "after",
      examples(
        "proximal serve",
        "proximal serve --demo --port 8080",
        "proximal serve --role projector --port 3003",
        "proximal serve --role api --processes auto",
        "DATABASE_URL=postgres://localhost/proximal REDIS_URL=redis://localhost proximal serve",
      ),
    )
    .action((options: ServeOptions) => serve(context, options));
};

async function serve(context: CommandContext, options: ServeOptions): Promise<void> {
  const { io } = context;
  const config = context.config({
    ...{ PORT: options.port, HOST: options.host, PROXIMAL_ROLE: options.role, PROXIMAL_PROCESSES: options.processes },
  });
  if (options.demo === true && config.role !== "all") throw usageFailure("--demo is for the role all");
  const processes = processesOf(config);
  const { createLogger } = await import("../observability/logging.ts");
  const { openTraces } = await import("../observability/traces.ts");
  const traces = await openTraces(config);
  const log = createLogger(config, io.stderr, traces?.tracing.logFields);
  const { clusterLink } = await import("../cluster/worker.ts");
  const link = clusterLink();
  if (processes > 1 && link === null) return serveInCluster(context, config, processes, log);
  const signal = link === null ? io.signal : AbortSignal.any([io.signal, link.stopping]);
  const { startService } = await import("../service.ts");
  const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
  const stopAtSignal = (): void => void life.stop();
  signal.addEventListener("abort", stopAtSignal, { once: true });
  const startedAt = performance.now();
  try {
    const service = await startService(config, life, log, { link, traces });
    const startedMs = performance.now() - startedAt;
    if (options.demo === true && service.key !== null) await demo(context, service, service.key, life, startedMs);
    else if (link === null) io.stdout.write(`${banner(service, startedMs)}\n`);
    else link.ready(`${banner(service, startedMs, processes)}\n`);
    if (!signal.aborted) await once(signal, "abort");
  } catch (error) {
    // Whatever was cut short by Ctrl-C is no failure.
    if (!signal.aborted) throw error;
  } finally {
    const { failed } = await life.stop();
    signal.removeEventListener("abort", stopAtSignal);
    if (failed.length > 0) {
      context.exit(exitCodes.failure);
      io.stderr.write(`proximal: did not stop in time: ${failed.join(", ")}; what was accepted is in the log\n`);
    }
  }
  // The primary says it for all.
  if (io.signal.aborted && link === null) io.stderr.write(stopped);
}

/** How many share the port. Throws where they would be in each other's way. */
function processesOf({ processes, role }: Config): number {
  if (processes === 1) return 1;
  if (role === "api" || role === "query") return processes === "auto" ? availableParallelism() : processes;
  const why =
    role === "all"
      ? "the embedded log, rows in memory and what folds them belong to one process"
      : "the other roles share their work out by partitions and leases, not by a port";
  throw usageFailure(`PROXIMAL_PROCESSES=${processes} (--processes) is for the roles api and query: ${why}`);
}

const stopped = "proximal: stopped; everything accepted is in the log\n";

/** This process only accepts connections and looks after those that serve. */
async function serveInCluster(context: CommandContext, config: Config, processes: number, log: Logger): Promise<void> {
  const { io } = context;
  const { runCluster } = await import("../cluster/primary.ts");
  const code = await runCluster({
    ...{ processes, log, signal: io.signal, stopWithinMs: config.stopTimeoutMs + 2_000 },
    onReady: (text) => void io.stdout.write(text),
  });
  if (code !== 0) context.exit(code);
  else if (io.signal.aborted) io.stderr.write(stopped);
}

/** Between two learners of the class, on average. */
const tricklePauseMs = 1500;

/** Publishes the course, posts the class's past, and lets it go on; it ends with the server. */
async function demo(
  { io }: CommandContext,
  service: Service,
  key: string,
  life: Lifecycle,
  startedMs: number,
): Promise<void> {
  const { createApiClient } = await import("../api-client.ts");
  const { course } = await import("../demo/course.ts");
  const { createClassroom } = await import("../demo/classroom.ts");
  const { publishCourse } = await import("../demo/publish-course.ts");
  const leaving = await life.acquire(
    "simulated class",
    () => new AbortController(),
    (c) => c.abort(),
  );
  const api = createApiClient({ url: service.url, key, signal: leaving.signal });
  const published = await publishCourse(api, course);
  io.stdout.write(`${banner(service, startedMs)}\n`);
  const note = published === 0 ? "stands already" : `published ${count(published)} skills, items and tracks`;
  io.stdout.write(`demo: the course ${note}\n`);
  const classroom = createClassroom(api, { course, learners: 30, seed: "demo", now: Date.now });
  const progress = startProgress(io, "interactions of the past four weeks", null);
  const posted = await classroom.backlog(leaving.signal, progress.update).finally(progress.stop);
  const past =
    posted === 0 ? "their past weeks stand in the log already" : `posted ${count(posted)} interactions of four weeks`;
  io.stdout.write(
    `demo: ${classroom.learnerIds.length} learners: ${past}\n${demoBanner(service, classroom.learnerIds)}\n`,
  );
  classroom.trickle(leaving.signal, tricklePauseMs).catch((error: unknown) => {
    if (!leaving.signal.aborted) io.stderr.write(`proximal: the simulated class stopped: ${error}\n`);
  });
}
