/** Roles whose workers are counted, and how their work can be shared out. */
export const scaledRoles = ["api", "query", "projector", "jobs", "relay", "trainer"] as const;
export type ScaledRole = (typeof scaledRoles)[number];

/**
 * partitions: each partition has one worker at a time. queue: whoever is free takes the next. requests: dealt to all, and none
 * may wait, so that their workers are counted by how busy they are. sole: one works, in the order of the log; others stand by.
 */
export type Sharing = "partitions" | "queue" | "requests" | "sole";

export const sharingOf: Readonly<Record<ScaledRole, Sharing>> = {
  api: "requests",
  query: "requests",
  projector: "partitions",
  jobs: "queue",
  relay: "sole",
  trainer: "sole",
};

/** A role as it was seen over the time since it was seen last. Rates are events, jobs or requests a second. */
export interface RoleSeen {
  readonly atSeconds: number;
  /** Workers that take part. */
  readonly running: number;
  readonly rateIn: number;
  readonly rateOut: number;
  /** What waits; 0 for requests. */
  readonly backlog: number;
  /** Age of what has waited longest; 0 where nothing waits. */
  readonly lagSeconds: number;
  /** null where work has no partitions. */
  readonly partitions: readonly PartitionSeen[] | null;
  /** Workers that can share the work, where it is not the partitions that say so. */
  readonly most?: number;
  /** 0..1, of the workers' time; null where nobody says. */
  readonly busyShare: number | null;
  /** Learners set aside. */
  readonly parked?: number;
  /** Statements of these workers that wait for a connection. */
  readonly poolWaiting?: number;
  /** Of the backlog, what has not come as far as these workers: the relay has it still. */
  readonly notArrived?: number;
}

export interface PartitionSeen {
  readonly partition: number;
  readonly backlog: number;
  readonly lagSeconds: number;
  /** Left out: its share of the whole. */
  readonly rateIn?: number;
  readonly rateOut?: number;
}
