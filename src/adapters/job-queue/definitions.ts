import type { JobDefinition, RunningJob } from "../../ports/job-queue.ts";

export const defaultAttempts = 3;
/** Of failed jobs so many are kept to be looked at. */
export const failedKept = 1000;

export interface KnownJob {
  readonly attempts: number;
  /** Throws where the input is wrong. */
  check(input: unknown): void;
  run(input: unknown, job: RunningJob): Promise<unknown>;
}

/** What is defined so far, by name. Asking for another name throws. */
export function createDefinitions() {
  const known = new Map<string, KnownJob>();
  return {
    define<Input>(name: string, { input: schema, attempts = defaultAttempts, run }: JobDefinition<Input>): void {
      if (known.has(name)) throw new Error(`the job ${name} is defined twice`);
      known.set(name, {
        attempts,
        check: (input) => void schema.parse(input),
        run: async (input, job) => run(schema.parse(input), job),
      });
    },
    of(name: string): KnownJob {
      const job = known.get(name);
      if (job === undefined) throw new Error(`no job is called ${name}; there are ${[...known.keys()].join(", ")}`);
      return job;
    },
  };
}

export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 2000);
}
