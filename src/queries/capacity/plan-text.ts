import type { Plan, RolePlan } from "../../domain/capacity/plan.ts";
import { textTable } from "../text-table.ts";
import type { CapacityPlan, FittedLaw } from "./capacity-plan.ts";
import { bytesText, msText, numberText, percentText } from "./units.ts";

/** A plan as tables of words, for a terminal, a page and a document alike. */

export interface PlanTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export const describePlan = ({ workload, rules }: Plan): string =>
  `${numberText(workload.learners)} learners, ${percentText(workload.activeShare)} of them active on a day with ${numberText(workload.interactionsPerDay)} interactions each; ` +
  `peak ${numberText(workload.peakFactor)} times the mean of the day; cores busy to ${percentText(rules.utilisationMax)} at the most, ` +
  `${workload.zones < 2 ? "in one zone" : `one of ${workload.zones} zones being gone`}`;

export function planTables(made: CapacityPlan): PlanTable[] {
  return [demandTable(made.plan), roleTable(made), engineTable(made.plan), limitTable(made.plan), costTable(made)];
}

function demandTable({ demand }: Plan): PlanTable {
  return {
    title: "What has to be carried at the peak",
    head: ["", "a second"],
    rows: [
      ["requests", numberText(demand.requestsPerSecond)],
      ["of these POSTs", numberText(demand.postsPerSecond)],
      ["of these next lists", numberText(demand.nextPerSecond)],
      ["interactions, durable", numberText(demand.interactionsPerSecond)],
      ["events into the log, lists that were served among them", numberText(demand.eventsPerSecond)],
      ["learners at work at once", numberText(demand.concurrentLearners)],
    ],
  };
}

function roleTable({ plan, cheapest, dearest }: CapacityPlan): PlanTable {
  const range = (role: RolePlan["role"]): string => {
    const [low, high] = [cheapest, dearest].map(
      ({ roles }) => roles.find((one) => one.role === role)?.processes ?? 0,
    ) as [number, number];
    return low === high ? String(low) : `${low} to ${high}`;
  };
  return {
    title: "Processes, of one core each",
    head: ["role", "carry the peak", "to run", "by round", "busy", "a zone gone", "memory of one", "why"],
    rows: plan.roles.map((role) => [
      role.role,
      String(role.needed),
      String(role.processes),
      range(role.role),
      percentText(role.utilisation),
      percentText(role.utilisationZoneGone),
      bytesText(role.memoryBytes),
      role.why,
    ]),
  };
}

function engineTable(plan: Plan): PlanTable {
  const { partitions, redis, log, kafka, network, workload, apiQueueWaitP99Ms, allInOneUtilisation } = plan;
  const replicas = redis.replicasOfShard === 0 ? "no replica" : `${redis.replicasOfShard} replica each`;
  return {
    title: "Engines",
    head: ["", "", ""],
    rows: [
      ...(allInOneUtilisation < plan.rules.utilisationMax
        ? [
            [
              "all in one process",
              `busy to ${percentText(allInOneUtilisation)}`,
              "role all would do, with nothing to spare when it goes",
            ],
          ]
        : []),
      ["partitions", String(partitions), "PROXIMAL_PARTITIONS"],
      [
        "Redis",
        `${redis.shards} ${redis.shards === 1 ? "shard" : "shards"}, ${replicas}, ${bytesText(redis.memoryOfNode)} a node`,
        `${bytesText(redis.rowBytes)} of rows, ${numberText(redis.commandsPerSecond)} commands/s, each core busy to ${percentText(redis.utilisation)}; ${redis.bound} asks for it`,
      ],
      [
        log.engine === "postgres" ? "PostgreSQL" : "EventStoreDB",
        `${log.nodes} ${log.nodes === 1 ? "node" : "nodes"} of ${log.coresToHave} cores, ${bytesText(log.diskOfNode)} of disk`,
        `${bytesText(log.bytesPerDay)} a day, ${bytesText(log.bytesPerDay * 30)} in 30 days, ${numberText(workload.retentionDays)} days kept; ${numberText(log.cores)} cores busy at the peak`,
      ],
      ...(log.walBytesPerDay === 0
        ? []
        : [["write-ahead log", `${bytesText(log.walBytesPerDay)} a day`, "what replicas and backups receive"]]),
      ["archive", bytesText(log.archiveBytes), `files, ${numberText(workload.archiveDays)} days after that`],
      kafka === null
        ? ["Kafka", "none", "one projector reads the log itself"]
        : [
            "Kafka",
            `${kafka.brokers} brokers, ${bytesText(kafka.diskBytes)} of disk in all`,
            `${bytesText(kafka.bytesPerSecond)}/s into ${kafka.partitions} partitions, ${workload.kafkaReplication} copies, ${numberText(workload.kafkaRetentionDays)} days`,
          ],
      [
        "network",
        `${bytesText(network.clientsIn)}/s in, ${bytesText(network.clientsOut)}/s out`,
        `inside ${bytesText(network.inside)}/s at the peak; ${bytesText(network.clientsOutPerMonth)} a month to clients, ${bytesText(network.acrossZonesPerMonth)} across zones`,
      ],
      ["wait for a process", msText(apiQueueWaitP99Ms), "99 % of requests at the peak, all zones there: M/G/1"],
    ],
  };
}

