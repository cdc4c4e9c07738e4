/**
 * What each scenario of k6 puts on the system, and what it has to hold. Pure: k6 reads it to run, the runner and the report
 * to know what was wanted.
 *
 * Load is open: arrivals come at their rate however slow the answers are, so that a slow system cannot slow its own test down.
 * A user takes one step every `thinkSeconds`: asks what is next, answers it, and asks again with the token of the answer
 * (three requests). So 1,000 users are 100 steps a second.
 */
export const scenarioNames = ["baseline", "spike", "stress", "soak", "ingest", "mixed"] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export const thinkSeconds = 10;

/** What the product promises; Locust is judged by the same. */
export const limits = { p95Ms: 300, nextP95Ms: 250, errorRate: 0.001 } as const;

/** Interactions in one request of the ingest flood. */
export const batchSize = 100;

export interface Load {
  /** Simulated users, at the most. */
  readonly users: number;
  /** Of the measured part. */
  readonly seconds: number;
}

export interface Stage {
  readonly target: number;
  readonly duration: string;
}

/** A scenario of k6's own configuration, as far as it is used here. */
export interface Executor {
  readonly executor: "constant-arrival-rate" | "ramping-arrival-rate";
  readonly exec: string;
  readonly timeUnit: "1s";
  readonly rate?: number;
  readonly startRate?: number;
  readonly duration?: string;
  readonly stages?: readonly Stage[];
  readonly startTime?: string;
  readonly gracefulStop: "5s";
  readonly preAllocatedVUs: number;
  readonly maxVUs: number;
}

export interface Profile {
  readonly title: string;
  readonly what: string;
  readonly usual: Load;
  /** Keep-alive connections held beside it, by the lean generator, where nobody says otherwise. */
  readonly connections: number;
  /** A refusal with Retry-After is no error here: to refuse in time is what it looks for. Latency is then that of what was done. */
  readonly mayShed: boolean;
  /** Share of answers whose content is looked at in full. */
  readonly checkShare: number;
  executors(load: Load): Readonly<Record<string, Executor>>;
}

/** The metric of k6 that latency is judged by: refusals are quick, and must not count as quick answers. */
export const durationOf = (name: ScenarioName): string =>
  profiles[name].mayShed ? "answered_duration" : "http_req_duration";

/** Users of each step of the stress test: up to the most, and past what the product promises. */
const stressShares = [0.1, 0.2, 0.4, 0.6, 0.8, 1];

export const levelName = (users: number): string => `users_${users}`;

export function levelsOf({ users, seconds }: Load): readonly { users: number; from: number; seconds: number }[] {
  const each = Math.max(1, Math.floor(seconds / stressShares.length));
  return stressShares.map((share, k) => ({ users: Math.round(users * share), from: k * each, seconds: each }));
}

const stepsPerSecond = (users: number): number => Math.max(1, Math.round(users / thinkSeconds));

/** A user that waits for answers holds a slot: there from the start for steps of half a second, and twice as many at the most. */
function slots(perSecond: number): Pick<Executor, "preAllocatedVUs" | "maxVUs"> {
  const preAllocatedVUs = Math.min(500, Math.max(20, Math.ceil(perSecond / 2)));
  return { preAllocatedVUs, maxVUs: 2 * preAllocatedVUs };
}

const common = { timeUnit: "1s", gracefulStop: "5s" } as const;

function constant(exec: string, perSecond: number, seconds: number, startTime?: number): Executor {
  const rate = Math.max(1, Math.round(perSecond));
  const start = startTime === undefined ? {} : { startTime: `${startTime}s` };
  return {
    ...{ executor: "constant-arrival-rate", exec, ...common, rate, duration: `${seconds}s` },
    ...{ ...start, ...slots(rate) },
  };
}

function ramping(exec: string, startRate: number, stages: readonly Stage[]): Executor {
  const most = Math.max(startRate, ...stages.map(({ target }) => target));
  return { executor: "ramping-arrival-rate", exec, ...common, startRate, stages, ...slots(most) };
}

