import type { Scenario } from "../pipeline-simulation/model.ts";

/** Days that scaling policies are judged on. */
export interface Day {
  readonly name: string;
  readonly what: string;
  scenario(perSecond: number, seed: number): Scenario;
}

const hour = 3600;
const minute = 60;
const calmly = (perSecond: number, seed: number): Scenario => ({
  ...{ seconds: 24 * hour, seed, outages: [], resolutionMs: 1000 },
  posts: { perSecond, dayPeakFactor: 3, dayPeakAtSeconds: 15 * hour },
  // Projectors do not answer queries.
  nexts: { perSecond: 0 },
});
const spike = (fromHours: number, minutes: number, factor: number) => ({
  ...{ fromSeconds: fromHours * hour, seconds: minutes * minute, factor },
});

export const days: readonly Day[] = [
  { name: "calm", what: "a curve whose peak, at 15:00, is three times the mean", scenario: calmly },
  {
    name: "spikes",
    what: "on it lessons that begin at 8:00, 10:00 and 13:00 (3x for 10 min), an exam at 17:00 (2x for 40 min) and a flash crowd at 21:00 (8x for 5 min)",
    scenario(perSecond, seed) {
      const calm = calmly(perSecond, seed);
      const spikes = [spike(8, 10, 3), spike(10, 10, 3), spike(13, 10, 3), spike(17, 40, 2), spike(21, 5, 8)];
      return { ...calm, posts: { ...calm.posts, spikes } };
    },
  },
  {
    name: "outages",
    what: "the calm day, with Redis gone for 5 min at 9:00 and the relay for 10 min at 16:00",
    scenario: (perSecond, seed) => ({
      ...calmly(perSecond, seed),
      outages: [
        { engine: "redis", fromSeconds: 9 * hour, seconds: 5 * minute },
        { engine: "relay", fromSeconds: 16 * hour, seconds: 10 * minute },
      ],
    }),
  },
];