function limitTable({ limits }: Plan): PlanTable {
  return {
    title: "What more of the same does not help, the nearest first",
    head: ["limit", "used", "why"],
    rows: limits.map(({ what, load, why }) => [
      what,
      load > 1 ? `${percentText(load)}: beyond it` : percentText(load),
      why,
    ]),
  };
}

function costTable({ cost, costRange }: CapacityPlan): PlanTable {
  const money = (amount: number): string => numberText(Math.round(amount));
  return {
    title: `A month, in ${cost.currency}, by prices of ${cost.asOf}: assumptions, let all month at the size of the peak`,
    head: ["", "", "a month"],
    rows: [
      ...cost.lines.map(({ what, amount, perMonth }) => [what, amount, money(perMonth)]),
      ["in all", `by round ${money(costRange.low)} to ${money(costRange.high)}`, money(cost.total)],
      ["for 1,000 learners", "", numberText(cost.perThousandLearners)],
    ],
  };
}

export function lawTable(laws: readonly FittedLaw[]): PlanTable {
  const between = ({ estimate, low, high }: FittedLaw["intervals"]["lambda"]): string =>
    `${numberText(estimate)} (${numberText(low)} to ${numberText(high)})`;
  return {
    title: "Universal scalability law, fitted; 95 % by bootstrap",
    head: ["", "lambda, a second", "sigma", "kappa", "R2", "largest residual", "best n", "ceiling, a second"],
    rows: laws.map(({ title, fit, intervals, best, ceiling }) => [
      title,
      between(intervals.lambda),
      between(intervals.sigma),
      between(intervals.kappa),
      fit.r2.toFixed(3),
      percentText(Math.max(...fit.residuals.map(Math.abs))),
      Number.isFinite(best) ? numberText(best) : "levels off",
      Number.isFinite(ceiling) ? numberText(ceiling) : "none seen",
    ]),
  };
}

export const beyond = ({ limits }: Plan): readonly string[] =>
  limits
    .filter(({ load }) => load > 1)
    .map(({ what, load }) => `does not hold: ${what} would have to carry ${numberText(load)} times what it can`);

export function renderPlanText(made: CapacityPlan): string {
  const { machine, measuredAt } = made.measured;
  const lines = [describePlan(made.plan), ...beyond(made.plan), ""];
  for (const { title, head, rows } of [...planTables(made), lawTable(made.laws)])
    lines.push(title, ...textTable(head.every((cell) => cell === "") ? rows : [head, ...rows]), "");
  lines.push(
    `Costs measured ${measuredAt.slice(0, 10)} at ${String(machine.commit ?? "an unknown commit").slice(0, 7)} on ${machine.cores} cores of ${machine.cpu}; what that does not tell: docs/capacity.md`,
  );
  return `${lines.join("\n")}\n`;
}
