import type { Forecast } from "./forecast.ts";
import type { ScaledRole } from "./observation.ts";
import type { ServiceRate } from "./service-rate.ts";

/** What stands in the way of less lag, or would, were there more work. */
export const bindings = [
  /** Nothing: there are enough. */
  "nothing",
  /** Workers: more would help. */
  "workers",
  /** More workers are wanted than there are partitions, or than are allowed. */
  "partitions",
  "workers_max",
  /** One partition takes more than one worker does, and has one at a time. */
  "hot_partition",
  /** A partition does not move at all. */
  "stuck",
  /** The last workers that were added brought little: what they share (log, Redis, cores) is full. */
  "shared",
  /** Statements wait for connections. */
  "pool",
  /** The relay has what they wait for. */
  "relay",
  /** Work is done by one, in order. */
  "sole",
  /** Nobody knows yet what a worker does. */
  "not_measured",
] as const;
export type Binding = (typeof bindings)[number];

export interface ScalingEffect {
  readonly atSeconds: number;
  readonly from: number;
  readonly to: number;
  /** Done a second while there was enough to do, before and after; null where there was not. */
  readonly rateBefore: number | null;
  readonly rateAfter: number | null;
  /** Of the gain that so many more should have brought; null where it was not seen. */
  readonly effect: number | null;
}

export interface RolePlan {
  readonly role: ScaledRole;
  readonly running: number;
  /** How many there shall be: what a scaler is to follow. Held through cool-down, and until fewer were enough for long. */
  readonly desired: number;
  /** What the load of now takes, and the one that is forecast; null where nobody knows what a worker does. */
  readonly neededNow: number | null;
  readonly neededSoon: number | null;
  /** More than these cannot share the work. */
  readonly most: number;
  readonly binds: Binding;
  readonly moreWouldHelp: boolean;
  readonly why: string;
  readonly rateIn: number;
  readonly rateOut: number;
  readonly backlog: number;
  readonly lagSeconds: number;
  readonly parked: number;
  readonly busyShare: number | null;
  readonly capacity: (ServiceRate & { readonly ageSeconds: number }) | null;
  /** Until nothing waits, with those that run and with those desired; null: never. */
  readonly drainSeconds: { readonly running: number | null; readonly desired: number | null };
  readonly forecast: Forecast;
  readonly lastScaling: ScalingEffect | null;
}
