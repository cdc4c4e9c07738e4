import { type Experiment, oneOfEach } from "../experiment.ts";

const hourMs = 3_600_000;

export const clockBack: Experiment = {
  name: "clock-back",
  what: "the clock of one API process, one projector and one relay jumps an hour back, then right again",
  heals: "the clock is set right",
  lasts: [7, 10],
  inject(stack, random) {
    const wrong = oneOfEach(stack, random, "api", "projector", "relay");
    for (const one of wrong) one.setFaults({ clockMs: -hourMs });
    return () => {
      for (const one of wrong) one.setFaults({});
    };
  },
};

export const clockForward: Experiment = {
  name: "clock-forward",
  what: "the clocks of all processes jump an hour ahead, then right again: an hour back",
  heals: "the clocks are set right",
  lasts: [7, 10],
  inject({ processes }) {
    for (const one of processes) one.setFaults({ clockMs: hourMs });
    return () => {
      for (const one of processes) one.setFaults({});
    };
  },
};
