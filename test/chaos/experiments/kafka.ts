import type { Experiment } from "../experiment.ts";

const without = { cannot: ({ kafka }: { kafka: unknown }) => (kafka === null ? "this stack has no Kafka" : null) };

export const killKafka: Experiment = {
  name: "kill-kafka",
  what: "kill -9 of the only broker of Kafka",
  heals: "it is started again; the relay and the projectors go on from where they were",
  lasts: [5, 8],
  ...without,
  async inject({ kafka }) {
    await kafka?.kill();
    return () => kafka?.start();
  },
};

export const hangKafka: Experiment = {
  name: "hang-kafka",
  what: "the only broker of Kafka stands still (SIGSTOP)",
  heals: "it goes on (SIGCONT)",
  lasts: [8, 12],
  ...without,
  inject({ kafka }) {
    kafka?.signal("SIGSTOP");
    return () => kafka?.signal("SIGCONT");
  },
};
