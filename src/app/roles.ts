import type { Config } from "./config.ts";

/** What one process does, of all that a deployment does. */
export interface Duties {
  /** Commands and queries, queries alone, or only health, metrics and what operators do. */
  readonly http: "api" | "queries" | "operations";
  readonly relays: boolean;
  readonly projects: boolean;
  readonly trains: boolean;
  readonly runsJobs: boolean;
}

const nothing = { http: "operations", relays: false, projects: false, trains: false, runsJobs: false } as const;

/** The one place that says what a role is. */
export function dutiesOf({ role, kafkaBrokers }: Pick<Config, "role" | "kafkaBrokers">): Duties {
  switch (role) {
    case "all":
      return { http: "api", relays: kafkaBrokers.length > 0, projects: true, trains: true, runsJobs: true };
    case "api":
      return { ...nothing, http: "api" };
    case "query":
      return { ...nothing, http: "queries" };
    case "relay":
      return { ...nothing, relays: true };
    case "projector":
      return { ...nothing, projects: true };
    case "trainer":
      return { ...nothing, trains: true };
    case "jobs":
      return { ...nothing, runsJobs: true };
  }
}

/** Whether it answers about learners, and so needs rows, catalogue and model. */
export const answersQueries = (duties: Duties): boolean => duties.http !== "operations";
