import { type Experiment, oneOfEach } from "../experiment.ts";
import type { Stack } from "../stack.ts";

const workersOf = ({ processes }: Stack) => processes.filter(({ role }) => role !== "api");

export const killApi: Experiment = {
  name: "kill-api",
  what: "kill -9 of one of two API processes, twice",
  heals: "the supervisor starts it again",
  lasts: [4, 7],
  async inject(stack, random) {
    random.pick(stack.of("api")).kill();
    return () => random.pick(stack.of("api")).kill();
  },
};

export const pauseApi: Experiment = {
  name: "pause-api",
  what: "one of two API processes stands still (SIGSTOP)",
  heals: "it goes on (SIGCONT)",
  lasts: [4, 8],
  inject(stack, random) {
    const one = random.pick(stack.of("api"));
    one.pause();
    return () => one.resume();
  },
};

export const killWorkers: Experiment = {
  name: "kill-workers",
  what: "kill -9 of all projectors, relays, trainers and job workers at once",
  heals: "the supervisor starts them again",
  lasts: [3, 6],
  inject(stack) {
    for (const one of workersOf(stack)) one.kill();
    return () => undefined;
  },
};

export const pauseWorkers: Experiment = {
  name: "pause-workers",
  what: "a projector, a relay and a trainer stand still (SIGSTOP): others take over, and they wake up late",
  heals: "they go on (SIGCONT)",
  lasts: [12, 16],
  inject(stack, random) {
    const paused = oneOfEach(stack, random, "projector", "relay", "trainer");
    for (const one of paused) one.pause();
    return () => {
      for (const one of paused) one.resume();
    };
  },
};
