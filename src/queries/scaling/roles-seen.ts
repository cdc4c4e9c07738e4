import type { RoleSeen } from "../../domain/scaling/observation.ts";
import { type ProcessReport, worksAs } from "../../domain/scaling/process-report.ts";
import type { LagReading } from "../lag-sampler.ts";
import type { QueueReading } from "../queue-lag.ts";

/** From lag, queues and what processes say to what a role's scaler looks at. */

export interface ScalingSources {
  /** With rates since the last look. */
  lag(): Promise<LagReading>;
  queues(): Promise<QueueReading>;
}

interface At {
  readonly atSeconds: number;
  readonly processes: readonly ProcessReport[];
}

/** null until there are rates. */
export function projectorSeen(
  { projections }: LagReading,
  { atSeconds, processes }: At,
  shared: boolean,
): RoleSeen | null {
  const learners = projections.filter(({ projection }) => projection === "learners");
  if (learners.length === 0 || learners.some(({ rateIn, rateOut }) => rateIn === null || rateOut === null)) return null;
  const workers = processes.filter((one) => worksAs(one, "projector"));
  const relay = projections.find(({ projection }) => projection === "relay");
  const backlog = sumOf(learners, ({ behindEvents }) => behindEvents);
  return {
    ...{ atSeconds, running: workers.length, backlog },
    ...(shared ? {} : { most: 1 }),
    rateIn: sumOf(learners, ({ rateIn }) => rateIn ?? 0),
    rateOut: sumOf(learners, ({ rateOut }) => rateOut ?? 0),
    lagSeconds: Math.max(0, ...learners.map(({ behindSeconds }) => behindSeconds)),
    partitions: learners.map(({ partition, behindEvents, behindSeconds, rateIn, rateOut }) => ({
      ...{ partition, backlog: behindEvents, lagSeconds: behindSeconds },
      ...{ rateIn: rateIn ?? 0, rateOut: rateOut ?? 0 },
    })),
    ...{ busyShare: busyShareOf(workers), parked: sumOf(workers, ({ parked }) => parked) },
    poolWaiting: sumOf(workers, ({ poolWaiting }) => poolWaiting),
    // It reads other events as well: an estimate from above.
    notArrived: shared ? Math.min(backlog, relay?.behindEvents ?? 0) : 0,
  };
}

/** null where there are none: not every deployment has both roles. */
export function requestsSeen(role: "api" | "query", { atSeconds, processes }: At): RoleSeen | null {
  const workers = processes.filter((one) => worksAs(one, role));
  if (workers.length === 0) return null;
  const rate = sumOf(workers, ({ requestsPerSecond }) => requestsPerSecond);
  return {
    ...{ atSeconds, running: workers.length, rateIn: rate, rateOut: rate, backlog: 0, lagSeconds: 0 },
    ...{ partitions: null, busyShare: busyShareOf(workers) },
    poolWaiting: sumOf(workers, ({ poolWaiting }) => poolWaiting),
  };
}

/** One works in the order of the log: what it does is told, not planned. */
export function soleSeen(
  role: "relay" | "trainer",
  { projections }: LagReading,
  { atSeconds, processes }: At,
): RoleSeen {
  const lag = projections.find(({ projection }) => projection === role);
  const workers = processes.filter((one) => worksAs(one, role));
  return {
    ...{ atSeconds, running: workers.length, partitions: null, busyShare: busyShareOf(workers) },
    ...{ rateIn: lag?.rateIn ?? 0, rateOut: lag?.rateOut ?? 0 },
    ...{ backlog: lag?.behindEvents ?? 0, lagSeconds: lag?.behindSeconds ?? 0 },
  };
}

/** Jobs of both queues; what is delayed is for later. */
export function createJobsSeen(): (reading: QueueReading, at: At) => RoleSeen | null {
  let before: { readonly atSeconds: number; readonly ended: number; readonly open: number } | null = null;
  return ({ queues }, { atSeconds, processes }) => {
    if (queues.length === 0) return null;
    const ended = sumOf(queues, (one) => one.completedTotal + one.failedTotal);
    const waiting = sumOf(queues, (one) => one.waiting + one.prioritized);
    const open = waiting + sumOf(queues, ({ active }) => active);
    const last = before;
    before = { atSeconds, ended, open };
    // Totals that went back are of an engine that was emptied.
    if (last === null || ended < last.ended || atSeconds <= last.atSeconds) return null;
    const seconds = atSeconds - last.atSeconds;
    const workers = processes.filter((one) => worksAs(one, "jobs"));
    return {
      ...{ atSeconds, running: workers.length, partitions: null, busyShare: busyShareOf(workers), backlog: waiting },
      rateOut: (ended - last.ended) / seconds,
      rateIn: Math.max(0, ended - last.ended + open - last.open) / seconds,
      lagSeconds: Math.max(0, ...queues.map(({ oldestWaitingSeconds }) => oldestWaitingSeconds)),
    };
  };
}

const sumOf = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0);

const busyShareOf = (workers: readonly ProcessReport[]): number | null =>
  workers.length === 0 ? null : sumOf(workers, ({ busyShare }) => busyShare) / workers.length;
