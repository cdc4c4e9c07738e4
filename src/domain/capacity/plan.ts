import { targetRate } from "../scaling/target.ts";
import { type Costs, cpuOf } from "./costs.ts";
import { type LogPlan, type NetworkPlan, planLog, planNetwork } from "./plan-bytes.ts";
import { type KafkaPlan, planKafka, planRedis, type RedisPlan } from "./plan-engines.ts";
import type { Planning } from "./planning.ts";
import { serversFor, waitQuantile } from "./queueing.ts";
import { type Demand, demandOf, type Rules, type Workload } from "./workload.ts";

/** From what an operation costs and how many there are: how many of what to run. Pure arithmetic; docs/capacity.md words it. */

export interface RolePlan {
  readonly role: "api" | "projector" | "trainer" | "relay" | "jobs";
  /** Cores that are busy at the peak, over all of the role's processes. */
  readonly cores: number;
  /** Processes that carry the peak. */
  readonly needed: number;
  /** Processes to run, so that so many are left when a zone goes. */
  readonly processes: number;
  /** Of each process' core at the peak, with all of them and with a zone gone. */
  readonly utilisation: number;
  readonly utilisationZoneGone: number;
  /** Resident memory of one, bytes. */
  readonly memoryBytes: number;
  readonly why: string;
}

/** Something that more of the same does not help. */
export interface Limit {
  readonly what: string;
  /** Demand over what there is: beyond 1 the plan does not hold. */
  readonly load: number;
  readonly why: string;
}

export interface Plan {
  readonly workload: Workload;
  readonly rules: Rules;
  readonly demand: Demand;
  readonly roles: readonly RolePlan[];
  readonly partitions: number;
  /** Of a core, were one process to do all of it (role all); what one can do ends where this nears 1. */
  readonly allInOneUtilisation: number;
  /** Wait for a process of the API that 99 % of requests do not exceed, milliseconds: all zones there. */
  readonly apiQueueWaitP99Ms: number;
  readonly redis: RedisPlan;
  readonly log: LogPlan;
  /** null where one projector reads the log itself. */
  readonly kafka: KafkaPlan | null;
  readonly network: NetworkPlan;
  readonly limits: readonly Limit[];
}

/** PROXIMAL_PARTITIONS has this bound; numbers that many worker counts divide. */
const partitionSteps = [1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];
const partitionsMax = 256;
/** Where a role is needed for order, or for what is rare, and not for its speed. */
const standby = 2;

export function planCapacity(costs: Costs, workload: Workload, rules: Rules): Plan {
  const demand = demandOf(workload);
  const cpu: Planning["cpu"] = (operation, engine = "app") => cpuOf(costs, operation, engine) / rules.coreSpeed;
  const planning: Planning = { costs, workload, rules, demand, cpu };
  const api = planApi(planning);
  const projector = planProjector(planning);
  const streamed = projector.needed > 1;
  const roles = [api.role, projector, ...planSoleOwners(planning, streamed)];
  const partitions = partitionsFor(projector.needed, rules);
  const redis = planRedis(planning);
  const log = planLog(planning, streamed);
  const kafka = streamed ? planKafka(planning, partitions) : null;
  return {
    ...{ workload, rules, demand, roles, partitions, redis, log, kafka },
    apiQueueWaitP99Ms: api.waitP99Ms,
    allInOneUtilisation: api.role.cores + projector.cores + demand.interactionsPerSecond * cpu("trained"),
    network: planNetwork(planning, streamed),
    limits: limitsOf(planning, { roles, log, redis }),
  };
}

/** Fewest processes over `zones` of which `needed` are left when the fullest zone goes. */
export function spreadOverZones(needed: number, zones: number): number {
  if (zones < 2) return needed;
  let processes = Math.ceil((needed * zones) / (zones - 1));
  while (processes - Math.ceil(processes / zones) < needed) processes += 1;
  return processes;
}

