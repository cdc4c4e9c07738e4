import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf } from "../../../infra/local/processes.ts";
import type { Experiment } from "../experiment.ts";

export const restartPostgres: Experiment = {
  name: "restart-postgres",
  what: "PostgreSQL is restarted (fast shutdown)",
  heals: "by itself, with the first new connection",
  lasts: [1, 3],
  async inject({ postgres }) {
    await postgres.restart("fast");
    return () => undefined;
  },
};

export const crashPostgres: Experiment = {
  name: "crash-postgres",
  what: "PostgreSQL crashes, and stays away",
  heals: "it is started, and recovers from its write-ahead log",
  lasts: [5, 8],
  async inject({ postgres }) {
    await postgres.crash();
    return () => postgres.restart("immediate");
  },
};

export const hangPostgres: Experiment = {
  name: "hang-postgres",
  what: "PostgreSQL stands still (SIGSTOP of all its processes)",
  heals: "it goes on (SIGCONT)",
  lasts: [6, 10],
  async inject({ postgres }) {
    // The main process first: then there are no new ones.
    const main = postgres.pid();
    process.kill(main, "SIGSTOP");
    const all = [main, ...childrenOf(main)];
    for (const pid of all) process.kill(pid, "SIGSTOP");
    return () => all.forEach((pid) => void process.kill(pid, "SIGCONT"));
  },
};

export const killPgbouncer: Experiment = {
  name: "kill-pgbouncer",
  what: "kill -9 of PgBouncer, which stays away",
  heals: "it is started again",
  lasts: [4, 7],
  async inject({ pgbouncer }) {
    await pgbouncer.kill();
    return () => pgbouncer.restart();
  },
};

/** The last of all: from then on the stack has no replica, and its server is another one. */
export const promoteReplica: Experiment = {
  name: "promote-replica",
  what: "PostgreSQL crashes for good; its synchronous replica takes its place and address",
  heals: "the replica is promoted, and connections led to it",
  lasts: [3, 5],
  cannot: ({ replica }) => (replica === null ? "this stack has no replica" : null),
  async inject({ postgres, replica, databaseUrl, lines }) {
    await postgres.crash();
    return async () => {
      await replica?.promote();
      lines.postgres.leadTo(replica?.at(databaseUrl) ?? "");
      lines.postgres.reset();
      await sleep(100);
    };
  },
};
