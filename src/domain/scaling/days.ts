import type { RateProfile, Spike } from "../pipeline-simulation/arrivals.ts";
import type { Scenario } from "../pipeline-simulation/model.ts";
import { mulberry32, type Random } from "../random.ts";

/** Days that scaling policies are judged on. Which of them: by the seed. */
export interface Day {
  readonly name: string;
  readonly what: string;
  scenario(perSecond: number, seed: number): Scenario;
  /** Arrivals of the days before that one, the last first: what the time of day is learnt from. */
  daysBefore(perSecond: number, seed: number, days: number): RateProfile[];
}

const hour = 3600;
const minute = 60;
const day = 24 * hour;

/** Its level is not that of the day before, and its peak not at the very same time. */
const curve = (perSecond: number, random: Random): RateProfile => ({
  perSecond: perSecond * between(random, 0.8, 1.2),
  ...{ dayPeakFactor: 3, dayPeakAtSeconds: 15 * hour + between(random, -20, 20) * minute },
});

const between = (random: Random, least: number, most: number): number => least + (most - least) * random();

const spike = (random: Random, at: number, minutes: readonly [number, number], factor: readonly [number, number]) => ({
  ...{ fromSeconds: Math.min(at, day - hour), seconds: between(random, ...minutes) * minute },
  factor: between(random, ...factor),
});

/** Lessons of a timetable: each day a little late or early, and of another size. */
const lessons = (random: Random): Spike[] =>
  [8, 10, 13].map((at) => spike(random, at * hour + between(random, -1, 3) * minute, [8, 12], [2, 4]));

const atAnyTime = (
  random: Random,
  ...of: Parameters<typeof spike> extends [Random, number, ...infer Of] ? Of : never
) => spike(random, between(random, 6 * hour, 22 * hour), ...of);

const exam = (random: Random): Spike => atAnyTime(random, [30, 50], [1.5, 2.5]);
const crowd = (random: Random): Spike => atAnyTime(random, [3, 8], [3, 6]);

type Arrivals = (perSecond: number, random: Random) => RateProfile;

const calm: Arrivals = curve;
const school: Arrivals = (perSecond, random) => ({ ...curve(perSecond, random), spikes: lessons(random) });
const spikes: Arrivals = (perSecond, random) => ({
  ...curve(perSecond, random),
  spikes: [...lessons(random), exam(random), crowd(random)],
});
const surprises: Arrivals = (perSecond, random) => ({
  ...curve(perSecond, random),
  spikes: [crowd(random), crowd(random), exam(random), exam(random), atAnyTime(random, [8, 12], [2, 4])],
});
const holiday: Arrivals = (perSecond, random) => curve(perSecond / 2, random);

/** The day itself is day 0 of its seed, those before are days 1, 2 and so on: each has chances of its own. */
function dayOf(
  name: string,
  what: string,
  today: Arrivals,
  before: Arrivals = today,
  outages: Scenario["outages"] = [],
): Day {
  const chances = (seed: number, daysAgo: number): Random => mulberry32(seed * 1_009 + daysAgo * 65_537 + 17);
  return {
    ...{ name, what },
    scenario: (perSecond, seed) => ({
      ...{ seconds: day, seed, outages },
      posts: today(perSecond, chances(seed, 0)),
      // Projectors do not answer queries.
      nexts: { perSecond: 0 },
    }),
    daysBefore: (perSecond, seed, days) =>
      Array.from({ length: days }, (_, at) => before(perSecond, chances(seed, at + 1))),
  };
}

export const days: readonly Day[] = [
  dayOf(
    "calm",
    "a curve whose peak, about 15:00, is three times the mean; each day's level within a fifth of it",
    calm,
  ),
  dayOf(
    "school",
    "on it lessons at 8:00, 10:00 and 13:00, a minute early to three late: 2 to 4 times as much for 8 to 12 min",
    school,
  ),
  dayOf(
    "spikes",
    "the lessons, and at any time between 6:00 and 22:00 an exam (1.5 to 2.5 times for 30 to 50 min) and a crowd (3 to 6 times for 3 to 8 min)",
    spikes,
  ),
  dayOf("surprises", "two crowds, two exams and a lesson at any time: no day is like another", surprises),
  dayOf("holiday", "half a calm day, after days with lessons", holiday, school),
  dayOf("outages", "a calm day, with Redis gone for 5 min at 9:00 and the relay for 10 min at 16:00", calm, calm, [
    { engine: "redis", fromSeconds: 9 * hour, seconds: 5 * minute },
    { engine: "relay", fromSeconds: 16 * hour, seconds: 10 * minute },
  ]),
];