function roleOf(
  role: RolePlan["role"],
  { cores, needed, processes }: Pick<RolePlan, "cores" | "needed" | "processes">,
  { zones, memoryBytes, why }: Pick<RolePlan, "memoryBytes" | "why"> & Pick<Workload, "zones">,
): RolePlan {
  const left = zones < 2 ? processes : Math.max(1, processes - Math.ceil(processes / zones));
  return {
    ...{ role, cores, needed, processes, memoryBytes, why },
    utilisation: cores / processes,
    utilisationZoneGone: cores / Math.max(needed === 1 ? 1 : 0, left),
  };
}

/** Requests of all kinds meet one queue at each process; what a service takes is taken as exponential within a kind. */
function planApi({ costs, workload, rules, demand, cpu }: Planning) {
  const perPost = cpu("post") + (workload.interactionsPerPost - 1) * cpu("postInBatch");
  const fromMemory = demand.nextPerSecond * workload.memoryHitShare;
  const kinds = [
    { rate: demand.postsPerSecond, seconds: perPost },
    { rate: fromMemory, seconds: cpu("nextFromMemory") + workload.servedSample * cpu("postInBatch") },
    {
      rate: demand.nextPerSecond - fromMemory,
      seconds: cpu("nextFromRedis") + workload.servedSample * cpu("postInBatch"),
    },
    { rate: demand.otherQueriesPerSecond, seconds: cpu("nextFromRedis") },
  ];
  const rate = kinds.reduce((sum, kind) => sum + kind.rate, 0);
  const cores = kinds.reduce((sum, kind) => sum + kind.rate * kind.seconds, 0);
  const serviceSeconds = cores / rate;
  const secondMoment = kinds.reduce((sum, kind) => sum + (kind.rate / rate) * 2 * kind.seconds ** 2, 0);
  const serviceCv2 = secondMoment / serviceSeconds ** 2 - 1;
  const { utilisationMax, queueWaitP99Ms } = rules;
  const objective = { quantile: 0.99, waitSeconds: queueWaitP99Ms / 1000, utilisationMax };
  const needed = serversFor({ rate, serviceSeconds, serviceCv2 }, objective);
  const processes = spreadOverZones(needed, workload.zones);
  const each = { servers: 1, rate: rate / processes, serviceSeconds, serviceCv2 };
  const role = roleOf(
    "api",
    { cores, needed, processes },
    {
      zones: workload.zones,
      memoryBytes: costs.memory.api,
      why: `${Math.round(rate)} requests/s of ${(serviceSeconds * 1e6).toFixed(0)} us`,
    },
  );
  return { role, waitP99Ms: waitQuantile(each, 0.99) * 1000 };
}

/**
 * The rate that projectors must be able to fold, as the Flink autoscaler has it: input / utilisation, and what piled up
 * while nothing was folded over the time that it may take to go.
 */
export const foldRateFor = (rate: number, { utilisationMax, outageMinutes, catchUpMinutes }: Rules): number =>
  targetRate(
    { rateIn: rate, backlog: 0 },
    { utilisation: utilisationMax, restartSeconds: outageMinutes * 60, catchUpSeconds: catchUpMinutes * 60 },
  );

