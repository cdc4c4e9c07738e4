import type { Experiment } from "../experiment.ts";

export const noNames: Experiment = {
  name: "no-names",
  what: "names of engines no longer resolve (5 s, then EAI_AGAIN), and all connections to them are reset once",
  heals: "by itself, with the first name that resolves",
  lasts: [7, 10],
  inject({ processes, lines }) {
    for (const one of processes) one.setFaults({ names: "unanswered" });
    for (const line of [lines.postgres, lines.pgbouncer, lines.kafka, ...lines.redis.values()]) line?.reset();
    return () => {
      for (const one of processes) one.setFaults({});
    };
  },
};
