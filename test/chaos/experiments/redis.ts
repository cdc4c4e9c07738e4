import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "../../support/redis-sentinel.ts";
import type { Experiment } from "../experiment.ts";

export const killRedis: Experiment = {
  name: "kill-redis",
  what: "kill -9 of the master of Redis",
  heals: "the sentinels make a copy master; the old one starts again, as a copy",
  lasts: [6, 9],
  async inject({ sentinel }) {
    const master = await sentinel.master();
    process.kill(master.pid, "SIGKILL");
    return async () => {
      await sentinel.restart(master);
      await sentinel.settled();
    };
  },
};

export const hangRedis: Experiment = {
  name: "hang-redis",
  what: "the master of Redis stands still (SIGSTOP)",
  heals: "the sentinels make a copy master; the old one wakes up, and becomes a copy",
  lasts: [6, 9],
  async inject({ sentinel }) {
    const { pid } = await sentinel.master();
    process.kill(pid, "SIGSTOP");
    return async () => {
      process.kill(pid, "SIGCONT");
      await sentinel.settled();
    };
  },
};

export const flushRedis: Experiment = {
  name: "flush-redis",
  what: "FLUSHALL on the master of Redis, twice",
  heals: "projectors fold the log again, from a snapshot where there is one",
  lasts: [3, 6],
  async inject({ sentinel }) {
    const flush = async (): Promise<unknown> => ask((await sentinel.master()).port, ["flushall"]);
    await flush();
    return flush;
  },
};

export const hangJobsRedis: Experiment = {
  name: "hang-jobs-redis",
  what: "the Redis of background jobs stands still (SIGSTOP)",
  heals: "it goes on (SIGCONT)",
  lasts: [5, 8],
  inject({ jobsRedis }) {
    process.kill(jobsRedis.pid, "SIGSTOP");
    return async () => {
      process.kill(jobsRedis.pid, "SIGCONT");
      await sleep(100);
    };
  },
};
