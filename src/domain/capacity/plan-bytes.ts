import type { Planning } from "./planning.ts";

/** The event log of a plan, on disk and in use, and the network. */

export interface LogPlan {
  readonly engine: "postgres" | "eventstoredb";
  /** Cores of the primary that are busy at the peak. */
  readonly cores: number;
  /** Cores to give it. */
  readonly coresToHave: number;
  readonly coresMax: number;
  readonly nodes: number;
  readonly bytesPerDay: number;
  /** One node's disk with what is retained, and the share that stays free. */
  readonly diskOfNode: number;
  /** Events as files, once they have left the database. */
  readonly archiveBytes: number;
  readonly walBytesPerDay: number;
  readonly commitsPerSecondMax: number;
  /** Events that each commit has to hold at the peak; below 1 commits may hold one. */
  readonly eventsPerCommit: number;
  readonly eventsPerCommitMax: number;
}

/** The largest machines that are let: an assumption. */
const coresOfMachineMax = 96;
/** PROXIMAL_GROUP_COMMIT_EVENTS. */
const eventsPerCommitMax = 500;
/**
 * EventStoreDB beside an event's data and metadata: the record's frame, stream name, type, ids and times, and 24 bytes for
 * each of two index entries and their merges. Not measured: taken from the layout of its records.
 */
const eventStoreRecordBytes = 300;

export function planLog({ costs, workload, rules, demand, cpu }: Planning, streamed: boolean): LogPlan {
  const { bytes } = costs;
  const postgres = workload.log === "postgres";
  const [interaction, served] = postgres
    ? [bytes.logPerInteraction, bytes.logPerServedList]
    : [bytes.eventPerInteraction + eventStoreRecordBytes, bytes.eventPerServedList + eventStoreRecordBytes];
  const bytesPerDay = demand.interactionsPerDay * interaction + demand.servedPerDay * served;
  const perPost = cpu("post", "postgres") + (workload.interactionsPerPost - 1) * cpu("postInBatch", "postgres");
  const reading = cpu("trained", "postgres") + (streamed ? cpu("relayed", "postgres") : cpu("projected", "postgres"));
  const cores =
    demand.postsPerSecond * perPost +
    demand.servedPerSecond * cpu("postInBatch", "postgres") +
    demand.interactionsPerSecond * reading;
  const commitsPerSecondMax = 1000 / costs.timesMs.commitSerialMax;
  const archivedPerDay =
    (demand.interactionsPerDay * bytes.eventPerInteraction + demand.servedPerDay * bytes.eventPerServedList) *
    bytes.archiveRatio;
  return {
    engine: workload.log,
    cores,
    coresToHave: Math.max(2, Math.ceil(cores / rules.utilisationMax)),
    coresMax: coresOfMachineMax,
    nodes: postgres ? 1 + workload.logReplicas : workload.eventStoreNodes,
    bytesPerDay,
    diskOfNode: (bytesPerDay * workload.retentionDays) / (1 - rules.diskFree),
    archiveBytes: archivedPerDay * workload.archiveDays,
    walBytesPerDay: postgres ? (demand.interactionsPerDay + demand.servedPerDay) * bytes.walPerInteraction : 0,
    ...{ commitsPerSecondMax, eventsPerCommitMax },
    eventsPerCommit: demand.eventsPerSecond / commitsPerSecondMax,
  };
}

export interface NetworkPlan {
  /** Bytes a second at the peak. */
  readonly clientsIn: number;
  readonly clientsOut: number;
  /** Between processes and engines, copies between engines included. */
  readonly inside: number;
  /** Bytes a month. */
  readonly clientsOutPerMonth: number;
  /** Of what goes inside, the share that leaves a zone where all are alike. */
  readonly acrossZonesPerMonth: number;
}

export const daysOfMonth = 365 / 12;

export function planNetwork({ costs, workload, demand }: Planning, streamed: boolean): NetworkPlan {
  const { bytes } = costs;
  const { interactionsPerPost, zones } = workload;
  const queries = demand.nextPerSecond + demand.otherQueriesPerSecond;
  // What is more in a larger POST is its interactions.
  const postRequest = bytes.postRequest + (interactionsPerPost - 1) * bytes.eventPerInteraction;
  const clientsIn = demand.postsPerSecond * postRequest + queries * bytes.nextRequest;
  const clientsOut = demand.postsPerSecond * bytes.postResponse + queries * bytes.nextResponse;
  const copiesOfLog = workload.log === "postgres" ? workload.logReplicas : workload.eventStoreNodes - 1;
  const readers = 2;
  const perInteraction =
    bytes.postgresPerPost * (1 + readers) +
    bytes.walPerInteraction * copiesOfLog +
    bytes.redisPerProjected * (1 + workload.redisReplicas) +
    (streamed ? bytes.kafkaPerInteraction * (1 + workload.kafkaReplication) : 0);
  const readRows = demand.nextPerSecond * (1 - workload.memoryHitShare) + demand.otherQueriesPerSecond;
  const inside =
    demand.interactionsPerSecond * perInteraction +
    demand.servedPerSecond * (bytes.eventPerServedList + bytes.walPerInteraction * copiesOfLog) +
    readRows * bytes.redisPerNext;
  const perMonth = (atPeak: number): number => (atPeak / workload.peakFactor) * 86_400 * daysOfMonth;
  return {
    ...{ clientsIn, clientsOut, inside },
    clientsOutPerMonth: perMonth(clientsOut),
    acrossZonesPerMonth: (perMonth(inside) * (zones - 1)) / zones,
  };
}
