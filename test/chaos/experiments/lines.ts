import type { FaultLine } from "../../support/fault-line.ts";
import type { Experiment } from "../experiment.ts";
import type { Stack } from "../stack.ts";

const redisLines = ({ lines }: Stack): FaultLine[] => [...lines.redis.values()];

async function masterLine({ sentinel, lines }: Stack): Promise<FaultLine> {
  const line = lines.redis.get((await sentinel.master()).port);
  if (line === undefined) throw new Error("the master has no line");
  return line;
}

export const slowPostgres: Experiment = {
  name: "slow-postgres",
  what: "PostgreSQL answers 200 ms later",
  heals: "by itself",
  lasts: [6, 10],
  inject({ lines }) {
    lines.postgres.slow(100);
    return () => lines.postgres.slow(0);
  },
};

export const slowRedis: Experiment = {
  name: "slow-redis",
  what: "Redis, all servers, answers 300 ms later",
  heals: "by itself",
  lasts: [6, 10],
  inject(stack) {
    for (const line of redisLines(stack)) line.slow(150);
    return () => {
      for (const line of redisLines(stack)) line.slow(0);
    };
  },
};

export const cutPostgres: Experiment = {
  name: "cut-postgres",
  what: "connections to PostgreSQL are reset, new ones too",
  heals: "by itself, with the first new connection",
  lasts: [5, 9],
  inject({ lines }) {
    lines.postgres.cut();
    return () => lines.postgres.mend();
  },
};

export const silentPostgres: Experiment = {
  name: "silent-postgres",
  what: "nothing arrives any more on connections to PgBouncer, old and new, and nothing is closed",
  heals: "new connections, once those that are silent have timed out",
  lasts: [6, 10],
  inject({ lines }) {
    lines.pgbouncer.goSilent(true);
    return () => lines.pgbouncer.mend();
  },
};

export const cutRedis: Experiment = {
  name: "cut-redis",
  what: "the master of Redis is cut off the network",
  heals: "the sentinels make a copy master; the old master comes back as a copy",
  lasts: [7, 10],
  async inject(stack) {
    const line = await masterLine(stack);
    line.cut();
    return async () => {
      line.mend();
      await stack.sentinel.settled();
    };
  },
};

export const cutAllRedis: Experiment = {
  name: "cut-all-redis",
  what: "all servers of Redis are cut off the network",
  heals: "by itself, with the first new connection",
  lasts: [6, 9],
  inject(stack) {
    for (const line of redisLines(stack)) line.cut();
    return async () => {
      for (const line of redisLines(stack)) line.mend();
      await stack.sentinel.settled();
    };
  },
};
