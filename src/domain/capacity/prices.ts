import { z } from "zod";
import type { Plan, RolePlan } from "./plan.ts";
import { coresOfBroker } from "./plan-engines.ts";

/** What a plan costs a month, by a list of prices that anyone may edit. The list is an assumption, not an offer. */

const price = z.number().nonnegative();

export const pricesSchema = z.strictObject({
  asOf: z.iso.date().describe("When the prices were looked at"),
  currency: z.string().min(1).max(8),
  source: z.string().describe("Where they are from"),
  coreHour: price.describe("A core for an hour"),
  memoryGbHour: price.describe("A GB of memory for an hour"),
  ssdGbMonth: price.describe("A GB of SSD for a month"),
  objectGbMonth: price.describe("A GB of object storage for a month"),
  egressGb: price.describe("A GB to clients"),
  acrossZonesGb: price.describe("A GB from a zone to another"),
  loadBalancerMonth: price.describe("A load balancer for a month"),
  /** What is not a price and still money. */
  memoryPerLogCoreGb: price.describe("Memory that a core of the log's machine comes with"),
  memoryOfBrokerGb: price.describe("Memory of a broker of Kafka"),
});

export type Prices = z.infer<typeof pricesSchema>;

export interface CostLine {
  readonly what: string;
  readonly amount: string;
  readonly perMonth: number;
}

export interface MonthlyCost {
  readonly currency: string;
  readonly asOf: string;
  readonly lines: readonly CostLine[];
  readonly total: number;
  readonly perThousandLearners: number;
}

const hoursOfMonth = 730;
/** Memory given to a process over what it was seen to hold: its heap grows before it is collected. */
const memoryFactor = 2;

/** A process with a core of its own for an hour; `memoryBytes`: what it was seen to hold. */
export function processHour({ coreHour, memoryGbHour }: Prices, memoryBytes: number): number {
  return coreHour + ((memoryFactor * memoryBytes) / 1e9) * memoryGbHour;
}

/** Everything is let all month at the size of the peak: nothing is scaled down at night. */
export function monthlyCost(plan: Plan, prices: Prices): MonthlyCost {
  const machine = (cores: number, gb: number): number =>
    (cores * prices.coreHour + gb * prices.memoryGbHour) * hoursOfMonth;
  const gb = (bytes: number): number => bytes / 1e9;
  const { redis, log, kafka, network, workload } = plan;
  const role = ({ role, processes, memoryBytes }: RolePlan): CostLine => ({
    what: role,
    amount: `${processes} x 1 core, ${(gb(memoryBytes) * memoryFactor).toFixed(1)} GB`,
    perMonth: processes * processHour(prices, memoryBytes) * hoursOfMonth,
  });
  const logMemory = log.coresToHave * prices.memoryPerLogCoreGb;
  const lines: CostLine[] = [
    ...plan.roles.map(role),
    {
      what: "redis",
      amount: `${redis.nodes} x 1 core, ${gb(redis.memoryOfNode).toFixed(1)} GB`,
      perMonth: redis.nodes * machine(1, Math.max(0.5, gb(redis.memoryOfNode))),
    },
    {
      what: `log (${log.engine})`,
      amount: `${log.nodes} x ${log.coresToHave} cores, ${logMemory} GB`,
      perMonth: log.nodes * machine(log.coresToHave, logMemory),
    },
    {
      what: "log: disk",
      amount: `${log.nodes} x ${gb(log.diskOfNode).toFixed(0)} GB`,
      perMonth: log.nodes * gb(log.diskOfNode) * prices.ssdGbMonth,
    },
    {
      what: "log: archive",
      amount: `${gb(log.archiveBytes).toFixed(0)} GB`,
      perMonth: gb(log.archiveBytes) * prices.objectGbMonth,
    },
    ...(kafka === null
      ? []
      : [
          {
            what: "kafka",
            amount: `${kafka.brokers} x ${coresOfBroker} cores, ${prices.memoryOfBrokerGb} GB; ${gb(kafka.diskBytes).toFixed(0)} GB of disk`,
            perMonth:
              kafka.brokers * machine(coresOfBroker, prices.memoryOfBrokerGb) + gb(kafka.diskBytes) * prices.ssdGbMonth,
          },
        ]),
    {
      what: "network: to clients",
      amount: `${gb(network.clientsOutPerMonth).toFixed(0)} GB`,
      perMonth: gb(network.clientsOutPerMonth) * prices.egressGb,
    },
    {
      what: "network: across zones",
      amount: `${gb(network.acrossZonesPerMonth).toFixed(0)} GB`,
      perMonth: gb(network.acrossZonesPerMonth) * prices.acrossZonesGb,
    },
    { what: "load balancer", amount: "1", perMonth: prices.loadBalancerMonth },
  ];
  const total = lines.reduce((sum, { perMonth }) => sum + perMonth, 0);
  return {
    ...{ currency: prices.currency, asOf: prices.asOf, lines, total },
    perThousandLearners: (total / workload.learners) * 1000,
  };
}
