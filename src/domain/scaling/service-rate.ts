/** What one worker does a second when it has enough to do, from what workers were seen to do. */

export interface ServiceRate {
  /** Events a second. */
  readonly perWorker: number;
  readonly measuredAt: number;
  /**
   * catching_up: workers had work all the time (something waited, or they were busy), so that what they did is what they can do. busy_share: what they did over the
   * share of time that it took them; an estimate from below, since few events at a time cost more each.
   */
  readonly source: "catching_up" | "busy_share";
}

/** Of an interval. */
export interface WorkSeen {
  /** Its end, and its length. */
  readonly atSeconds: number;
  readonly seconds: number;
  readonly rateOut: number;
  /** That were dealt work. */
  readonly workers: number;
  /** Work waited in every partition from the beginning of the interval to its end. */
  readonly behindThroughout: boolean;
  /** 0..1, of the workers' time; null where it is not known. */
  readonly busyShare: number | null;
}

/** How much the last interval counts. */
const weight = 0.4;
/** From here on they had enough to do all the time, whatever waits. */
const busyShareFull = 0.9;
/** Below this a share of busy time says nothing: timers and health checks take as much. */
const busyShareMin = 0.05;

/** The rate as it is known after an interval. A measurement while there was enough to do is only ever replaced by another. */
export function serviceRateAfter(before: ServiceRate | null, seen: WorkSeen): ServiceRate | null {
  const { atSeconds, rateOut, workers, behindThroughout, busyShare } = seen;
  if (workers <= 0 || rateOut <= 0) return before;
  const each = rateOut / workers;
  if (behindThroughout || (busyShare ?? 0) >= busyShareFull) {
    const known = before?.source === "catching_up" ? before.perWorker : each;
    return { perWorker: known + weight * (each - known), measuredAt: atSeconds, source: "catching_up" };
  }
  if (before?.source === "catching_up" || busyShare === null || busyShare < busyShareMin) return before;
  const estimate = each / Math.min(1, busyShare);
  const known = before?.perWorker ?? estimate;
  return { perWorker: known + weight * (estimate - known), measuredAt: atSeconds, source: "busy_share" };
}
