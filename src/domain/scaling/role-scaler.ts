import type { DayProfile } from "./day-profile.ts";
import { createEffectWatch } from "./effect.ts";
import { createForecaster, type Forecast } from "./forecast.ts";
import type { PartitionSeen, RoleSeen, ScaledRole } from "./observation.ts";
import { sharingOf } from "./observation.ts";
import type { ScalingPolicy } from "./policy.ts";
import type { Binding, RolePlan } from "./role-plan.ts";
import { type ServiceRate, serviceRateAfter } from "./service-rate.ts";
import { type Demand, effectiveWorkers, secondsToDrain, targetRate, type Workers, workersFor } from "./target.ts";
import { wordsFor } from "./words.ts";

/** Watches one role and says how many workers it shall have. Its memory is bounded: what was wanted lately, by the policy. */
export interface RoleScaler {
  /** Times grow. */
  observe(seen: RoleSeen): void;
  useProfile(profile: DayProfile | null): void;
  /** null before the first observation. `rateFactor`: what if so many times as much came in. */
  plan(rateFactor?: number): RolePlan | null;
}

/** For so long what the last scaling brought says something of the next one. */
const effectSeconds = 600;
/** Intervals in which a partition did not move although something waited. */
const stuckAfter = 3;

/** `factor`: of the rate that is wanted. `restart`: with what piles up while their number is changed. */
interface Margin {
  readonly factor?: number;
  readonly restart?: boolean;
}

