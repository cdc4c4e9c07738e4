/** Interactions that arrived at the same time and go the same way. */
export interface Cohort {
  count: number;
  /** When they were posted, and when they were committed; seconds. */
  readonly postedAt: number;
  committedAt: number;
}

/** First in, first out, with a count of what is in it. */
export interface CohortQueue {
  put(cohort: Cohort): void;
  /** Takes up to so many, cutting the last cohort in two where need be. */
  take(max: number): Cohort[];
  first(): Cohort | undefined;
  size(): number;
}

const shrinkFrom = 1024;

export function createCohortQueue(): CohortQueue {
  let cohorts: Cohort[] = [];
  let head = 0;
  let size = 0;
  return {
    put(cohort) {
      cohorts.push(cohort);
      size += cohort.count;
    },
    take(max) {
      const taken: Cohort[] = [];
      let left = max;
      while (left > 0 && head < cohorts.length) {
        const cohort = cohorts[head] as Cohort;
        if (cohort.count > left) {
          taken.push({ ...cohort, count: left });
          cohort.count -= left;
          size -= left;
          left = 0;
        } else {
          taken.push(cohort);
          left -= cohort.count;
          size -= cohort.count;
          head += 1;
        }
      }
      if (head >= shrinkFrom && head * 2 > cohorts.length) {
        cohorts = cohorts.slice(head);
        head = 0;
      }
      return taken;
    },
    first: () => cohorts[head],
    size: () => size,
  };
}

export const countOf = (cohorts: readonly Cohort[]): number => cohorts.reduce((sum, { count }) => sum + count, 0);
