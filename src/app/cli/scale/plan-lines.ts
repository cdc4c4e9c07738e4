import { processHour } from "../../../domain/capacity/prices.ts";
import type { ScaledRole } from "../../../domain/scaling/observation.ts";
import type { RolePlan } from "../../../domain/scaling/role-plan.ts";
import { time } from "../../../domain/scaling/words.ts";
import type { ScalingPlan } from "../../../queries/scaling/scaling-watch.ts";
import { costsFrom, pricesFrom } from "../capacity/files.ts";
import { tableLines } from "../io.ts";

/** Of one worker of each role, for an hour, by the list of prices of `proximal capacity`. */
export interface WorkerHours {
  readonly currency: string;
  of(role: ScaledRole): number;
}

export async function workerHours(pricesFile: string | undefined): Promise<WorkerHours> {
  const [{ memory }, prices] = [await costsFrom(undefined), await pricesFrom(pricesFile)];
  const bytes: Readonly<Record<ScaledRole, number>> = {
    ...{ api: memory.api, query: memory.api, relay: memory.api },
    ...{ projector: memory.projector, jobs: memory.projector, trainer: memory.trainer },
  };
  return { currency: prices.currency, of: (role) => processHour(prices, bytes[role]) };
}

const isOneProcess = ({ processes }: ScalingPlan): boolean => processes.some(({ role }) => role === "all");

/** Roles whose workers can be added: `projector=3` for each that shall have another number. */
export function changesOf(plan: ScalingPlan): string[] {
  if (isOneProcess(plan)) return [];
  return plan.roles
    .filter(({ role, running, desired }) => role !== "relay" && role !== "trainer" && running !== desired)
    .map(({ role, desired }) => `${role}=${desired}`);
}

export function planLines(plan: ScalingPlan, hours: WorkerHours): string[] {
  const rows = plan.roles.map((role) => [
    ...[role.role, role.running, counted(role.neededNow), counted(role.neededSoon), role.desired, rate(role.rateIn)],
    ...[
      rate(role.backlog),
      role.backlog > 0 ? time(role.lagSeconds) : "",
      role.capacity === null ? "?" : rate(role.capacity.perWorker),
    ],
    ...[drain(role), role.binds.replaceAll("_", " "), (hours.of(role.role) * role.desired).toFixed(2)],
  ]);
  const head = [
    "role",
    "run",
    "now",
    "in 10 min",
    "want",
    "in/s",
    "waiting",
    "oldest",
    "a worker/s",
    "drains in",
    "binds",
  ];
  const total = (of: (role: RolePlan) => number): string =>
    plan.roles.reduce((sum, role) => sum + hours.of(role.role) * of(role), 0).toFixed(2);
  return [
    ...(plan.rateFactor === 1 ? [] : [`What if ${plan.rateFactor} times as much came in:`]),
    ...tableLines([...head, `${hours.currency}/h`], rows),
    "",
    ...plan.roles.map((role) => `${role.role}: ${role.why}`),
    ...plan.roles.flatMap((role) => effectOf(role)),
    "",
    `cost: ${total((role) => role.running)} ${hours.currency}/h as it runs, ${total((role) => role.desired)} as wanted`,
    ...(isOneProcess(plan)
      ? [
          "one process does all roles: more need PostgreSQL, Redis and Kafka, and processes of one role each (docs/deployment.md)",
        ]
      : []),
    ...(plan.unreadable.length > 0 ? [`could not be asked: ${plan.unreadable.join(", ")}`] : []),
  ];
}

const counted = (workers: number | null): string | number => workers ?? "?";
const rate = (n: number): number => Number(n.toPrecision(3));

function drain({ backlog, drainSeconds }: RolePlan): string {
  if (backlog === 0) return "";
  return drainSeconds.desired === null ? "never" : time(drainSeconds.desired);
}

function effectOf({ role, lastScaling }: RolePlan): string[] {
  if (lastScaling === null) return [];
  const { from, to, rateBefore, rateAfter } = lastScaling;
  const seen =
    rateBefore === null || rateAfter === null
      ? "what it brought was not seen: there was not enough to do"
      : `${rate(rateBefore)}/s became ${rate(rateAfter)}/s`;
  return [`${role}: last went from ${from} to ${to}: ${seen}`];
}