export function createRoleScaler(role: ScaledRole, policy: ScalingPolicy): RoleScaler {
  const sharing = sharingOf[role];
  const forecaster = createForecaster({ aheadSeconds: policy.aheadSeconds, errorMax: policy.forecastErrorMax });
  const effects = createEffectWatch(policy.restartSeconds);
  const wanted = createStableWants(policy.downAfterSeconds);
  const still = new Map<number, number>();
  let seen: RoleSeen | null = null;
  let runningSince = Number.NEGATIVE_INFINITY;
  let rate: ServiceRate | null = null;
  let desired = 0;
  let changedAt = Number.NEGATIVE_INFINITY;

  function observe(now: RoleSeen): void {
    const before = seen;
    seen = now;
    forecaster.observe(now.atSeconds, now.rateIn);
    if (before === null) {
      // What runs was somebody's decision: it stands until more is known.
      desired = Math.max(1, sharing === "sole" ? 1 : now.running);
      return;
    }
    const seconds = now.atSeconds - before.atSeconds;
    const partitions = now.partitions?.length ?? null;
    if (now.running !== before.running) runningSince = now.atSeconds;
    // Work stands still while it is dealt anew: that is nothing workers can be measured by.
    const settled = before.atSeconds - runningSince >= policy.restartSeconds;
    const behindThroughout = settled && isBehindThroughout(now, seconds);
    // Requests do not wait: how much of them a worker bears is known from how busy they make it.
    const known = sharing === "requests" ? null : rate;
    const workers = Math.min(now.running, partitions ?? now.running);
    const { atSeconds, rateOut, busyShare, running } = now;
    const measured = serviceRateAfter(known, { atSeconds, seconds, rateOut, workers, behindThroughout, busyShare });
    if (settled && measured !== null) rate = sharing === "requests" && rate ? smoothed(rate, measured) : measured;
    effects.observe({ atSeconds, running, rateOut, behindThroughout, partitions });
    noteStill(now);
    decide(now);
  }

  function noteStill({ partitions }: RoleSeen): void {
    for (const { partition, backlog, rateOut } of partitions ?? []) {
      if (backlog > 0 && rateOut === 0) still.set(partition, (still.get(partition) ?? 0) + 1);
      else still.delete(partition);
    }
  }

  const stuck = (): readonly number[] => [...still].filter(([, times]) => times >= stuckAfter).map(([one]) => one);

  /** What a load takes; null where nobody knows what a worker does. */
  function needed(now: RoleSeen, { rateIn, backlog }: Demand, { factor = 1, restart = false }: Margin = {}) {
    if (sharing === "sole") return { wanted: 1, workers: 1, capped: false };
    const target = targetRate({ rateIn, backlog }, termsOf(restart)) * factor;
    if (target === 0) return { wanted: 1, workers: 1, capped: false };
    if (rate === null) return sharing === "requests" ? byBusyTime(now, factor) : null;
    return workersFor(target, rate.perWorker, now.partitions?.length ?? null, allowed(now));
  }

  /** A request may not wait, and nothing piles up that had to be caught up with. */
  function termsOf(restart: boolean) {
    const { catchUpSeconds, utilisation, requestsUtilisation, restartSeconds } = policy;
    return sharing === "requests"
      ? { catchUpSeconds, utilisation: requestsUtilisation, restartSeconds: 0 }
      : { catchUpSeconds, utilisation, restartSeconds: restart ? restartSeconds : 0 };
  }

  /** Of requests so few that what one takes cannot be told. */
  function byBusyTime(now: RoleSeen, factor: number): Workers | null {
    const { running, busyShare } = now;
    if (busyShare === null || running === 0) return null;
    return workersFor((running * busyShare * factor) / policy.requestsUtilisation, 1, null, allowed(now));
  }

  const allowed = ({ most = Number.POSITIVE_INFINITY }: RoleSeen): number => Math.min(most, policy.workersMax);

  /** The relay's share of what waits is nothing that these workers could do. */
  const arrived = ({ backlog, notArrived = 0 }: RoleSeen): number => Math.max(0, backlog - notArrived);

  function needs(now: RoleSeen, rateFactor: number, forecast: Forecast, margin: Margin = {}) {
    const soon = (forecast.trusted ? forecast.rate : now.rateIn) * rateFactor;
    return {
      now: needed(now, { rateIn: now.rateIn * rateFactor, backlog: arrived(now) }, margin),
      soon: needed(now, { rateIn: soon, backlog: 0 }, margin),
    };
  }

  /** What the load of now takes, and all that is expected within so many seconds. */
  function mostNeeded(now: RoleSeen, withinSeconds: number, margin: Margin): number | null {
    const need = needed(now, { rateIn: now.rateIn, backlog: arrived(now) }, margin);
    const soon = needed(now, { rateIn: forecaster.mostWithin(withinSeconds), backlog: 0 }, margin);
    return need === null || soon === null ? null : Math.max(need.workers, soon.workers);
  }

  /**
   * Up where they are too few by more than the tolerance, for what is expected before others could take part, and then to what makes up
   * for the change itself; down to what would have been enough all the while, with the tolerance added.
   */
  function decide(now: RoleSeen): void {
    const { tolerance, coolDownSeconds, startSeconds, restartSeconds, aheadSeconds } = policy;
    const leadSeconds = startSeconds + restartSeconds + coolDownSeconds;
    const sparing = mostNeeded(now, leadSeconds, { factor: 1 / (1 + tolerance) });
    const more = mostNeeded(now, leadSeconds, { restart: true });
    const ample = mostNeeded(now, aheadSeconds, { factor: 1 + tolerance });
    if (sparing === null || more === null || ample === null) return;
    const lately = wanted.add(now.atSeconds, ample);
    if (now.atSeconds - changedAt < coolDownSeconds) return;
    const next = sparing > desired ? (growthHelps(now) ? more : desired) : Math.min(desired, lately ?? desired);
    if (next === desired) return;
    desired = next;
    changedAt = now.atSeconds;
  }

  function growthHelps(now: RoleSeen): boolean {
    return !["stuck", "shared", "pool"].includes(obstacle(now) ?? "");
  }

  /** What more workers would not mend. */
  function obstacle({ atSeconds, running, poolWaiting = 0, backlog, notArrived = 0 }: RoleSeen): Binding | null {
    const last = effects.last();
    if (stuck().length > 0) return "stuck";
    // Nine tenths of what waits: a moment's work of the relay is always under way.
    if (backlog > 0 && notArrived >= 0.9 * backlog) return "relay";
    if (poolWaiting > running && running > 0) return "pool";
    const counts = last !== null && last.to === running && atSeconds - last.atSeconds < effectSeconds;
    return counts && last.effect !== null && last.effect < policy.effectMin ? "shared" : null;
  }

  function binding(now: RoleSeen, need: Workers | null): Binding {
    if (sharing === "sole") return "sole";
    const isBehind = now.lagSeconds > 0 || (need !== null && need.workers > now.running);
    const inTheWay = isBehind ? obstacle(now) : null;
    if (inTheWay !== null) return inTheWay;
    if (need === null || rate === null)
      return now.running === 0 ? "workers" : need === null ? "not_measured" : "nothing";
    if (need.capped)
      return now.partitions !== null && now.partitions.length <= allowed(now) ? "partitions" : "workers_max";
    if (hottest(now, rate.perWorker) !== null) return "hot_partition";
    return need.workers > now.running ? "workers" : "nothing";
  }

  /** A partition that takes more than a worker does. */
  function hottest({ partitions, rateIn }: RoleSeen, perWorker: number): PartitionSeen | null {
    if (partitions === null || partitions.length < 2) return null;
    const load = (one: PartitionSeen): number =>
      targetRate({ rateIn: one.rateIn ?? rateIn / partitions.length, backlog: one.backlog }, termsOf(false));
    const hot = partitions.reduce((most, one) => (load(one) > load(most) ? one : most));
    const mean = partitions.reduce((sum, one) => sum + load(one), 0) / partitions.length;
    return load(hot) > perWorker && load(hot) > 2 * mean ? hot : null;
  }

  return {
    observe,
    useProfile: forecaster.useProfile,
    plan(rateFactor = 1) {
      if (seen === null) return null;
      const forecast = forecaster.forecast();
      const need = needs(seen, rateFactor, forecast);
      const partitions = seen.partitions?.length ?? null;
      const { running, rateOut, backlog, lagSeconds, parked = 0, busyShare, atSeconds } = seen;
      const rateIn = seen.rateIn * rateFactor;
      // A what-if asks what it would take, not what is held for the load of now.
      const change = needs(seen, rateFactor, forecast, { restart: true });
      const whatIf = Math.max(change.now?.workers ?? desired, change.soon?.workers ?? desired);
      const asked = rateFactor === 1 ? desired : whatIf;
      const drain = (workers: number): number | null =>
        secondsToDrain({ rateIn, backlog }, effectiveWorkers(workers, partitions) * (rate?.perWorker ?? 0));
      const binds = binding(seen, need.now);
      const plan = {
        ...{ role, running, desired: asked, rateIn, rateOut, backlog, lagSeconds, parked, busyShare, binds, forecast },
        ...{ neededNow: need.now?.workers ?? null, neededSoon: need.soon?.workers ?? null },
        most: sharing === "sole" ? 1 : Math.min(partitions ?? policy.workersMax, allowed(seen)),
        moreWouldHelp: binds === "workers",
        capacity: rate === null ? null : { ...rate, ageSeconds: atSeconds - rate.measuredAt },
        drainSeconds: { running: drain(running), desired: drain(asked) },
        lastScaling: effects.last(),
      };
      const hot = rate === null ? null : hottest(seen, rate.perWorker);
      return {
        ...plan,
        why: wordsFor(plan, { stuck: stuck(), hot: hot?.partition ?? null, wanted: need.now?.wanted ?? null }),
      };
    },
  };
}

/** Workers had work all the time: what waits longest in every partition was there before the interval began. */
function isBehindThroughout({ backlog, lagSeconds, partitions }: RoleSeen, seconds: number): boolean {
  if (partitions === null) return backlog > 0 && lagSeconds >= seconds;
  return partitions.length > 0 && partitions.every((one) => one.backlog > 0 && one.lagSeconds >= seconds);
}

function smoothed(before: ServiceRate, now: ServiceRate): ServiceRate {
  return { ...now, perWorker: before.perWorker + 0.4 * (now.perWorker - before.perWorker) };
}

/** What was wanted lately; tells the most of it once it has been watched for so long. */
function createStableWants(seconds: number) {
  let wants: { readonly at: number; readonly workers: number }[] = [];
  let since: number | null = null;
  return {
    add(at: number, workers: number): number | null {
      since ??= at;
      wants = wants.filter((one) => at - one.at <= seconds && one.workers > workers);
      wants.push({ at, workers });
      return at - since < seconds ? null : (wants[0]?.workers ?? null);
    },
  };
}