function planProjector({ costs, workload, rules, demand, cpu }: Planning): RolePlan {
  const rate = demand.interactionsPerSecond;
  const turnSeconds = costs.timesMs.visibleAlone / 1000;
  const coresWith = (perEvent: number, partitions: number): number => {
    const each = rate / partitions;
    // A batch begins when the one before it is done: few and large under load, one for each event without.
    const batches = (each / (1 + each * turnSeconds)) * partitions;
    return rate * perEvent + batches * cpu("projectorBatch");
  };
  const alone = coresWith(cpu("projected"), 1);
  const fold = (cores: number): number => foldRateFor(rate, rules) * (cores / rate);
  const one = fold(alone) <= 1;
  const fromKafka = costs.cpu.projectedFromKafka === undefined ? cpu("projected") : cpu("projectedFromKafka");
  const perEvent = one ? cpu("projected") : fromKafka;
  // Whoever has more partitions than one makes more batches; a few rounds settle how many.
  let needed = 1;
  let cores = alone;
  for (let round = 0; round < 8 && !one; round += 1) {
    cores = coresWith(perEvent, partitionsFor(needed, rules));
    // Two at the least: one alone would have no use for Kafka.
    needed = Math.max(2, Math.ceil(fold(cores)));
  }
  const processes = one ? 1 : spreadOverZones(needed, workload.zones);
  const why = one
    ? "one reads the log itself; where its zone goes it is started elsewhere, and answers lag until then"
    : `${Math.round(rate)} interactions/s of ${(perEvent * 1e6).toFixed(0)} us, and a backlog of ${rules.outageMinutes} min gone in ${rules.catchUpMinutes} min`;
  const { zones } = workload;
  return roleOf("projector", { cores, needed, processes }, { zones, memoryBytes: costs.memory.projector, why });
}

function partitionsFor(workers: number, { partitionsPerWorker }: Rules): number {
  if (workers === 1) return 1;
  return partitionSteps.find((step) => step >= workers * partitionsPerWorker) ?? partitionsMax;
}

/** One works, another stands by; more would not help. */
function planSoleOwners({ costs, workload, demand, cpu }: Planning, streamed: boolean): RolePlan[] {
  const processes = workload.zones < 2 ? 1 : standby;
  const { zones } = workload;
  const sole = (role: RolePlan["role"], busy: number, memoryBytes: number, why: string): RolePlan => ({
    ...roleOf(role, { cores: busy, needed: 1, processes }, { zones, memoryBytes, why }),
    utilisation: busy,
    utilisationZoneGone: busy,
  });
  const trained = demand.interactionsPerSecond * cpu("trained");
  // Lists that were served are projected nowhere, so it does not read them.
  const relayed = demand.interactionsPerSecond * cpu("relayed");
  return [
    sole("trainer", trained, costs.memory.trainer, "one sequential owner of the shared weights, another stands by"),
    ...(streamed
      ? [sole("relay", relayed, costs.memory.api, "one copies the log into Kafka, in order; another stands by")]
      : []),
    roleOf(
      "jobs",
      { cores: 0.1, needed: 1, processes },
      { zones, memoryBytes: costs.memory.projector, why: "exports, reports and what-ifs, at a low priority" },
    ),
  ];
}

function limitsOf(
  { rules, demand }: Planning,
  { roles, log, redis }: Pick<Plan, "roles" | "log" | "redis">,
): readonly Limit[] {
  const busy = (role: RolePlan["role"]): number =>
    (roles.find((one) => one.role === role)?.cores ?? 0) / rules.utilisationMax;
  const projectors = roles.find(({ role }) => role === "projector")?.processes ?? 0;
  const all: Limit[] = [
    { what: "trainer", load: busy("trainer"), why: "learns in log order, in one thread" },
    { what: "relay", load: busy("relay"), why: "sends in log order, in one process" },
    { what: "partitions", load: projectors / partitionsMax, why: "a partition has one projector at a time" },
    {
      what: "log: commits",
      load: log.eventsPerCommit / log.eventsPerCommitMax,
      why: `commits come one after the other: each of them has to hold ${log.eventsPerCommit.toFixed(0)} events at the peak`,
    },
    { what: "log: cores", load: log.coresToHave / log.coresMax, why: "one primary takes every write" },
    {
      what: "log: disk",
      load: log.diskOfNode / (rules.diskOfNodeMaxTb * 1e12),
      why: "each node holds what is retained: archive earlier, or record fewer served lists",
    },
    { what: "redis: shards", load: redis.shards / 1000, why: "a Redis Cluster has 1,000 nodes at the most" },
  ];
  return all.filter(({ load }) => load > 0 && demand.interactionsPerSecond > 0).sort((a, b) => b.load - a.load);
}
