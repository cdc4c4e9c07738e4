import type { Planning } from "./planning.ts";

/** Redis and Kafka of a plan. */

export interface RedisPlan {
  /** Rows of all learners, bytes, once. */
  readonly rowBytes: number;
  readonly shards: number;
  readonly replicasOfShard: number;
  readonly nodes: number;
  /** Memory of one node, bytes. */
  readonly memoryOfNode: number;
  readonly commandsPerSecond: number;
  /** Of the core that a shard works on, at the peak. */
  readonly utilisation: number;
  /** Whether memory or speed asks for so many shards. */
  readonly bound: "memory" | "speed";
}

export function planRedis({ costs, workload, rules, demand, cpu }: Planning): RedisPlan {
  const read = demand.nextPerSecond * (1 - workload.memoryHitShare) + demand.otherQueriesPerSecond;
  const { perProjected, perNextFromRedis } = costs.redisCommands;
  const cores = read * cpu("nextFromRedis", "redis") + demand.interactionsPerSecond * cpu("projected", "redis");
  const rowBytes = workload.learners * costs.bytes.redisPerLearner + costs.bytes.redisBase;
  const wanted = rowBytes * rules.redisMemoryFactor;
  const byMemory = Math.ceil(wanted / (rules.redisShardGb * 1e9));
  const bySpeed = Math.ceil(cores / rules.utilisationMax);
  const shards = Math.max(1, byMemory, bySpeed);
  return {
    ...{ rowBytes, shards, replicasOfShard: workload.redisReplicas },
    nodes: shards * (1 + workload.redisReplicas),
    memoryOfNode: wanted / shards,
    commandsPerSecond: read * perNextFromRedis + demand.interactionsPerSecond * perProjected,
    utilisation: cores / shards,
    bound: bySpeed > byMemory ? "speed" : "memory",
  };
}

export interface KafkaPlan {
  readonly brokers: number;
  readonly partitions: number;
  /** Messages, once, at the peak. */
  readonly bytesPerSecond: number;
  /** Of all brokers together, copies included and the free share too. */
  readonly diskBytes: number;
  /** Cores of all brokers that are busy at the peak. */
  readonly cores: number;
}

export function planKafka({ costs, workload, rules, demand, cpu }: Planning, partitions: number): KafkaPlan {
  const { kafkaReplication, kafkaRetentionDays, zones } = workload;
  const bytesPerDay = demand.interactionsPerDay * costs.bytes.kafkaPerInteraction;
  const once = cpu("relayed", "kafka") + cpu("projectedFromKafka", "kafka");
  // A follower's copy is taken to cost a broker what the leader's does.
  const cores = demand.interactionsPerSecond * once * kafkaReplication;
  const forCores = Math.ceil(cores / rules.utilisationMax / coresOfBroker);
  return {
    brokers: Math.max(kafkaReplication, zones, forCores),
    partitions,
    bytesPerSecond: demand.interactionsPerSecond * costs.bytes.kafkaPerInteraction,
    diskBytes: (bytesPerDay * kafkaRetentionDays * kafkaReplication) / (1 - rules.diskFree),
    cores,
  };
}

export const coresOfBroker = 4;
