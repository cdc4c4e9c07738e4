import { type DayProfile, dayProfile } from "../../domain/scaling/day-profile.ts";
import { type RoleSeen, type ScaledRole, scaledRoles } from "../../domain/scaling/observation.ts";
import type { ScalingPolicy } from "../../domain/scaling/policy.ts";
import type { RolePlan } from "../../domain/scaling/role-plan.ts";
import { createRoleScaler, type RoleScaler } from "../../domain/scaling/role-scaler.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Presence } from "../../ports/presence.ts";
import type { ArrivalsBySpan } from "./arrivals.ts";
import { type PresentProcess, presentProcesses } from "./present-processes.ts";
import { createJobsSeen, projectorSeen, requestsSeen, type ScalingSources, soleSeen } from "./roles-seen.ts";

/** How many workers each role needs, from how far behind the deployment is and what its processes say. */
export interface ScalingWatch {
  /** Looks, unless it did a moment ago, and plans. Rejects where neither the log nor the processes can be asked. */
  plan(rateFactor?: number): Promise<ScalingPlan>;
  /** The plan of the last look; null before the first. */
  last(): ScalingPlan | null;
}

export interface ScalingPlan {
  /** ISO 8601. */
  readonly at: string;
  /** For how long this process has watched: fewer workers are asked for only after a while. */
  readonly watchedSeconds: number;
  /** Times the arrivals of now, where that was asked. */
  readonly rateFactor: number;
  readonly roles: readonly RolePlan[];
  readonly processes: readonly PresentProcess[];
  /** What could not be asked. */
  readonly unreadable: readonly string[];
}

export interface ScalingWatchDeps extends ScalingSources {
  readonly presence: Pick<Presence, "present">;
  readonly arrivals: ArrivalsBySpan;
  readonly clock: Clock;
  readonly policy: ScalingPolicy;
  /** Whether projectors share partitions (Kafka); else one does all. */
  readonly shared: boolean;
}

/** Looks closer together than this see no rates. */
const apartMs = 2_000;
const profileEveryMs = 3_600_000;

export function createScalingWatch(deps: ScalingWatchDeps): ScalingWatch {
  const { clock, presence, policy, shared } = deps;
  const scalers = new Map<ScaledRole, RoleScaler>();
  const jobsSeen = createJobsSeen();
  let profile: DayProfile | null = null;
  let profileAt: number | null = null;
  let looking: Promise<void> | null = null;
  let lookedAt: number | null = null;
  let since: number | null = null;
  let processes: ScalingPlan["processes"] = [];
  let unreadable: readonly string[] = [];

  /** Beside the looks: hours of a log that was never looked at take some seconds. A failure is tried again with the next hour. */
  function learnTheDay(now: number): void {
    if (profileAt !== null && now - profileAt < profileEveryMs) return;
    profileAt = now;
    void deps.arrivals.read(now).then(
      (spans) => {
        profile = dayProfile(spans);
        for (const scaler of scalers.values()) scaler.useProfile(profile);
      },
      () => undefined,
    );
  }

  function scalerOf(role: ScaledRole): RoleScaler {
    let scaler = scalers.get(role);
    if (scaler === undefined) {
      scaler = createRoleScaler(role, policy);
      scaler.useProfile(profile);
      scalers.set(role, scaler);
    }
    return scaler;
  }

  async function look(): Promise<void> {
    const [lag, queues, present] = await Promise.allSettled([deps.lag(), deps.queues(), presentProcesses(presence)]);
    if (lag.status === "rejected" && present.status === "rejected") throw lag.reason;
    const now = clock.now();
    learnTheDay(now);
    lookedAt = now;
    since ??= now;
    unreadable = [
      ...(lag.status === "rejected" ? ["lag"] : lag.value.unreadable),
      ...(queues.status === "rejected" ? ["queues"] : queues.value.unreadable),
      ...(present.status === "rejected" ? ["processes"] : []),
    ];
    if (present.status === "fulfilled") processes = present.value;
    const at = { atSeconds: now / 1000, processes };
    const seen: Record<ScaledRole, RoleSeen | null> = {
      api: requestsSeen("api", at),
      query: requestsSeen("query", at),
      projector: lag.status === "fulfilled" ? projectorSeen(lag.value, at, shared) : null,
      jobs: queues.status === "fulfilled" ? jobsSeen(queues.value, at) : null,
      relay: shared && lag.status === "fulfilled" ? soleSeen("relay", lag.value, at) : null,
      trainer: lag.status === "fulfilled" ? soleSeen("trainer", lag.value, at) : null,
    };
    for (const role of scaledRoles) {
      const one = seen[role];
      if (one !== null) scalerOf(role).observe(one);
    }
  }

  function planned(rateFactor: number): ScalingPlan {
    return {
      at: new Date(lookedAt ?? clock.now()).toISOString(),
      watchedSeconds: since === null || lookedAt === null ? 0 : (lookedAt - since) / 1000,
      ...{ rateFactor, processes, unreadable },
      roles: scaledRoles.flatMap((role) => scalers.get(role)?.plan(rateFactor) ?? []),
    };
  }

  return {
    async plan(rateFactor = 1) {
      const age = lookedAt === null ? Number.POSITIVE_INFINITY : clock.now() - lookedAt;
      if (age >= apartMs || age < 0) {
        looking ??= look().finally(() => {
          looking = null;
        });
        await looking;
      }
      return planned(rateFactor);
    },
    last: () => (lookedAt === null ? null : planned(1)),
  };
}