export const profiles: Readonly<Record<ScenarioName, Profile>> = {
  baseline: {
    title: "Baseline",
    what: "an ordinary hour: users who ask, answer, and ask again",
    ...{ usual: { users: 1_000, seconds: 90 }, connections: 1_000, mayShed: false, checkShare: 1 },
    executors: ({ users, seconds }) => ({ steps: constant("step", stepsPerSecond(users), seconds) }),
  },
  spike: {
    title: "Spike",
    what: "a bell rings: ten times the users from one second to the next, and gone again",
    ...{ usual: { users: 5_000, seconds: 90 }, connections: 1_000, mayShed: false, checkShare: 0.5 },
    executors({ users, seconds }) {
      const [low, high] = [stepsPerSecond(users / 10), stepsPerSecond(users)];
      const third = Math.max(1, Math.floor(seconds / 3));
      const stages = [
        { target: low, duration: `${third}s` },
        { target: high, duration: "1s" },
        { target: high, duration: `${Math.max(1, third - 2)}s` },
        { target: low, duration: "1s" },
        { target: low, duration: `${third}s` },
      ];
      return { steps: ramping("step", low, stages) };
    },
  },
  stress: {
    title: "Stress",
    what: "more and more users, level by level, until the limits are missed",
    ...{ usual: { users: 12_000, seconds: 150 }, connections: 10_000, mayShed: false, checkShare: 0.1 },
    executors: (load) =>
      Object.fromEntries(
        levelsOf(load).map(({ users, from, seconds }) => [
          levelName(users),
          constant("step", stepsPerSecond(users), seconds, from),
        ]),
      ),
  },
  soak: {
    title: "Soak",
    what: "half an hour, or as long as you say, at one pace: what grows, and what gets slower",
    ...{ usual: { users: 1_000, seconds: 1_800 }, connections: 200, mayShed: false, checkShare: 0.2 },
    executors: ({ users, seconds }) => ({ steps: constant("step", stepsPerSecond(users), seconds) }),
  },
  ingest: {
    title: "Ingest flood",
    what: `clients come back online and post in batches of ${batchSize}, while some still ask what is next`,
    ...{ usual: { users: 1_000, seconds: 60 }, connections: 100, mayShed: true, checkShare: 1 },
    executors: ({ users, seconds }) => ({
      // A tenth of the users post a batch each second: 1,000 users are 10,000 interactions a second.
      flood: constant("flood", users / 10, seconds),
      steps: constant("step", Math.max(1, stepsPerSecond(users) / 10), seconds),
    }),
  },
  mixed: {
    title: "Mixed",
    what: "everybody at once: learners, whole classes, authors, analysts, and a client that catches up in batches",
    ...{ usual: { users: 1_000, seconds: 90 }, connections: 1_000, mayShed: false, checkShare: 1 },
    executors({ users, seconds }) {
      const steps = stepsPerSecond(users);
      return {
        steps: constant("step", steps, seconds),
        looks: constant("look", steps / 4, seconds),
        classes: constant("classList", steps / 50, seconds),
        batches: constant("flood", steps / 50, seconds),
        authors: constant("author", steps / 100, seconds),
        analysts: constant("analyst", steps / 100, seconds),
      };
    },
  },
};

type Threshold =
  | string
  | { readonly threshold: string; readonly abortOnFail: boolean; readonly delayAbortEval: string };

/**
 * The limits as k6 thresholds. Content checks hold in any load. The stress test looks for the load at which the limits are
 * missed: there each level has thresholds of its own (k6 keeps a metric of the level only where there is one), and it ends
 * once answers take seconds.
 */
export function thresholdsOf(name: ScenarioName, load: Load): Record<string, readonly Threshold[]> {
  const content = { content_violations: ["count==0"] };
  if (name !== "stress") {
    return {
      ...content,
      [durationOf(name)]: [`p(95)<${limits.p95Ms}`],
      "http_req_duration{name:next}": [`p(95)<${limits.nextP95Ms}`],
      http_req_failed: [`rate<${limits.errorRate}`],
      ...(name === "ingest" ? {} : { fresh_answers: ["rate>0.99"] }),
    };
  }
  const levels = levelsOf(load).flatMap(({ users }): [string, readonly Threshold[]][] => {
    const scenario = `scenario:${levelName(users)}`;
    const end = { threshold: "p(95)<3000", abortOnFail: true, delayAbortEval: "5s" };
    return [
      [`http_req_duration{${scenario}}`, [`p(95)<${limits.p95Ms}`, end]],
      [`http_req_duration{${scenario},name:next}`, [`p(95)<${limits.nextP95Ms}`]],
      [`http_req_failed{${scenario}}`, [`rate<${limits.errorRate}`]],
      [`iterations{${scenario}}`, ["count>=0"]],
      [`http_reqs{${scenario}}`, ["count>=0"]],
      [`dropped_iterations{${scenario}}`, ["count>=0"]],
    ];
  });
  return { ...content, ...Object.fromEntries(levels) };
}
