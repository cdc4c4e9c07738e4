import type { Experiment } from "../experiment.ts";
import { clockBack, clockForward } from "./clock.ts";
import { fullDisk } from "./disk.ts";
import { hangKafka, killKafka } from "./kafka.ts";
import { cutAllRedis, cutPostgres, cutRedis, silentPostgres, slowPostgres, slowRedis } from "./lines.ts";
import { smallHeap } from "./memory.ts";
import { noNames } from "./names.ts";
import { crashPostgres, hangPostgres, killPgbouncer, promoteReplica, restartPostgres } from "./postgres.ts";
import { killApi, killWorkers, pauseApi, pauseWorkers } from "./processes.ts";
import { flushRedis, hangJobsRedis, hangRedis, killRedis } from "./redis.ts";

/** In the order in which they are done. */
export const experiments: readonly Experiment[] = [
  ...[killApi, pauseApi, killWorkers, pauseWorkers],
  ...[slowPostgres, slowRedis, cutPostgres, silentPostgres, cutRedis, cutAllRedis],
  ...[killRedis, hangRedis, flushRedis, hangJobsRedis],
  ...[restartPostgres, crashPostgres, hangPostgres, killPgbouncer, fullDisk],
  ...[killKafka, hangKafka],
  ...[clockBack, clockForward, noNames, smallHeap],
  // Leaves the stack without its first server.
  promoteReplica,
];
