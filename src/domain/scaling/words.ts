import type { ScaledRole } from "./observation.ts";
import { sharingOf } from "./observation.ts";
import type { RolePlan } from "./role-plan.ts";

/** What the words need beside the plan. */
export interface WordsContext {
  /** Partitions that do not move. */
  readonly stuck: readonly number[];
  readonly hot: number | null;
  /** By the rate alone; null where nobody knows what a worker does. */
  readonly wanted: number | null;
}

const unitOf: Readonly<Record<ScaledRole, string>> = {
  ...{ api: "requests", query: "requests", projector: "events", jobs: "jobs", relay: "events", trainer: "events" },
};

/** The reasoning of a plan in a sentence: what comes in, what a worker does, what follows, and what stands in the way. */
export function wordsFor(plan: Omit<RolePlan, "why">, context: WordsContext): string {
  const parts = [loadOf(plan), needOf(plan, context), obstacleOf(plan, context), soonOf(plan)];
  const text = parts.filter((part) => part !== "").join("; ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function loadOf({ role, rateIn, backlog, lagSeconds, busyShare }: Omit<RolePlan, "why">): string {
  const unit = unitOf[role];
  const comes = `${amount(rateIn)} ${unit}/s come in`;
  if (backlog > 0) return `${comes} and ${amount(backlog)} wait, the oldest for ${time(lagSeconds)}`;
  const busy = busyShare === null ? "" : `, workers are ${Math.round(busyShare * 100)} % busy`;
  return sharingOf[role] === "requests" ? `${comes}${busy}` : `${comes} and none wait`;
}

function needOf(plan: Omit<RolePlan, "why">, { wanted }: WordsContext): string {
  const { role, capacity, neededNow, running, drainSeconds, backlog, desired } = plan;
  if (sharingOf[role] === "sole") return "one works in the order of the log, and more would stand by";
  if (running === 0) return "none runs";
  if (capacity === null || neededNow === null || wanted === null)
    return neededNow === null ? "what a worker can do was not seen yet: it was never behind" : enough(neededNow);
  const how = capacity.source === "catching_up" ? "measured while catching up" : "estimated from how busy it was";
  const each = `a worker does ${amount(capacity.perWorker)}/s (${how}, ${time(capacity.ageSeconds)} ago)`;
  const drains = backlog < capacity.perWorker ? "" : drainText(drainSeconds.desired, desired);
  return `${each}, so ${neededNow} ${neededNow === 1 ? "is" : "are"} needed${wanted > neededNow ? ` and ${wanted} would be` : ""}${drains}`;
}

const enough = (needed: number): string => `${needed} ${needed === 1 ? "is" : "are"} enough`;

const drainText = (seconds: number | null, workers: number): string =>
  seconds === null
    ? `; ${workers} ${workers === 1 ? "does" : "do"} not keep up`
    : `; ${workers} ${workers === 1 ? "clears" : "clear"} the backlog in ${time(seconds)}`;

function obstacleOf(plan: Omit<RolePlan, "why">, { stuck, hot }: WordsContext): string {
  const { role, binds, most, lastScaling, parked } = plan;
  const aside =
    parked > 0
      ? `${parked} parked ${parked === 1 ? "learner waits" : "learners wait"} for proximal parked retry, not for workers`
      : "";
  const what = {
    nothing: "",
    workers: "",
    sole: "",
    not_measured: "",
    partitions: `the ${most} partitions are the most that can share the work: more need PROXIMAL_PARTITIONS and a rebuild`,
    workers_max:
      role === "projector" && most === 1
        ? "one projector folds the log by itself: others can share the work with Kafka between (KAFKA_BROKERS)"
        : `${most} are the most that are allowed (PROXIMAL_SCALE_WORKERS_MAX)`,
    hot_partition: `partition ${hot} takes more than one worker does and has one at a time: more workers would not help it`,
    stuck: `partition ${stuck.join(", ")} does not move: look at its worker's log, more workers would not help`,
    shared: `going from ${lastScaling?.from} to ${lastScaling?.to} brought ${Math.round((lastScaling?.effect ?? 0) * 100)} % of what it should have: what workers share (log, Redis, cores) is full, more would not help`,
    pool: "statements wait for connections to the database: a larger pool helps, more workers would make it worse",
    relay: "what waits is with the relay still: more projectors would not help",
  }[binds];
  return [what, aside].filter((part) => part !== "").join("; ");
}

function soonOf({ role, neededSoon, neededNow, forecast, rateIn }: Omit<RolePlan, "why">): string {
  if (sharingOf[role] === "sole" || neededSoon === null || neededSoon === neededNow) return "";
  const when = `in ${time(forecast.aheadSeconds)}`;
  if (!forecast.trusted) return `${when} ${enough(neededSoon)}, if ${amount(rateIn)}/s stay`;
  return `${when} ${amount(forecast.rate)}/s are expected, which take ${neededSoon}`;
}

/** Three digits: 12,300 or 0.52. */
function amount(n: number): string {
  if (n === 0) return "0";
  if (n >= 100) return Math.round(Number(n.toPrecision(3))).toLocaleString("en-US");
  return String(Number(n.toPrecision(n < 10 ? 2 : 3)));
}

export function time(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
